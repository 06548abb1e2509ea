"""`GET /v1/persons/{kind}/{value}`: who somebody is and where they stopped, for tills, call centres and sites.

Rules: a key with the scope read; what is answered is personal, so nobody on the way may keep it; neither an answer nor
a log repeats the value that was asked for.
"""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from connectors.collector import access
from connectors.collector.answers import Refused
from connectors.lookup.lookup import Lookup, Nobody
from connectors.lookup.state import TooLarge
from streams.errors import Retryable

router = APIRouter(prefix="/v1")

_encode = msgspec.json.Encoder().encode

_STATUS = {Nobody.UNKNOWN_KIND: 400, Nobody.NO_PERSON_ID: 400, Nobody.REFUSED_VALUE: 404, Nobody.NOBODY: 404}
_DETAIL = {
    Nobody.UNKNOWN_KIND: "expected person or a kind of the identity policy: onethread policy show",
    Nobody.NO_PERSON_ID: "expected a UUID",
    Nobody.REFUSED_VALUE: "a value of that form identifies nobody",
    Nobody.NOBODY: "nobody is known by it",
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    400: {"description": "unknown_kind, no_person_id"},
    401: {"description": "no_key"},
    403: {"description": "wrong_key: a key for writing may not read"},
    404: {"description": "nobody, refused_value"},
    422: {"description": "too_large: more touchpoints than a look-up reads"},
    503: {"description": "away: the workers do not answer; ask again after Retry-After seconds"},
}


@router.get("/persons/{kind}/{value:path}", responses=_ANSWERS)
async def get_person(request: Request, kind: str, value: str) -> Response:
    """Everything a till or a call centre needs on one customer, found by any identifier or by person/UUID.

    The value is normalised as in events. An id of a person that was merged leads to the survivor. Who was erased, or
    is suppressed, is nobody.
    """
    access.may(request, access.shown(request), "read")
    lookup: Lookup = request.app.state.lookup
    try:
        found = await lookup.document(kind, value)
    except TooLarge:
        raise Refused(422, "too_large", "it has too many touchpoints for a look-up: ask ClickHouse") from None
    except Retryable as error:
        raise Refused(503, "away", str(error), {"Retry-After": str(max(1, round(error.retry_after_s)))}) from None
    if isinstance(found, Nobody):
        raise Refused(_STATUS[found], str(found), _DETAIL[found])
    return Response(_encode(found), media_type="application/json", headers={"Cache-Control": "no-store"})
