"""A source: one producer as a write key, a webhook's address or a mapping names it.

What a source tells stands for what its calls do not say themselves: the channel where the customer met us, the device,
the currency of amounts. A pure value; where it is kept and who may write with it is the collector's business.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A producer of events.

    Shape: `name` becomes the events' `source` and stands before ids that are unique within the producer only;
           `channel` is a channel of the registry. The others are None where nothing is taken for granted.
    """

    name: str
    channel: str
    device: str | None = None
    currency: str | None = None
    """ISO 4217, for amounts that come without one."""
