"""The HTTP side: bodies to temporary files, requests to the engine's threads, answers and exceptions with headers.

Rules kept: an answer starts when its result is complete, so an exception never looks like rows; a client that goes away
has its query stopped; logs hold kinds, times and codes, never query text.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, cast

import structlog
from aiohttp import web

from deploy.local.gateway import encodings
from deploy.local.gateway.engine import Answer, Engine
from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.request import Query, read

MEMORY_BYTES = 16 << 20  # of a request's body; what is larger lies in a file
THREADS = 16

log = structlog.get_logger()


class Gateway:
    """The routes of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")

    def application(self) -> web.Application:
        """The routes: `/`, `/ping`, `/replicas_status`."""
        app = web.Application()
        app.router.add_route("*", "/", self.query)
        app.router.add_get("/ping", self.ping)
        app.router.add_get("/replicas_status", self.ping)
        return app

    async def ping(self, _: web.Request) -> web.Response:
        """Says that the engine takes queries."""
        return web.Response(text="Ok.\n", content_type="text/html")

    async def query(self, request: web.Request) -> web.Response:
        """Carry out one request."""
        if request.method in ("GET", "HEAD") and not request.query_string:
            return await self.ping(request)
        started = time.monotonic()
        query_id = request.query.get("query_id", "")
        kind, rows, error = "", 0, None
        try:
            with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as file:
                body = cast(IO[bytes], file)
                await _receive(request, body)
                query = read(request.method, request.query.items(), request.headers, body)
                kind, query_id = query.statement.kind, query.query_id
                answer = await self._run(query)
                rows = answer.written_rows or answer.result_rows
                return self._answer(request, query, answer, time.monotonic() - started)
        except ClickHouseError as failed:
            error = failed
            return self._exception(failed, query_id)
        finally:
            log.info("query", kind=kind, ms=_ms(started), rows=rows, code=error.code if error else 0)

    async def _run(self, query: Query) -> Answer:
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._engine.run, query)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # The client went away. The body's file must outlive the thread that reads it, so wait for the stop.
            self._engine.cancel(query.query_id)
            await asyncio.wait([work])
            raise

    def _answer(self, request: web.Request, query: Query, answer: Answer, seconds: float) -> web.Response:
        headers = self._headers(query.query_id)
        headers["X-ClickHouse-Summary"] = _summary(answer, seconds)
        headers["X-ClickHouse-Format"] = query.format
        headers["X-ClickHouse-Timezone"] = query.settings.get("session_timezone") or self._engine.timezone
        headers["Content-Type"] = self._engine.content_types.get(query.format) or "text/plain; charset=UTF-8"
        body = answer.body
        if query.settings.get("enable_http_compression") == "1":
            encoding = encodings.accepted(request.headers.get("Accept-Encoding", ""))
            if encoding and body:
                body = encodings.ENCODERS[encoding](body)
                headers["Content-Encoding"] = encoding
        return web.Response(body=body, headers=headers)

    def _exception(self, error: ClickHouseError, query_id: str) -> web.Response:
        headers = self._headers(query_id)
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        headers["Content-Type"] = "text/plain; charset=UTF-8"
        return web.Response(status=error.status, body=error.body(self._engine.version), headers=headers)

    def _headers(self, query_id: str) -> dict[str, str]:
        return {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Server-Display-Name": self._engine.host}


async def _receive(request: web.Request, body: IO[bytes]) -> None:
    """Write the request's plain body into `body` and rewind it."""
    async for piece in _plain(request):
        body.write(piece)
    body.seek(0)


async def _plain(request: web.Request) -> AsyncIterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        async for piece in request.content.iter_any():
            yield piece
        return
    decoder = encodings.decoder(encoding)
    try:
        async for piece in request.content.iter_any():
            if plain := decoder.decompress(piece):
                yield plain
    except Exception as error:
        raise encodings.damaged(encoding) from error
    if not decoder.eof:
        raise encodings.damaged(encoding)


def _summary(answer: Answer, seconds: float) -> str:
    counted = {
        "read_rows": answer.read_rows,
        "read_bytes": answer.read_bytes,
        "written_rows": answer.written_rows,
        "written_bytes": answer.written_bytes,
        "total_rows_to_read": answer.read_rows,
        "result_rows": answer.result_rows or answer.written_rows,
        "result_bytes": len(answer.body),
        "elapsed_ns": int(seconds * 1e9),
    }
    return json.dumps({name: str(value) for name, value in counted.items()}, separators=(",", ":"))


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
