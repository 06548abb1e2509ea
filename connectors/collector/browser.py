"""`GET /onethread.js`: the snippet for browsers, served by the collector it sends to.

Its address is its only setting: the snippet sends to where it came from. Any site may load it; which site may write is
said by the key.
"""

import gzip
from functools import cache
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, Request, Response

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
