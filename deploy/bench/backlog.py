"""End to end: workers start before a full log and work until every row is in ClickHouse."""

import time
from dataclasses import dataclass

from deploy.bench.stack import Say, Worker
from deploy.bench.watch import Look, Watch
from deploy.local.ports import Addresses
from deploy.local.settle import settle
from deploy.local.status import BOOKS_SQL
from sinks.clickhouse.client import connect
from streams.errors import OneThreadError
from streams.settings import Settings

SETTLE_S_MAX = 600.0
ROWS = "onethread_clickhouse_rows_total"
EVENTS = "onethread_events_in_total"
EDGE = 0.1
"""Of all rows, those at the start and those at the end that do not count for the sustained rate."""
MIDDLE_S_MIN = 1.0
STAGES = ("ingest", "stitch", "load")
STEPS = ("handle", "commit")


@dataclass(frozen=True)
class Backlog:
    """What came of it.

    `middle_s` is the time in which ClickHouse got the middle four fifths of all rows: all parts work in it, while
    `seconds` also holds the first fetches and the last, small groups. `stages` holds of each stage its groups, and the
    time a group took: with the other stages' turns in between, so the sum of all is more than the time that passed.
    """

    seconds: float
    middle_s: float
    books: dict[str, int]
    identifiers: int
    persons: int
    stages: dict[str, dict[str, float]]
    rows_written: int

    def sustained_s(self, events: int) -> float | None:
        """Events a second in the middle; None where that is too short for looks a quarter of a second apart."""
        return events * (1 - 2 * EDGE) / self.middle_s if self.middle_s >= MIDDLE_S_MIN else None


def measure(
    addresses: Addresses, workers: list[Worker], watch: Watch, settings: Settings, events: int, say: Say,
) -> Backlog:
    """Wait until all is consumed and visible.

    Errors: OneThreadError where a worker ends, nothing moves, or the touchpoints are not as many as the events.
    """
    done = 0.0
    while done < events:
        for worker in workers:
            worker.check()
        done = watch.looks[-1].total(EVENTS) if watch.looks else 0.0
        say(f"consuming, {done:,.0f} of {events:,} events read")
        time.sleep(0.5)
    lagging = settle(addresses.kafka_bootstrap, settings, SETTLE_S_MAX)
    if lagging:
        raise OneThreadError(f"not settled after {SETTLE_S_MAX:.0f} s; records left by topic: {lagging}")
    return _result(addresses, watch, events)


def _result(addresses: Addresses, watch: Watch, events: int) -> Backlog:
    last = watch.look()
    assert last is not None, "the workers answer"
    watch.looks.append(last)
    client = connect(addresses.clickhouse_url)
    books = {name: int(value) for name, value in _first(client.query(_books_sql())).items()}
    if books["touchpoints"] != events or books["difference"]:
        raise OneThreadError(f"expected {events} touchpoints and balanced books; came {books}")
    return Backlog(
        seconds=_when(watch, 1.0) - _start(watch),
        middle_s=_when(watch, 1 - EDGE) - _when(watch, EDGE),
        books=books,
        identifiers=client.query("SELECT count() FROM onethread.identifiers").result_rows[0][0],
        persons=client.query("SELECT count() FROM onethread.persons").result_rows[0][0],
        stages={stage: _stage(last, stage) for stage in STAGES},
        rows_written=int(last.total(ROWS)),
    )


def _stage(look: Look, stage: str) -> dict[str, float]:
    groups = max(1.0, look.total("onethread_batch_records_count", stage=stage))
    seconds = {f"{step}_ms": look.total("onethread_batch_seconds_sum", stage=stage, step=step) / groups * 1000
               for step in STEPS}
    return {"groups": groups, "records": look.total("onethread_batch_records_sum", stage=stage) / groups, **seconds}


def _start(watch: Watch) -> float:
    """The last look at which nothing had been read: at most a quarter of a second early."""
    return max((look.at for look in watch.looks if not look.total(EVENTS)), default=watch.looks[0].at)


def _when(watch: Watch, share: float) -> float:
    """The first look at which ClickHouse had this share of all rows."""
    rows = share * watch.looks[-1].total(ROWS)
    return next(look.at for look in watch.looks if look.total(ROWS) >= rows)


def _books_sql() -> str:
    books = BOOKS_SQL.replace("{types}", "['']").replace("FORMAT JSONEachRow", "")
    return f"SELECT in, touchpoints, duplicates, dead_letters, unidentifiable, difference FROM ({books})"  # noqa: S608


def _first(result: object) -> dict[str, int]:
    return dict(next(iter(result.named_results())))  # type: ignore[attr-defined]
