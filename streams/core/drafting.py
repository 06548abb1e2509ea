"""A state with events that nobody has sent yet: who would join, told before anything is.

Nodes are counted anew from all events, those of the state and those added, so that an identifier which only both
together show to be everybody's is one.
"""

from collections import Counter, defaultdict
from itertools import permutations

from streams.core.dry_run import Seen, State
from streams.core.event import Event, Identifier
from streams.core.messages import Edge
from streams.core.node import DAY_MS, NodeRecord


class Drafted(State):
    """What `streams.core.dry_run.persons` reads in place of a state. Cost: about 1 KB of memory an event."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__()
        self._state = state or State()
        self.events |= self._state.events

    def add(self, event: Event) -> None:
        """One event; a copy of one that was added changes nothing."""
        self.events[event.digest] = Seen(event.digest, event.at_ms, event.ids)

    def nodes(self) -> list[NodeRecord]:
        """Nodes that may be everybody's: those that several events name, or one event beside two of a kind."""
        named = Counter(identifier[:2] for event in self.events.values() for identifier in event.ids)
        partners: dict[Identifier, dict[str, set[Identifier]]] = defaultdict(lambda: defaultdict(set))
        orders: dict[Identifier, dict[int, set[Identifier]]] = defaultdict(lambda: defaultdict(set))
        for event in self.events.values():
            ids = [identifier[:2] for identifier in event.ids]
            is_crowded = len({kind for kind, _ in ids}) < len(ids)
            for x, y in permutations(ids, 2):
                if is_crowded or named[x] > 1:
                    partners[x][y[0]].add(y)
                    if y[0] == "order_id":
                        orders[x][event.at_ms // DAY_MS].add(y)
        return [
            NodeRecord(
                x, None, 0, {kind: len(found) for kind, found in met.items()},
                {day: len(found) for day, found in orders[x].items()} if x in orders else {}, None, None, 0,
            )
            for x, met in partners.items()
        ]

    def last_words(self) -> dict[Edge, str]:
        return self._state.last_words()
