"""The OpenAPI document's words on bodies, parameters and answers: the routes read requests themselves, so it is told.

What is checked is checked by the rules of channel events; the document names what is worth knowing before trying.
"""

from typing import Any

from fastapi import FastAPI

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "on disk; `refused` names what was refused, each a dead letter now"},
    400: {"description": "the one event, or the body as a whole, was refused: it is a dead letter now"},
    401: {"description": "no_key: no such key"},
    403: {"description": "wrong_key, wrong_origin: the key is for something else, or for other sites"},
    408: {"description": "too_slow: the body did not come in time"},
    413: {"description": "oversize, too_many"},
    415: {"description": "bad_encoding: packed otherwise than gzip"},
    429: {"description": "rate_limit: more than the key may write; see Retry-After"},
    503: {"description": "spool_full, busy: nothing was kept; see Retry-After"},
}
"""Of the routes that take events."""

LED: dict[int | str, dict[str, Any]] = {
    302: {"description": "on to the target"},
    400: {"description": "bad_link: neither signed nor to a host of the key's list"},
}

_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_CALL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["track", "identify", "page", "screen", "group", "alias"]},
        "messageId": _TEXT, "userId": _TEXT, "anonymousId": _TEXT, "previousId": _TEXT, "groupId": _TEXT,
        "event": _TEXT, "name": _TEXT, "timestamp": _TIME, "sentAt": _TIME, "writeKey": _TEXT,
        "properties": {"type": "object"}, "traits": {"type": "object"}, "context": {"type": "object"},
    },
}
_BATCH: dict[str, Any] = {
    "type": "object", "required": ["batch"],
    "properties": {"batch": {"type": "array", "items": _CALL}, "sentAt": _TIME, "writeKey": _TEXT,
                   "context": {"type": "object"}},
}
_EVENT: dict[str, Any] = {
    "type": "object", "required": ["event_id", "type", "occurred_at"],
    "properties": {
        "event_id": {"type": "string", "minLength": 1, "maxLength": 200}, "channel": _TEXT, "type": _TEXT,
        "occurred_at": {"oneOf": [_TIME, {"type": "integer"}]},
        "identifiers": {"type": "array", "items": {
            "type": "object", "required": ["kind", "value"],
            "properties": {"kind": _TEXT, "value": _TEXT, "confidence": {"type": "number"}},
        }},
    },
    "description": "a channel event; all fields: schemas/events/channel_event.avsc",
}
_KEYS: list[dict[str, list[str]]] = [{"basic": []}, {"bearer": []}]

SECURITY = {
    "basic": {"type": "http", "scheme": "basic", "description": "the key as user name, no password"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def with_keys(app: FastAPI) -> None:
    """Say in the application's document how a key is shown."""
    document = app.openapi

    def told() -> dict[str, Any]:
        found = document()
        found.setdefault("components", {})["securitySchemes"] = SECURITY
        return found

    app.openapi = told  # type: ignore[method-assign]  # as FastAPI documents it: "Extending OpenAPI"


def body(*schemas: dict[str, Any]) -> dict[str, Any]:
    """What a route says of its body: JSON of one of the schemas, shown with a key."""
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": list(schemas)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}, "security": _KEYS}


CALL = body(_CALL)
BATCH = body(_BATCH)
EVENTS = body(_EVENT, {"type": "array", "items": _EVENT})


def link(*names: tuple[str, str]) -> dict[str, Any]:
    """What a route says of the parameters of a tracked link: (name, meaning)."""
    return {"parameters": [
        {"name": name, "in": "query", "schema": _TEXT, "description": meaning} for name, meaning in names
    ]}


LETTER = (("k", "id of the key"), ("m", "message_id"), ("i", "kind:value of the reader; may be repeated"),
          ("c", "campaign"))
SIGNATURE = ("s", "signature, the last parameter")
PIXEL = link(*LETTER, SIGNATURE)
REDIRECT = link(*LETTER, ("u", "where it leads"), SIGNATURE)
