"""What has to leave a partition after a batch: rows, messages, state. The shell commits all of it at once."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from streams.core.event import Identifier
from streams.core.facts import MILESTONE, TABLES, Facts, Row
from streams.core.messages import Message

ROWS_MAX = 500
"""Of one Kafka record."""


class Merge(NamedTuple):
    person_id: bytes
    other_person_id: bytes
    action: str
    reason: str


@dataclass
class Effects:
    """Facts by (table, *key) -> (version, row or None for a tombstone); forwards by partition; changed records."""

    facts: dict[tuple[object, ...], tuple[int, Row | None]] = field(default_factory=dict)
    resent: dict[tuple[object, ...], tuple[int, Row]] = field(default_factory=dict)
    """Rows as they were, for a sink that is filled anew: they change nothing."""
    begun: list[str] = field(default_factory=list)
    """Rebuilds for which this partition sends its rows again from here on."""
    ended: list[str] = field(default_factory=list)
    """Rebuilds for which it has sent all of them."""
    forwards: dict[int, list[Message]] = field(default_factory=lambda: defaultdict(list))
    puts: dict[bytes, bytes] = field(default_factory=dict)
    deletes: set[bytes] = field(default_factory=set)
    shared: list[tuple[Identifier, int]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    """Identifiers of clusters that changed."""
    met: list[int] = field(default_factory=list)
    """Partners of shared identifiers that were seen again."""
    duplicates: int = 0
    arrived: list[tuple[int, int]] = field(default_factory=list)
    """(occurred_ms, received_ms) of events kept for the first time."""
    swept: tuple[int, int, bool] | None = None
    """(version, nodes brought to it so far, whether that was all) of a policy's sweep."""

    def packed_facts(self) -> list[Facts]:
        """The facts as they travel: at most ROWS_MAX rows of one table together. Who sends them minds the bytes.

        Times of what arrived go with the last of the rows that show it. A rebuild's begin comes before all rows, its
        end after them.
        """
        by_table: dict[str, Facts] = {}
        packed = [Facts(MILESTONE, [(name, "begun")], []) for name in self.begun]
        for key, (version, row) in chain(self.facts.items(), self.resent.items()):
            table = str(key[0])
            batch = by_table.get(table)
            if batch is None or len(batch.upserts) + len(batch.tombstones) >= ROWS_MAX:
                batch = by_table[table] = Facts(table, [], [])
                packed.append(batch)
            if row is None:
                batch.tombstones.append((version, *key[1:]))
            else:
                batch.upserts.append((version, *row))
        assert by_table.keys() <= TABLES.keys(), "a fact of a table that does not exist"
        if self.arrived and packed:
            by_table.get("touchpoints", packed[-1]).arrived = self.arrived
        return packed + [Facts(MILESTONE, [(name, "ended")], []) for name in self.ended]
