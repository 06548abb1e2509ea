"""`POST /v1/events`: channel events in the contract's own form, one object, a list of them, or JSON lines."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from connectors.collector import access, answers, bodies, described
from connectors.collector.collecting import Collector, Gathered, fairly
from streams.core.refusal import Reason, Reject

router = APIRouter(prefix="/v1")

_EMPTY = Reject(Reason.EMPTY, "expected a JSON object")
_NOT_AN_OBJECT = Reject(Reason.BAD_JSON, "expected a JSON object")


@router.post("/events", openapi_extra=described.EVENTS, responses=described.ANSWERS)
async def post_events(request: Request) -> Response:
    """Take channel events. `source` and `channel` are the key's where an event does not say them.

    200 names how many were accepted and what was refused; a single event that is refused gets 400.
    """
    collector: Collector = request.app.state.collector
    key = access.may(request, access.shown(request), "write")
    items, is_single = _items(await bodies.read(request))
    bodies.few(len(items))
    request.state.headers = collector.limits.take(key, len(items))
    gathered = collector.gather(key)
    async for raw, item in fairly(items):
        _one(gathered, raw, item)
    await collector.keep(gathered)
    if is_single and gathered.refused:
        reject = gathered.refused[0]
        return JSONResponse(answers.body(str(reject.reason), reject.detail), 400)
    return JSONResponse({"success": True, "accepted": gathered.accepted, "refused": answers.told(gathered.refused)})


def _items(body: bytes) -> tuple[list[tuple[Any, Any]], bool]:
    """(as it came, read) of every event in a body; whether it is one event by itself."""
    value = bodies.parsed(body)
    if isinstance(value, list):
        return [(item, item) for item in value], False
    if not isinstance(value, Reject):
        return [(body, value)], True
    lines = [(line, bodies.parsed(line)) for line in body.split(b"\n") if line.strip()]
    return lines or [(body, _EMPTY)], len(lines) <= 1


def _one(gathered: Gathered, raw: Any, item: Any) -> None:
    if isinstance(item, dict):
        key = gathered.key
        gathered.event({"source": key.source, "channel": key.channel} | item, key.channels)
    else:
        gathered.refuse(raw, item if isinstance(item, Reject) else _NOT_AN_OBJECT)
