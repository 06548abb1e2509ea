"""How the collector refuses a whole request: one status, one reason, in one form."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from connectors.spool import SpoolFull
from streams.core.refusal import Reject


class Refused(Exception):  # noqa: N818 - an answer
    """Ends a request with a status other than 200. `detail` never repeats what was sent."""

    def __init__(self, status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail, self.headers = status, reason, detail, headers or {}


def body(reason: str, detail: str) -> dict[str, Any]:
    return {"success": False, "error": {"reason": reason, "detail": detail}}


def told(refused: list[Reject]) -> list[dict[str, Any]]:
    """What an answer says of refused events."""
    return [{"reason": str(r.reason), "detail": r.detail, "event_id": r.event_id} for r in refused]


async def on_refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return JSONResponse(body(error.reason, error.detail), error.status, error.headers)


async def on_full(_request: Request, error: Exception) -> JSONResponse:
    """Nothing was kept: the client keeps it and tries again."""
    assert isinstance(error, SpoolFull)
    headers = {"Retry-After": str(max(1, round(error.retry_after_s)))}
    return JSONResponse(body("spool_full", "the collector cannot keep more at the moment"), 503, headers)
