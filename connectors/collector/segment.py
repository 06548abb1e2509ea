"""Segment's HTTP tracking API, as the SDKs of Segment and RudderStack call it.

`/v1/track`, `identify`, `page`, `screen`, `group`, `alias` take one call, `/v1/batch` and `/v1/import` many; the mobile
SDKs' short names do the same. The key comes as the user name of Basic authentication, as a Bearer token, or as
`writeKey` in the body or the query, because a page's beacon can set no header. The body is JSON, whatever its content
type says. Source: Segment, "HTTP Tracking API Source"; the short names: analytics-kotlin, HTTPClient.kt.
"""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from connectors.collector import access, answers, bodies, described
from connectors.collector.collecting import Collector, Gathered, fairly
from connectors.collector.keys import source_of
from connectors.segment import decode, keyless, unbatch
from streams.core.refusal import Reason, Reject

router = APIRouter(prefix="/v1", tags=["segment"])

SINGLE = {
    "track": "track", "identify": "identify", "page": "page", "screen": "screen", "group": "group", "alias": "alias",
    "t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias",
}
"""What a path of one call says its type is."""

BATCHES = ("batch", "import", "b")

_NOT_AN_OBJECT = Reject(Reason.BAD_JSON, "expected a JSON object")
_NO_BATCH = Reject(Reason.MISSING_FIELD, "batch: expected a list of calls")


async def post_call(request: Request) -> Response:
    """Take one call. 400 where it is refused; it is a dead letter then."""
    name = request.url.path.rpartition("/")[2]
    return await _take(request, SINGLE[name])


async def post_batch(request: Request) -> Response:
    """Take many calls. 200 also where some are refused, as the SDKs would send all of them again: see `refused`."""
    return await _take(request, None)


for _names, _post, _body in ((SINGLE, post_call, described.CALL), (BATCHES, post_batch, described.BATCH)):
    for _name in _names:
        router.post(
            f"/{_name}", include_in_schema=len(_name) > 1, name=f"post_{_name}", openapi_extra=_body,
            responses=described.ANSWERS,
        )(_post)


async def _take(request: Request, kind: str | None) -> Response:
    """`kind` is the type of a single call, None for a batch."""
    collector: Collector = request.app.state.collector
    shown = access.shown(request)
    key = access.may(request, shown, "write") if shown else None
    body = await bodies.read(request, bodies.BODY_BYTES_MAX if key else bodies.KEYLESS_BYTES_MAX)
    value = bodies.parsed(body)
    key = key or access.may(request, _written(value), "write")
    gathered = collector.gather(key)
    calls = _calls(gathered, body, value, kind)
    bodies.few(len(calls))
    request.state.headers = collector.limits.take(key, len(calls))
    source, mapping = source_of(key), collector.segment
    async for call in fairly(calls):
        gathered.decode(call, partial(decode, call, source, gathered.received_ms, mapping), "segment")
    await collector.keep(gathered)
    if gathered.refused and (kind is not None or not calls):
        reject = gathered.refused[0]
        return JSONResponse(answers.body(str(reject.reason), reject.detail), 400)
    return JSONResponse({"success": True, "accepted": gathered.accepted, "refused": answers.told(gathered.refused)})


def _calls(gathered: Gathered, body: bytes, value: Any, kind: str | None) -> list[Any]:
    """The calls of a body; none where it is refused as a whole."""
    if isinstance(value, Reject):
        gathered.refuse(body, value)
    elif not isinstance(value, dict):
        gathered.refuse(body, _NOT_AN_OBJECT)
    elif kind is not None:
        return [keyless(value) | {"type": kind}]
    elif isinstance(value.get("batch"), list):
        return unbatch(value)
    else:
        gathered.refuse(body, _NO_BATCH)
    return []


def _written(value: Any) -> str:
    """The key in a body: beside its calls, else in the first of them."""
    if not isinstance(value, dict):
        return ""
    batch = value.get("batch")
    first = batch[0] if isinstance(batch, list) and batch and isinstance(batch[0], dict) else {}
    found = value.get("writeKey") or first.get("writeKey")
    return found if isinstance(found, str) else ""
