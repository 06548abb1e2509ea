"""What the loading stage knows of a rebuild: which rows go to its tables too.

A partition's rows belong to a rebuild from its mark on (streams/core/resending.py); records of other topics from the
moment on when the mark was met, those before are copied by whoever asked for the rebuild. What is noted in ClickHouse
tells a worker that takes a partition over.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sinks.clickhouse.columns import Rows
from sinks.clickhouse.rebuilding import BEGUN, Mark, database_of
from sinks.clickhouse.writer import RebuildOver, Writer


class Rebuilding:
    """By partition: the rebuild that its rows go to, None where there is none; absent where that is not known yet."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._of: dict[int, Mark | None] = {}
        self._to_note: list[tuple[Mark, str]] = []

    def forget(self, partitions: Iterable[int]) -> None:
        """The partitions may have been another worker's."""
        for number in partitions:
            self._of.pop(number, None)

    def learn(self, partitions: Iterable[int]) -> None:
        """Before a group of batches of these partitions. Errors: Retryable while ClickHouse is away."""
        self._to_note = []
        unknown = set(partitions) - self._of.keys()
        if unknown:
            found = {mark.partition: mark for mark in self._writer.rebuilds_begun()}
            self._of |= {number: found.get(number) for number in unknown}

    def meet(self, record: Any, name: str, state: str) -> None:
        """A mark among the facts."""
        number, database = record.partition, database_of(name)
        known = self._of.get(number)
        if state == BEGUN and (known is None or known.database != database):
            is_there = database in self._writer.rebuilds()
            known = self._of[number] = Mark(database, number, record.offset) if is_there else known
        if known and known.database == database:
            self._to_note.append((Mark(database, number, record.offset), state))

    def database(self, record: Any, is_fact: bool) -> str | None:
        """Where the rows of a record go besides their own tables."""
        mark = self._of.get(record.partition)
        return mark.database if mark and (not is_fact or record.offset > mark.offset) else None

    def write(self, rows: Sequence[tuple[Rows, str | None]]) -> None:
        """Insert what belongs to rebuilds. One that has ended meanwhile is forgotten. Errors: as of `Writer.write`."""
        for database in {database for _, database in rows if database}:
            try:
                self._writer.write([one for one, where in rows if where == database], database)
            except RebuildOver:
                self._end(database)

    def note(self) -> None:
        """After all rows of a group: what its marks say. Errors: Retryable while ClickHouse is away."""
        for mark, state in self._to_note:
            try:
                self._writer.note_rebuild(mark, state)
            except RebuildOver:
                self._end(mark.database)

    def _end(self, database: str) -> None:
        for number, mark in self._of.items():
            if mark and mark.database == database:
                self._of[number] = None
