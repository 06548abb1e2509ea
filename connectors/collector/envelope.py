"""What every answer of the collector has around it: the headers of CORS and of limits, and its place in the metrics.

Rules: a page of another site may use a key when the key names that site, or no site at all. A preflight tells no key,
so it is granted to sites that any key for writing grants; the request itself is then judged by its own key
(`access.may`). Source: Fetch standard, section 3.2 (CORS protocol).
"""

import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.collector.collecting import Collector
from streams import metrics

EXPOSED = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used"
PREFLIGHT_S = 3600
_METHODS = "GET, POST, OPTIONS"
_HEADERS_DEFAULT = "authorization, content-type, content-encoding"


class Envelope:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, collector: Collector) -> None:
        self._app, self._collector = app, collector

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in headers:
            await self._preflight(headers, origin, send)
            return
        grants = self._grants(origin)
        started_s, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                for name, value in (scope.get("state") or {}).get("headers", {}).items():
                    out[name] = value
                for name, value in grants.items():
                    out[name] = value
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._collector.held_bytes -= scope.get("state", {}).get("held_bytes", 0)
            _measure(scope, status, time.perf_counter() - started_s)

    async def _preflight(self, headers: Headers, origin: str, send: Send) -> None:
        grants = self._grants(origin)
        if grants:
            asked = headers.get("access-control-request-headers", _HEADERS_DEFAULT)
            grants |= {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Allow-Headers": asked,
                       "Access-Control-Max-Age": str(PREFLIGHT_S)}
        raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in grants.items()]
        await send({"type": "http.response.start", "status": 204 if grants else 403, "headers": raw})
        await send({"type": "http.response.body", "body": b""})

    def _grants(self, origin: str) -> dict[str, str]:
        """The headers that let a page of `origin` read the answer; the beacons of browsers demand the credentials."""
        if not origin or not any(key.scope == "write" and key.allows(origin) for key in self._collector.keys.all()):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true",
                "Access-Control-Expose-Headers": EXPOSED, "Vary": "Origin"}


def _measure(scope: Scope, status: int, seconds: float) -> None:
    route: Any = scope.get("route")
    path = getattr(route, "path", None) or "other"
    metrics.COLLECTOR_REQUESTS.labels(path, str(status)).inc()
    metrics.COLLECTOR_SECONDS.labels(path).observe(seconds)
