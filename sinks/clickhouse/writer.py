"""Rows into ClickHouse: one columnar insert a table and call, and what a failure means.

Repeating an insert is harmless (versions decide), so a failure that waiting can mend is `Retryable` and the caller
does the whole call again. Any other stops the process: the same rows would fail for ever, and skipping them would make
the views wrong in silence. Neither messages nor logs quote what ClickHouse says, because it may quote the rows.
"""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, Error, OperationalError

from sinks.clickhouse import rebuilding
from sinks.clickhouse.client import RETRYABLE_CODES, connect
from sinks.clickhouse.columns import DATABASE, TABLES, Rows, physical, to_arrow
from streams import metrics
from streams.errors import Retryable

INSERT_S_MAX = 30
"""A server that takes longer is one that is away; the insert may have been done, and is done again."""

INSERTS_AT_ONCE = 4
"""An insert is mostly waiting: 10 to 40 ms for ClickHouse to write a part, whatever its size, for each of a dozen
tables."""

RETRY_MIN_S = 0.5
RETRY_MAX_S = 30.0

INSERT_SETTINGS = {
    "async_insert": 0,         # an acknowledged insert must be in a part, not in a buffer
    "insert_deduplicate": 0,   # versions make repeats harmless; two equal blocks must never pass for one
    "distributed_foreground_insert": 1,  # of a cluster, every shard has its rows; on one server it means nothing
    "wait_end_of_query": 1,    # errors come as a status, not in the middle of a body
}

log = structlog.get_logger()


class InsertRefused(Exception):  # noqa: N818 - it says what happened
    """ClickHouse refuses rows that waiting will not mend: our tables and its tables disagree."""


class RebuildOver(Exception):  # noqa: N818 - it says what happened
    """The rebuild that rows were meant for has ended: its tables are gone."""


_GONE_CODES = frozenset({60, 81})
"""UNKNOWN_TABLE, UNKNOWN_DATABASE"""

Result = TypeVar("Result")


class Writer:
    """Inserts rows; connects at first use and again after a failure."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._failures = 0
        self._connecting = threading.Lock()
        self._threads = ThreadPoolExecutor(INSERTS_AT_ONCE, "insert")

    def write(self, groups: Iterable[Rows], database: str = DATABASE) -> None:
        """Insert all rows, one insert a table; blocks.

        Errors: Retryable with a back-off that doubles from 0.5 s to 30 s at each failure in a row; InsertRefused;
        RebuildOver where the database is a rebuild's that has ended; TypeError where a value is not of its column's
        type.
        """
        by_table: dict[str, list[Rows]] = {}
        for group in groups:
            if group.upserts or group.tombstones:
                by_table.setdefault(group.table, []).append(group)
        inserts = {table: self._threads.submit(self._insert, database, table, rows)
                   for table, rows in by_table.items()}
        wait(inserts.values())
        for table, insert in inserts.items():
            try:
                insert.result()
            except ClickHouseError as error:
                raise self._meaning(table, error, database) from None
        self._failures = 0

    def rebuilds(self) -> list[str]:
        """The databases of rebuilds under way. Errors: Retryable, InsertRefused, here and below."""
        return [rebuilding.database_of(name) for name in self._asked(rebuilding.under_way)]

    def rebuilds_begun(self) -> list[rebuilding.Milestone]:
        """From where on rows go to a rebuild too. Of one that ends at this moment nothing is told."""
        try:
            return self._asked(rebuilding.begun, rebuilding.PREFIX)
        except RebuildOver:
            return []

    def note_rebuild(self, milestone: rebuilding.Milestone, state: str) -> None:
        """Errors: RebuildOver too."""
        database, partition, offset = milestone
        self._asked(lambda client: rebuilding.note(client, database, partition, state, offset), database)

    def _asked(self, ask: Callable[[Client], Result], database: str = DATABASE) -> Result:
        try:
            return ask(self._connected())
        except ClickHouseError as error:
            raise self._meaning("rebuild", error, database) from None

    def _insert(self, database: str, table: str, rows: list[Rows]) -> None:
        arrow = to_arrow(TABLES[table], rows)
        started = time.perf_counter()
        self._connected().insert_arrow(f"{database}.{physical(table)}", arrow, settings=INSERT_SETTINGS)
        metrics.CLICKHOUSE_INSERT_SECONDS.labels(table).observe(time.perf_counter() - started)
        metrics.CLICKHOUSE_ROWS.labels(table).inc(len(arrow))

    def _connected(self) -> Client:
        """One client serves all threads: it keeps no session."""
        with self._connecting:
            if self._client is None:
                self._client = connect(self._url, INSERT_S_MAX)
            return self._client

    def _meaning(self, table: str, error: ClickHouseError, database: str = DATABASE) -> Exception:
        """What the caller is told: try again, or stop."""
        code = error.code if isinstance(error, Error) else None
        if database != DATABASE and code in _GONE_CODES:
            return RebuildOver(database)
        word = "network" if code is None else str(code)
        metrics.CLICKHOUSE_ERRORS.labels(word).inc()
        # Without a code it is the network, a proxy, or the driver, which cannot make a request of such rows.
        mends = code in RETRYABLE_CODES if code is not None else (
            isinstance(error, OperationalError) or type(error) is DatabaseError
        )
        if not mends:
            name = getattr(error, "name", None)
            log.critical("clickhouse_insert_refused", table=table, code=code, name=name)
            return InsertRefused(f"ClickHouse refuses rows of {table} with code {code} ({name}): expected the tables "
                                 "of this version; apply its migrations, or report it")
        metrics.CLICKHOUSE_RETRIES.labels(word).inc()
        if isinstance(error, OperationalError):
            self._client = None
        wait_s = min(RETRY_MAX_S, RETRY_MIN_S * 2**self._failures)
        self._failures += 1
        return Retryable(f"ClickHouse does not take rows of {table} (code {code})", wait_s)
