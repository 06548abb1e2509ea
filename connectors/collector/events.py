"""`POST /v1/events`: channel events in the contract's own form, one object, a list of them, or JSON lines."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from connectors.collector import access, answers, bodies
from connectors.collector.collecting import Collector, Gathered
from connectors.collector.keys import Key
from streams.core.refusal import Reason, Reject

router = APIRouter(prefix="/v1")

_NOT_AN_OBJECT = Reject(Reason.BAD_JSON, "expected a JSON object")


@router.post("/events")
async def post_events(request: Request) -> Response:
    """Take channel events. `source` and `channel` are the key's where an event does not say them.

    200 names how many were accepted and what was refused; a single event that is refused gets 400.
    """
    collector: Collector = request.app.state.collector
    key = access.may(collector.keys, access.shown(request), "write")
    gathered = collector.gather(key.source)
    body = await bodies.read(request)
    is_single = _take(gathered, body, key)
    await collector.keep(gathered)
    if is_single and gathered.refused:
        reject = gathered.refused[0]
        return JSONResponse(answers.body(str(reject.reason), reject.detail), 400)
    return JSONResponse({"success": True, "accepted": gathered.accepted, "refused": answers.told(gathered.refused)})


def _take(gathered: Gathered, body: bytes, key: Key) -> bool:
    """Take the events of a body; whether it is a single one."""
    value = bodies.parsed(body)
    if isinstance(value, list):
        for item in value:
            _one(gathered, item, key)
        return False
    if not isinstance(value, Reject):
        _one(gathered, value, key)
        return True
    lines = list(_lines(body))
    for line, item in lines:
        if isinstance(item, Reject):
            gathered.refuse(line, item)
        else:
            _one(gathered, item, key)
    return len(lines) <= 1


def _lines(body: bytes) -> Iterator[tuple[bytes, Any]]:
    found = False
    for line in body.split(b"\n"):
        if line.strip():
            found = True
            yield line, bodies.parsed(line)
    if not found:
        yield body, Reject(Reason.EMPTY, "expected a JSON object")


def _one(gathered: Gathered, item: Any, key: Key) -> None:
    if not isinstance(item, dict):
        gathered.refuse(item, _NOT_AN_OBJECT)
        return
    gathered.event({"source": key.source, "channel": key.channel} | item, key.channels)
