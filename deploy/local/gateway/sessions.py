"""Sessions: what SET, USE and temporary tables leave behind for the next request with the same session_id.

Rules kept: one request at a time in a session, as in a server; settings of a request's URL end with the request; a
read-only request gets a connection of its own with the session's settings and database, since read-only mode cannot be
left again (so it does not see the session's temporary tables).
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chdb.state.sqlitelike import Connection

from deploy.local.gateway.connection import identifier
from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.request import Query

TIMEOUT_MAX_S = 3600  # ClickHouse's own


@dataclass
class Session:
    """One session; `connection` exists once a statement left something behind."""

    connection: Connection | None = None
    database: str = "default"
    assignments: list[bytes] = field(default_factory=list)
    ends_at: float = 0.0
    busy: bool = False

    def apply(self, connection: Connection) -> None:
        """Give the connection what SET and USE have left."""
        for text in self.assignments:
            connection.query(text, "Null")
        connection.query(f"USE {identifier(self.database)}", "Null")

    def note(self, query: Query, connection: Connection) -> None:
        """Remember what the statement that just ran leaves behind."""
        if query.statement.kind == "SET":
            self.assignments = [text for text in self.assignments if text != query.statement.text]
            self.assignments.append(query.statement.text)
        elif query.statement.kind == "USE":
            self.database = connection.query("SELECT currentDatabase()", "TabSeparatedRaw").bytes().decode().strip()


class Sessions:
    """The sessions of one engine, and connections for requests that have none."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._open: dict[str, Session] = {}
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def connection(self, query: Query) -> Iterator[Connection]:
        """The connection for one request; it belongs to the request until the block ends.

        Errors: ClickHouseError SESSION_IS_LOCKED (373), SESSION_NOT_FOUND (372).
        """
        if query.session_id is None:
            with self._fresh() as connection:
                yield connection
            return
        session = self._take(query, query.session_id)
        try:
            with self._of(session, query) as connection:
                yield connection
        finally:
            session.ends_at = time.monotonic() + min(query.session_timeout_s, TIMEOUT_MAX_S)
            session.busy = False

    def close(self) -> None:
        """End all sessions."""
        with self._guard:
            for session in self._open.values():
                if session.connection is not None:
                    session.connection.close()
            self._open.clear()

    @contextlib.contextmanager
    def _fresh(self) -> Iterator[Connection]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def _of(self, session: Session, query: Query) -> Iterator[Connection]:
        if session.connection is None and query.statement.leaves_state:
            session.connection = self._connect()
        if session.connection is None or query.readonly:
            with self._fresh() as connection:
                session.apply(connection)
                yield connection
            return
        try:
            yield session.connection
            session.note(query, session.connection)
        finally:
            _take_back(session.connection, query)
            session.apply(session.connection)

    def _take(self, query: Query, name: str) -> Session:
        with self._guard:
            self._expire()
            session = self._open.get(name)
            if session is None:
                if query.session_check:
                    raise ClickHouseError(372, "SESSION_NOT_FOUND", "Session not found")
                session = self._open[name] = Session()
            if session.busy:
                raise ClickHouseError(373, "SESSION_IS_LOCKED", "Session is locked by a concurrent client")
            session.busy = True
            return session

    def _expire(self) -> None:
        now = time.monotonic()
        for name, session in list(self._open.items()):
            if not session.busy and session.ends_at < now:
                del self._open[name]
                if session.connection is not None:
                    session.connection.close()


def _take_back(connection: Connection, query: Query) -> None:
    names = [f"{name} = DEFAULT" for name in query.settings if name != "readonly"]
    # The engine sets all or nothing: where a name is unknown, there is nothing to take back.
    with contextlib.suppress(RuntimeError):
        connection.query("SET " + ", ".join(names), "Null")
