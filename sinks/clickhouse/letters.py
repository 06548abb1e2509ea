"""Dead letters as operators ask for them: counted by reason, one by one, and those that wait for their way back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

PAGE = 200
"""Letters of one answer: each may hold 900 KB, most hold less than one."""


class Place(NamedTuple):
    """Where a letter lies in the topic `dead-letters`; written 2/1043."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"


class Letter(NamedTuple):
    """A dead letter; topic None: refused before Kafka; raw None: the bytes were not kept."""

    place: Place
    at: datetime
    reason: str
    detail: str
    topic: str | None
    partition: int | None
    offset: int | None
    schema_id: int | None
    source: str | None
    event_id: str | None
    raw: bytes | None
    replayed_at: datetime | None


class Count(NamedTuple):
    """Letters of one reason and detail. `waiting` were not sent again; `last` is where the latest lies."""

    reason: str
    detail: str
    letters: int
    waiting: int
    first_at: datetime
    last_at: datetime
    last: Place


@dataclass(frozen=True)
class Wanted:
    """Which letters; what is empty or None asks for all."""

    reasons: Sequence[str] = ()
    since: datetime | None = None
    places: Sequence[Place] = ()
    is_waiting: bool = False
    """Only those that were not sent again."""

    @property
    def where(self) -> str:
        """The condition; values travel as parameters."""
        tests = ["1"]
        if self.reasons:
            tests.append("reason IN {reasons:Array(String)}")
        if self.since:
            tests.append("at >= {since:DateTime64(3, 'UTC')}")
        if self.places:
            tests.append("(letter_partition, letter_offset) IN {places:Array(Tuple(UInt64, UInt64))}")
        if self.is_waiting:
            tests.append("replayed_at IS NULL")
        return " AND ".join(tests)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"reasons": list(self.reasons), "since": self.since, "places": [tuple(place) for place in self.places]}


def counts(client: Client, wanted: Wanted) -> list[Count]:
    """Letters by reason and detail, the most first. Errors: clickhouse_connect's DatabaseError, here and below."""
    rows = client.query(f"""
        SELECT reason, detail, count() AS letters, countIf(replayed_at IS NULL), min(at), max(at),
            argMax((letter_partition, letter_offset), (at, letter_partition, letter_offset))
        FROM onethread.dead_letters WHERE {wanted.where}
        GROUP BY reason, detail ORDER BY letters DESC, reason, detail""", wanted.parameters).result_rows
    return [Count(reason, detail, letters, waiting, _utc(first_at), _utc(last_at), Place(*last))
            for reason, detail, letters, waiting, first_at, last_at, last in rows]


def letters(client: Client, wanted: Wanted, page: int = PAGE) -> Iterator[Letter]:
    """Letters in the order of their places, page by page, so that memory is bounded."""
    after = (-1, -1)
    while True:
        rows = client.query(f"""
            SELECT letter_partition, letter_offset, at, reason, detail, topic, partition, offset, schema_id, source,
                event_id, raw, replayed_at
            FROM onethread.dead_letters WHERE {wanted.where}
                AND (toInt64(letter_partition), toInt64(letter_offset)) > {{after:Tuple(Int64, Int64)}}
            ORDER BY letter_partition, letter_offset LIMIT {page}""",
            {**wanted.parameters, "after": after}, column_formats={"raw": "bytes"},
        ).result_rows
        for partition, offset, at, *told in rows:
            told[-1] = told[-1] and _utc(told[-1])
            yield Letter(Place(partition, offset), _utc(at), *told)
        if len(rows) < page:
            return
        after = rows[-1][0], rows[-1][1]


def _utc(at: datetime) -> datetime:
    """The driver leaves the zone out where it is UTC."""
    return at.replace(tzinfo=at.tzinfo or UTC)
