"""The independent answer: what the rows must be, recomputed in one batch from accepted events.

Written apart from the product, from the text of the specification, with networkx for the graph. It imports the
shapes (Event, TABLES) and none of the rules. Slow on purpose: plain loops over everything.
"""

from tests.oracle.batch import expected

__all__ = ["expected"]
