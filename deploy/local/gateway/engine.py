"""The embedded engine: one connection a request, so that settings, databases and read-only mode never leak.

Rules kept: a path is open in one process; every call blocks and belongs in a thread; what a request may not do is
refused by the engine's own read-only mode, and by `readonly.check` where that mode is known to have holes.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chdb.state.sqlitelike import Connection

from deploy.local.gateway import readonly
from deploy.local.gateway.errors import ClickHouseError, from_engine
from deploy.local.gateway.request import Query
from streams.errors import OneThreadError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
# The engine starts as the command-line tool does; a server has these off.
_AS_A_SERVER = {"implicit_select": "0", "allow_introspection_functions": "0", "dialect": "clickhouse"}


@dataclass(frozen=True)
class Answer:
    """The bytes of a result and what the engine counted."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0


class Engine:
    """One ClickHouse over one directory."""

    def __init__(self, path: Path, memory_bytes: int) -> None:
        """Open `path`; OneThreadError when another process has it open."""
        self._path = path
        path.mkdir(parents=True, exist_ok=True)
        try:
            self._root = Connection(f"{path}?max_server_memory_usage={memory_bytes}")
        except RuntimeError as error:
            raise OneThreadError(_why_not_opened(path, error)) from error
        self.version, self.timezone, self.host = self._row("SELECT version(), timezone(), hostName()")
        self.content_types = dict(self._rows("SELECT name, content_type FROM system.formats WHERE is_output"))
        self._refused = readonly.refused_names(
            (row[0] for row in self._rows("SELECT name FROM system.table_functions WHERE NOT allow_readonly")),
            (row[0] for row in self._rows("SELECT name FROM system.functions WHERE categories = 'AI'")),
        )

    def run(self, query: Query) -> Answer:
        """Carry out one request; blocks.

        Errors: ClickHouseError with the engine's code.
        """
        if query.readonly:
            readonly.check(query, self._refused, self._root)
        with self._connection(query) as connection:
            if query.statement.data_at is not None:
                return _insert(connection, query)
            return _select(connection, query)

    def cancel(self, query_id: str) -> None:
        """Ask the engine to stop the request of that id; returns at once."""
        with contextlib.suppress(RuntimeError):
            self._root.query(f"KILL QUERY WHERE Settings['log_comment'] = {quoted(query_id)} ASYNC", "Null")

    def close(self) -> None:
        """Close the path; the data on disk is complete then."""
        self._root.close()

    @contextlib.contextmanager
    def _connection(self, query: Query) -> Iterator[Connection]:
        connection = Connection(str(self._path))
        try:
            prepare(connection, query)
            yield connection
        except RuntimeError as error:
            raise from_engine(str(error)) from error
        finally:
            connection.close()

    def _rows(self, sql: str) -> list[list[str]]:
        text = self._root.query(sql, "TabSeparatedRaw").bytes().decode()
        return [line.split("\t") for line in text.splitlines()]

    def _row(self, sql: str) -> list[str]:
        return self._rows(sql)[0]


def prepare(connection: Connection, query: Query) -> None:
    """Give the connection the request's database, settings and parameters; read-only comes last and stays."""
    if query.database:
        connection.query(f"USE {identifier(query.database)}", "Null")
    settings = {"log_comment": query.query_id, **query.settings, **_AS_A_SERVER}
    settings.update({f"param_{name}": value for name, value in query.parameters.items()})
    settings.pop("readonly", None)
    if query.readonly:
        settings["readonly"] = str(query.readonly)
    connection.query(set_statement(settings), "Null")


def set_statement(settings: Mapping[str, str]) -> str:
    """SET for these names and values; a name that cannot be one is refused as unknown."""
    for name in settings:
        if not _NAME.match(name):
            raise ClickHouseError(115, "UNKNOWN_SETTING", f"Unknown setting {quoted(name)}")
    return "SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items())


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _select(connection: Connection, query: Query) -> Answer:
    # The binding's own method: the wrapper around it gives some formats a meaning in Python.
    result: Any = connection._conn.query(query.statement.text, query.format)
    return Answer(
        result.bytes(),
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        result_rows=result.rows_read(),
    )


def _insert(connection: Connection, query: Query) -> Answer:
    assert query.statement.format is not None, "an INSERT with data names its format"
    with connection.send_insert(query.statement.text.decode(), query.statement.format) as insert:
        for piece in query.data():
            insert.append(piece)
        done = insert.finish()
    return Answer(b"", written_rows=done.rows_written, written_bytes=done.bytes_written)


def _why_not_opened(path: Path, error: Exception) -> str:
    status = path / "status"
    if status.exists() and (pid := re.search(r"PID: (\d+)", status.read_text())) and _alive(int(pid[1])):
        return f"ClickHouse path open elsewhere: {path} (by process {pid[1]}); stop it or choose another path"
    return f"ClickHouse path cannot be opened: {path}: {error}"


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
