"""The sample: six weeks of a retail business as its systems would report them, the same bytes for one seed everywhere.

`lines(seed, people)` gives JSON lines for `onethread emit`, in the order in which they would arrive.
"""

from examples.sample.world import lines

__all__ = ["lines"]
