"""A graph of several partitions in one place, for literal tests: messages go straight to where they belong."""

from streams.core import messages
from streams.core.event import Event, Identifier
from streams.core.facts import Row
from streams.core.graph import Partition
from streams.core.keys import Keys
from streams.core.policy import default
from streams.core.shaping import Shaping

MINUTE = 60_000


class Memory(dict[bytes, bytes]):
    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return sorted((key, value) for key, value in self.items() if key.startswith(prefix))

    def page(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(key, value) for key, value in self.scan(prefix) if key > after][:limit]


class Graph:
    """`see` works events to the end; `rows` are what a sink then shows."""

    def __init__(self, partitions: int = 2, **durations: int) -> None:
        self.keys = Keys(b"pepper", partitions)
        gaps = {"session_gap_ms": 30 * MINUTE, "conversation_gap_ms": 56 * MINUTE}
        self.shaping = Shaping(self.keys, **{**gaps, **durations})
        self.stores = [Memory() for _ in range(partitions)]
        self.partitions: list[Partition] = []
        self.arrived: list[tuple[int, int]] = []
        self.kept: dict[tuple[object, ...], tuple[int, Row | None]] = {}
        self.restart()

    def restart(self) -> None:
        self.partitions = [Partition(n, default(), self.shaping, store) for n, store in enumerate(self.stores)]

    def see(self, *events: Event) -> "Graph":
        for event in events:
            self.work([messages.observe(event, default())])
        return self

    def see_together(self, *events: Event) -> None:
        """As one batch; only of a graph with one partition."""
        self.partitions[0].work([messages.observe(event, default()) for event in events])
        self._carry_out(0)

    def work(self, todo: list[messages.Message]) -> None:
        going = [(self.keys.owner(message.to), message) for message in todo]
        while going:
            number, message = going.pop(0)
            self.partitions[number].work(messages.unpack(messages.pack([message])))
            for other, forwarded in self._carry_out(number).items():
                going += [(other, message) for message in forwarded]

    def _carry_out(self, number: int) -> dict[int, list[messages.Message]]:
        effects = self.partitions[number].take()
        self.arrived += effects.arrived
        assert not effects.puts.keys() & effects.deletes
        self.stores[number].update(effects.puts)
        for key in effects.deletes:
            self.stores[number].pop(key, None)
        for fact, (version, row) in effects.facts.items():
            if version > self.kept.get(fact, (0, None))[0]:
                self.kept[fact] = version, row
        return effects.forwards

    def rows(self, table: str) -> list[Row]:
        return sorted((row for key, (_, row) in self.kept.items() if key[0] == table and row is not None), key=repr)

    def person(self, kind: str, value: str) -> bytes:
        return next(row[3] for row in self.rows("identifiers") if row[1:3] == (kind, value))

    def root(self, identifier: Identifier) -> Identifier:
        node = self.partitions[self.keys.owner(identifier)].nodes.get(identifier)
        return node.identifier if node.parent is None else self.root(node.parent)
