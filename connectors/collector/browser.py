"""What web pages ask the collector for before they send: the snippet, and what the vendors' own scripts call settings.

Rules: the address is the only setting, a script sends to where it came from. Any site may load it; which site may write
is said by the key. The scripts of Segment and RudderStack are told that there is nothing but us to send to.

Source: analytics-next, `loadCDNSettings` and the plugin Segment.io; rudder-sdk-js, `ConfigManager.processConfig`.
"""

import gzip
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from connectors.collector import access

router = APIRouter(tags=["browser"])

FILE = Path(__file__).parents[1] / "browser/onethread.js"
FRESH_S = 3600
"""A browser asks again after an hour, so that a release reaches every page within it."""


@cache
def _served() -> tuple[bytes, bytes, str]:
    """The file, the file in gzip, its tag."""
    text = FILE.read_bytes()
    return text, gzip.compress(text, mtime=0), f'"{blake2b(text, digest_size=8).hexdigest()}"'


@router.get("/onethread.js", response_class=Response, responses={304: {"description": "the browser has it"}})
async def get_snippet(request: Request) -> Response:
    """The snippet: JavaScript."""
    text, packed, tag = _served()
    headers = {
        "Cache-Control": f"public, max-age={FRESH_S}", "ETag": tag, "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        text = packed
    return Response(text, media_type="text/javascript; charset=utf-8", headers=headers)


@router.get("/analytics.js/v1/{key}/analytics.min.js", include_in_schema=False)
async def get_in_place_of_segments(request: Request, key: str) -> Response:  # noqa: ARG001 - the page has told it already
    """The snippet, where the loader that Segment gives its customers looks for theirs."""
    return await get_snippet(request)


@router.get("/v1/projects/{key}/settings")
async def get_settings(request: Request, key: str) -> Response:
    """The settings that analytics.js asks for (`cdnURL`): send to this collector, and to nobody else."""
    access.may(request, key, "write")
    url = request.url
    ours = {"apiKey": key, "apiHost": f"{url.netloc}/v1", "protocol": url.scheme}
    every: dict[str, Any] = {"__default": {"enabled": True, "integrations": {}}}
    return JSONResponse({
        "integrations": {"Segment.io": ours}, "plan": {"track": every, "identify": every, "group": every},
        "edgeFunction": {}, "analyticsNextEnabled": True, "middlewareSettings": {}, "enabledMiddleware": {},
        "metrics": {"sampleRate": 0}, "legacyVideoPluginsEnabled": False, "remotePlugins": [],
    })


@router.get("/sourceConfig")
@router.get("/sourceConfig/", include_in_schema=False)
async def get_source_config(request: Request) -> Response:
    """The settings that RudderStack's script asks for (`configUrl`): a source without destinations of its own."""
    key = access.may(request, access.shown(request), "write")
    source = {
        "id": key.id, "name": key.source, "enabled": True, "workspaceId": "onethread", "destinations": [],
        "connections": [], "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
        "dataplanes": {},
    }
    return JSONResponse({"source": source, "updatedAt": key.created_at})
