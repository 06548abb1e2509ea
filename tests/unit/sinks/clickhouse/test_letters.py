"""Dead letters as operators ask for them."""

from datetime import UTC, datetime, timedelta

from sinks.clickhouse.columns import Rows
from sinks.clickhouse.letters import Place, Wanted, counts, letters
from tests.unit.sinks.clickhouse.conftest import Engine

AT = datetime(2026, 2, 5, 10, tzinfo=UTC)
AT_MS = int(AT.timestamp() * 1000)


def row(partition: int, offset: int, reason: str, at_ms: int, raw: bytes | None = b"\x00\xff") -> list[object]:
    return [1, partition, offset, at_ms, reason, f"of {reason}", None, None, None, None, "day.jsonl:1", None, raw]


def test_letters_are_counted_found_and_known_as_sent_again(engine: Engine) -> None:
    engine.writer.write([
        Rows("dead_letters", [
            row(0, 1, "bad_time", AT_MS), row(1, 0, "bad_time", AT_MS + 1000), row(0, 2, "bad_json", AT_MS, None),
        ]),
        Rows("replays", [[AT_MS, 0, 1, AT_MS + 5000]]),
    ])
    found = counts(engine.client, Wanted())
    assert [(one.reason, one.letters, one.waiting, one.last_at, one.last) for one in found] == [
        ("bad_time", 2, 1, AT + timedelta(seconds=1), Place(1, 0)), ("bad_json", 1, 1, AT, Place(0, 2)),
    ]

    def places(wanted: Wanted, page: int = 1) -> list[str]:
        return [str(one.place) for one in letters(engine.client, wanted, page)]

    assert places(Wanted()) == ["0/1", "0/2", "1/0"]
    assert places(Wanted(reasons=["bad_time"], is_waiting=True)) == ["1/0"]
    assert places(Wanted(since=AT + timedelta(seconds=1)), 5) == ["1/0"]
    assert places(Wanted(places=[Place(0, 2), Place(9, 9)])) == ["0/2"]
    first, second, _ = letters(engine.client, Wanted())
    assert (first.at, first.replayed_at, first.raw) == (AT, AT + timedelta(seconds=5), b"\x00\xff")
    assert (second.replayed_at, second.raw, second.topic) == (None, None, None)
