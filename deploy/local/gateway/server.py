"""The HTTP side: requests to the engine's threads, answers and exceptions with their headers.

Rules kept: an answer starts when its result is complete, so an exception never looks like rows; a client that goes away
has its query stopped; logs hold kinds, times and codes, never query text.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiohttp import web

from deploy.local.gateway import access, encodings
from deploy.local.gateway.engine import Answer, Engine, spool
from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.request import CHUNK_BYTES, Query, read
from deploy.local.gateway.upload import receive
from deploy.local.gateway.users import Users

# So many long queries may run before a short one waits; the engine shares the cores among them.
THREADS = 64

log = structlog.get_logger()


class Gateway:
    """The routes of one engine."""

    def __init__(self, engine: Engine, users: Users) -> None:
        self._engine, self._users = engine, users
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")
        self._running: dict[str, Query] = {}

    def application(self) -> web.Application:
        """The routes: `/`, `/ping`, `/replicas_status`."""
        app = web.Application()
        app.router.add_route("*", "/", self.query)
        app.router.add_get("/ping", self.ping)
        app.router.add_get("/replicas_status", self.ping)
        return app

    def stop_queries(self) -> None:
        """Ask the engine to stop whatever runs."""
        for query in list(self._running.values()):
            self._engine.cancel(query)

    async def ping(self, _: web.Request) -> web.Response:
        """Says that the gateway takes queries."""
        return web.Response(text="Ok.\n", content_type="text/html")

    async def query(self, request: web.Request) -> web.StreamResponse:
        """Carry out one request."""
        if request.method in ("GET", "HEAD") and not request.query_string:
            return await self.ping(request)
        started = time.monotonic()
        query_id = request.query.get("query_id", "")
        seen = {"kind": "", "rows": 0, "code": 0}
        try:
            with spool() as body:
                role = await asyncio.to_thread(access.check, request.headers, request.query, self._users)
                form = await receive(request, body)
                given = {**request.query, **form.fields}
                query = await asyncio.to_thread(
                    read, request.method, given, request.headers, body, form.files, role)
                query_id, seen["kind"] = query.query_id, query.statement.kind
                answer = await self._run(query)
            seen["rows"] = answer.written_rows or answer.result_rows
            with answer.body:
                return await self._send(request, query, answer, time.monotonic() - started)
        except ClickHouseError as error:
            seen["code"] = error.code
            return self._exception(error, query_id)
        finally:
            log.info("query", ms=round((time.monotonic() - started) * 1000), **seen)

    async def _run(self, query: Query) -> Answer:
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._engine.run, query)
        self._running[query.query_id] = query
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # The client went away. The body's file must outlive the thread that reads it, so wait for the stop.
            self._engine.cancel(query)
            await asyncio.wait([work])
            raise
        finally:
            self._running.pop(query.query_id, None)

    async def _send(self, request: web.Request, query: Query, answer: Answer, seconds: float) -> web.StreamResponse:
        headers = self._headers(query.query_id)
        headers["X-ClickHouse-Summary"] = _summary(answer, seconds)
        headers["X-ClickHouse-Format"] = query.format
        headers["X-ClickHouse-Timezone"] = query.settings.get("session_timezone") or self._engine.timezone
        headers["Content-Type"] = self._engine.content_types.get(query.format) or "text/plain; charset=UTF-8"
        names = _encodings(request, query) if answer.size else []
        if names and names[-1] != encodings.BLOCKS:
            headers["Content-Encoding"] = names[-1]
        pieces = _compressed(answer, names)
        if answer.size <= CHUNK_BYTES:
            return web.Response(body=b"".join(pieces), headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    def _exception(self, error: ClickHouseError, query_id: str) -> web.Response:
        headers = self._headers(query_id)
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        headers["Content-Type"] = "text/plain; charset=UTF-8"
        return web.Response(status=error.status, body=error.body(self._engine.version), headers=headers)

    def _headers(self, query_id: str) -> dict[str, str]:
        return {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Server-Display-Name": self._engine.host}


def _encodings(request: web.Request, query: Query) -> list[str]:
    """The encodings of the answer, in the order they are put on."""
    names = [encodings.BLOCKS] if request.query.get("compress") == "1" else []
    if query.settings.get("enable_http_compression") == "1":
        name = encodings.accepted(request.headers.get("Accept-Encoding", ""))
        names += [name] if name else []
    return names


def _compressed(answer: Answer, names: list[str]) -> Iterator[bytes]:
    pieces = iter(lambda: answer.body.read(CHUNK_BYTES), b"")
    for name in names:
        pieces = _encoded(pieces, name)
    return pieces


def _encoded(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    encoder = encodings.encoder(name)
    yield from filter(None, map(encoder.compress, pieces))
    if end := encoder.flush():
        yield end


def _summary(answer: Answer, seconds: float) -> str:
    counted = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "total_rows_to_read": answer.read_rows,
        "result_rows": answer.result_rows or answer.written_rows,
        "result_bytes": answer.size,
        "elapsed_ns": int(seconds * 1e9),
    }
    return json.dumps({name: str(value) for name, value in counted.items()}, separators=(",", ":"))
