"""Which key a request shows, and what it may do."""

import base64
import binascii

from fastapi import Request

from connectors.collector.answers import Refused
from connectors.collector.collecting import Collector
from connectors.collector.keys import Key

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="onethread", charset="UTF-8"'}


def shown(request: Request) -> str:
    """The key in a request's head: the user name of Basic, a Bearer token, or `writeKey` of the query; else empty."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    match scheme.lower():
        case "basic":
            return _user_name(rest.strip())
        case "bearer":
            return rest.strip()
    return request.query_params.get("writeKey", "")


def may(request: Request, text: str, scope: str) -> Key:
    """The key, which may do what is asked.

    Errors: Refused (401) where it is none, (403) where it may not, or not for the page that asks.
    """
    collector: Collector = request.app.state.collector
    key = collector.keys.find(text)
    if key is None:
        detail = "expected a key, as user name of Basic authentication" if not text else "no such key"
        raise Refused(401, "no_key", detail, _CHALLENGE)
    if key.scope != scope:
        raise Refused(403, "wrong_key", f"expected a key for {scope}; this one is for {key.scope}")
    origin = request.headers.get("origin", "")
    if origin and not key.allows(origin):
        raise Refused(403, "wrong_origin", "the key is not for pages of this site")
    return key


def _user_name(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""
