"""When something that tells no time of its own was first told: sent again, it is the same event, not a later one.

Memory is bounded, and lost with the process: what is sent again after that differs from its first copy in its time.
"""

from collections import OrderedDict

from connectors.incoming import Event

EVENTS_MAX = 50_000
"""Of 130 bytes each; systems send again within hours."""


class Arrivals:
    """The arrivals of the latest events that were dated by them."""

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self._first: OrderedDict[int, int] = OrderedDict()
        self._events_max = events_max

    def date(self, event: Event, received_ms: int) -> Event:
        """The event, at the time of its first arrival where it was dated by one.

        Shape: received_ms is what the event was decoded with.
        """
        if event.get("occurred_at") != received_ms or "event_id" not in event:
            return event
        key = hash(event["event_id"])
        first_ms = self._first.setdefault(key, received_ms)
        if len(self._first) > self._events_max:
            self._first.popitem(last=False)
        return {**event, "occurred_at": first_ms}
