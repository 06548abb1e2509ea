"""An HTTP request read as ClickHouse reads it: what is query text, what is data, what is a setting.

Rules kept: the query is the `query` parameter, a line end, and the body; whatever parameter the interface itself does
not know is a setting and is judged by the engine; GET and HEAD imply readonly=2.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.statement import Statement, parse
from sinks.clickhouse.roles import Role

# Parameters of the HTTP interface; they are no settings.
INTERFACE = frozenset(
    (
        *("query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check"),
        *("close_session", "user", "password", "role", "quota_key", "compress", "decompress"),
        *("client_protocol_version", "buffer_size", "wait_end_of_query", "stacktrace"),
    )
)
STATEMENT_BYTES = 262144  # of a statement without data; the default of the setting max_query_size
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class External:
    """A table that comes with the request and lives as long as it."""

    name: str
    structure: str
    format: str
    data: bytes


@dataclass(frozen=True)
class Query:
    """What one request asks of the engine."""

    statement: Statement
    head: bytes
    rest: IO[bytes]
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    database: str | None
    default_format: str
    query_id: str
    externals: tuple[External, ...] = ()
    session_id: str | None = None
    session_timeout_s: int = 60
    session_check: bool = False
    role: Role | None = None
    """Whose rights it has; None: all."""

    @property
    def readonly(self) -> int:
        """0 writes, 1 only reads, 2 reads and may change settings."""
        if self.role:
            return 1
        return int(self.settings.get("readonly") or 0)

    @property
    def format(self) -> str:
        """The format of the answer."""
        inserts = self.statement.kind == "INSERT"
        return (None if inserts else self.statement.format) or self.default_format

    def data(self) -> Iterator[bytes]:
        """The inserted data, in pieces of about CHUNK_BYTES."""
        assert self.statement.takes_data, "only an INSERT with data has data"
        if piece := self.head[self.statement.data_at :]:
            yield piece
        while piece := self.rest.read(CHUNK_BYTES):
            yield piece


def read(
    method: str,
    given: Mapping[str, str],
    headers: Mapping[str, str],
    body: IO[bytes],
    files: Mapping[str, bytes] | None = None,
    role: Role | None = None,
) -> Query:
    """Read one request.

    Shape:  URL and form parameters, headers, the decompressed body at its start, uploaded tables by name -> Query.
    Errors: ClickHouseError for what cannot be read as one statement.
    """
    head = given.get("query", "").encode()
    head = head + b"\n" if head else b""
    limit = _whole("max_query_size", given.get("max_query_size"), STATEMENT_BYTES)
    head += body.read(limit)
    statement = parse(head)
    if not statement.takes_data and (len(head) > limit or body.read(1)):
        raise ClickHouseError(62, "SYNTAX_ERROR", f"Syntax error: Max query size exceeded: more than {limit} bytes")
    externals = tuple(_external(name, data, given) for name, data in (files or {}).items())
    ours = INTERFACE | {f"{table.name}_{part}" for table in externals for part in ("structure", "types", "format")}
    settings = {name: value for name, value in given.items() if name not in ours and not name.startswith("param_")}
    if method in ("GET", "HEAD") and settings.get("readonly", "0") == "0":
        settings["readonly"] = "2"
    if settings.get("readonly", "0") not in ("0", "1", "2"):
        raise ClickHouseError(36, "BAD_ARGUMENTS", "Setting readonly can be 0, 1 or 2")
    return Query(
        statement=statement,
        head=head,
        rest=body,
        settings=settings,
        parameters={name[6:]: value for name, value in given.items() if name.startswith("param_")},
        database=given.get("database") or headers.get("X-ClickHouse-Database") or None,
        default_format=given.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        query_id=given.get("query_id") or str(uuid.uuid4()),
        externals=externals,
        session_id=given.get("session_id") or None if role is None else None,
        session_timeout_s=_whole("session_timeout", given.get("session_timeout"), 60),
        session_check=given.get("session_check") == "1",
        role=role,
    )


def _external(name: str, data: bytes, given: Mapping[str, str]) -> External:
    structure = given.get(f"{name}_structure")
    if not structure and (types := given.get(f"{name}_types")):
        structure = ", ".join(f"_{number} {part}" for number, part in enumerate(_split(types), start=1))
    if not structure:
        raise ClickHouseError(36, "BAD_ARGUMENTS", f"Neither structure nor types have been provided for table {name}")
    return External(name, structure, given.get(f"{name}_format") or "TabSeparated", data)


def _split(types: str) -> list[str]:
    """The parts between commas that stand outside of brackets."""
    parts, depth = [""], 0
    for character in types:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _whole(name: str, text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal():
        raise ClickHouseError(36, "BAD_ARGUMENTS", f"{name} must be a whole number")
    return int(text)
