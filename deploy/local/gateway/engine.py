"""The embedded engine: a connection a request, so that settings, databases and read-only mode never leak.

Rules kept: a path is open in one process; every call blocks and belongs in a thread; what a request may not do is
refused by the engine's own read-only mode, and by `readonly.check` where that mode is known to have holes.
"""

import contextlib
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from chdb.state.sqlitelike import Connection

from deploy.local.gateway import readonly, rights
from deploy.local.gateway.connection import literal, prepare, send_insert
from deploy.local.gateway.errors import from_engine
from deploy.local.gateway.request import Query
from deploy.local.gateway.sessions import Sessions
from streams.errors import OneThreadError

# Formats whose blocks, written one by one, are equal to the whole: these results never lie in memory as a whole.
STREAMED = {"Native", "RowBinary"}
STREAMED_KINDS = {"SELECT", "WITH", "FROM"}
MEMORY_BYTES = 16 << 20  # of a result; what is larger lies in a temporary file


def spool() -> IO[bytes]:
    """A file that is memory until it grows."""
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(MEMORY_BYTES))


@dataclass
class Answer:
    """A complete result, and what the engine counted."""

    body: IO[bytes] = field(default_factory=spool)
    size: int = 0
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0

    def add(self, result: Any) -> None:
        """Append one of the engine's results, whole or a block of one."""
        self.size += self.body.write(result.bytes())
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()


class Engine:
    """One ClickHouse over one directory."""

    def __init__(self, path: Path, memory_bytes: int) -> None:
        """Open `path`; OneThreadError when another process has it open."""
        try:
            config = rights.write(path / "access")
            self._root = Connection(f"{path}?config-file={config}&max_server_memory_usage={memory_bytes}")
        except RuntimeError as error:
            raise OneThreadError(_why_not_opened(path, error)) from error
        self._sessions = Sessions(lambda: Connection(str(path)))
        self.version, self.timezone, self.host = self._rows("SELECT version(), timezone(), hostName()")[0]
        self.content_types = dict(self._rows("SELECT name, content_type FROM system.formats WHERE is_output"))
        self._table_functions = frozenset(
            row[0].lower() for row in self._rows("SELECT name FROM system.table_functions"))
        self._refused = readonly.refused_names(
            (row[0] for row in self._rows("SELECT name FROM system.table_functions WHERE NOT allow_readonly")),
            (row[0] for row in self._rows("SELECT name FROM system.functions WHERE categories = 'AI'")),
        )

    def run(self, query: Query) -> Answer:
        """Carry out one request; blocks.

        Errors: ClickHouseError with the engine's code.
        """
        try:
            if query.role:
                rights.check(query, query.role, self._table_functions)
            if query.readonly:
                readonly.check(query, self._refused, self._root)
            with self._sessions.connection(query) as connection:
                prepare(connection, query)
                return _insert(connection, query) if query.statement.takes_data else _select(connection, query)
        except RuntimeError as error:
            raise from_engine(str(error)) from error

    def cancel(self, query: Query) -> None:
        """Ask the engine to stop a request that runs in another thread; returns at once."""
        with contextlib.suppress(RuntimeError):
            self._root.query(f"KILL QUERY WHERE Settings['log_comment'] = {literal(query.query_id)} ASYNC", "Null")

    def close(self) -> None:
        """Close the path; the data on disk is complete then."""
        self._sessions.close()
        self._root.close()

    def _rows(self, sql: str) -> list[list[str]]:
        text = self._root.query(sql, "TabSeparatedRaw").bytes().decode()
        return [line.split("\t") for line in text.splitlines()]


def _select(connection: Connection, query: Query) -> Answer:
    answer = Answer()
    text = query.statement.text
    if query.format in STREAMED and query.statement.kind in STREAMED_KINDS:
        with connection.send_query(text, query.format) as blocks:
            for block in blocks:
                answer.add(block)
    else:
        # The binding's own method: the wrapper around it gives some formats a meaning in Python.
        answer.add(connection._conn.query(text, query.format))
    answer.body.seek(0)
    return answer


def _insert(connection: Connection, query: Query) -> Answer:
    assert query.statement.format is not None, "an INSERT that takes data names its format"
    rows, size = send_insert(connection, query.statement.text.decode(), query.statement.format, query.data())
    return Answer(written_rows=rows, written_bytes=size)


def _why_not_opened(path: Path, error: Exception) -> str:
    status = path / "status"
    holder = re.search(r"PID: (\d+)", status.read_text()) if status.exists() else None
    if "EmbeddedServer" in str(error) and holder:
        return f"ClickHouse path open elsewhere: {path} (by process {holder[1]}); stop that one or choose another path"
    return f"ClickHouse path cannot be opened: {path}: {error}"
