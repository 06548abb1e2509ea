"""What a connection is told before a request runs on it, and how data goes into one.

Rules kept: values reach the engine as SET and never by editing the statement; read-only mode is set last, when nothing
but the statement itself is left to run.
"""

import re
from collections.abc import Iterable, Mapping

from chdb.state.sqlitelike import Connection

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.request import External, Query

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
# The engine starts as the command-line tool does; a server has these off.
_AS_A_SERVER = {"implicit_select": "0", "allow_introspection_functions": "0", "dialect": "clickhouse"}


def prepare(connection: Connection, query: Query) -> None:
    """Give the connection the request's database, settings, parameters and tables.

    Errors: ClickHouseError or the engine's RuntimeError for what it does not know or refuses; nothing is set then.
    """
    if query.role:  # before anything of the request: from here on the engine judges by the role's rights
        connection.query(f"SET ROLE {query.role.name}", "Null")
    if query.database:
        connection.query(f"USE {identifier(query.database)}", "Null")
    settings = {**query.settings, **_AS_A_SERVER, "log_comment": query.query_id}
    settings.update({f"param_{name}": value for name, value in query.parameters.items()})
    settings.pop("readonly", None)
    connection.query(assignment(settings), "Null")
    for table in query.externals:
        _attach(connection, table)
    if query.role:
        limits = {name: str(value) for name, value in query.role.limits.items()}
        connection.query(assignment(limits), "Null")
    if query.readonly:
        connection.query(f"SET readonly = {query.readonly}", "Null")


def send_insert(connection: Connection, text: str, form: str, data: Iterable[bytes]) -> tuple[int, int]:
    """Insert `data` in the format `form`; rows and bytes written. Nothing is written when the data cannot be read.

    Errors: RuntimeError with the engine's message.
    """
    with connection.send_insert(text, form) as insert:
        for piece in data:
            insert.append(piece)
        done = insert.finish()
    return done.rows_written, done.bytes_written


def _attach(connection: Connection, table: External) -> None:
    name = identifier(table.name)
    connection.query(f"CREATE TEMPORARY TABLE {name} ({table.structure}) ENGINE = Memory", "Null")
    send_insert(connection, f"INSERT INTO {name}", table.format, [table.data])


def assignment(settings: Mapping[str, str]) -> str:
    """SET for these names and values; a name that cannot be one is refused as unknown."""
    for name in settings:
        if not _NAME.match(name):
            raise ClickHouseError(115, "UNKNOWN_SETTING", f"Unknown setting {literal(name)}")
    return "SET " + ", ".join(f"{name} = {literal(value)}" for name, value in settings.items())


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
