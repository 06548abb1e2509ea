"""What the loading stage knows of a rebuild: which rows go to its tables too.

A partition's rows belong to a rebuild from its milestone on (streams/core/resending.py); records of other topics from
the moment on when the milestone was met, those before are copied by whoever asked for the rebuild. What is noted in
ClickHouse tells a worker that takes a partition over.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sinks.clickhouse.columns import Rows
from sinks.clickhouse.rebuilding import BEGUN, Milestone, database_of
from sinks.clickhouse.writer import RebuildOver, Writer


class Rebuilding:
    """By partition: the rebuild that its rows go to, None where there is none; absent where that is not known yet."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._of: dict[int, Milestone | None] = {}
        self._to_note: list[tuple[Milestone, str]] = []

    def forget(self, partitions: Iterable[int]) -> None:
        """The partitions may have been another worker's."""
        for number in partitions:
            self._of.pop(number, None)

    def learn(self, partitions: Iterable[int]) -> None:
        """Before a group of batches of these partitions. Errors: Retryable while ClickHouse is away."""
        self._to_note = []
        unknown = set(partitions) - self._of.keys()
        if unknown:
            found = {milestone.partition: milestone for milestone in self._writer.rebuilds_begun()}
            self._of |= {number: found.get(number) for number in unknown}

    def meet(self, record: Any, name: str, state: str) -> None:
        """A milestone among the facts."""
        number, database = record.partition, database_of(name)
        known = self._of.get(number)
        if state == BEGUN and (known is None or known.database != database):
            is_there = database in self._writer.rebuilds()
            known = self._of[number] = Milestone(database, number, record.offset) if is_there else known
        if known and known.database == database:
            self._to_note.append((Milestone(database, number, record.offset), state))

    def database(self, record: Any, is_fact: bool) -> str | None:
        """Where the rows of a record go besides their own tables."""
        milestone = self._of.get(record.partition)
        return milestone.database if milestone and (not is_fact or record.offset > milestone.offset) else None

    def write(self, rows: Sequence[tuple[Rows, str | None]]) -> None:
        """Insert what belongs to rebuilds. One that has ended meanwhile is forgotten. Errors: as of `Writer.write`."""
        for database in {database for _, database in rows if database}:
            try:
                self._writer.write([one for one, where in rows if where == database], database)
            except RebuildOver:
                self._end(database)

    def note(self) -> None:
        """After all rows of a group: what its milestones say. Errors: Retryable while ClickHouse is away."""
        for milestone, state in self._to_note:
            try:
                self._writer.note_rebuild(milestone, state)
            except RebuildOver:
                self._end(milestone.database)

    def _end(self, database: str) -> None:
        for number, milestone in self._of.items():
            if milestone and milestone.database == database:
                self._of[number] = None
