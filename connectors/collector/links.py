"""Tracked letters: `/p.gif` sees that a message was opened, `/r` that a link in it was clicked.

Rules: a link names its key by the key's id, so that no key stands in a letter. A redirect leads only to where the key's
owner wanted it: the link is signed with a key made for links, or its host is on the key's list; anything else is no
link at all, whoever wrote it. The customer comes first: a picture is always shown, and a good link leads on although
the spool is full; what was not kept then is counted as lost. Who opened is told by the link's `i`; one opening a minute
counts, as mail programs fetch twice.

A signature is the last parameter, `s`: URL-safe base64 of HMAC-SHA256 over all before it (from the path on), keyed with
the SHA-256 of the key in hex, which is what the collector keeps of it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from connectors.collector import answers, described
from connectors.collector.collecting import Collector, Event
from connectors.collector.keys import Key, hash_of
from connectors.spool import SpoolFull
from streams import metrics

router = APIRouter(tags=["tracked letters"])

PIXEL, REDIRECT = "/p.gif", "/r"
IDENTIFIERS_MAX = 5
_MINUTE_MS = 60_000
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent point."""

_NEVER_KEEP = {"Cache-Control": "no-store, max-age=0"}


@dataclass(frozen=True)
class Letter:
    """What a tracked link says beside where it leads."""

    message_id: str
    identifiers: tuple[str, ...] = ()
    """kind:value of whom the letter went to."""
    campaign: str = ""


def pixel(base_url: str, key: str, letter: Letter) -> str:
    """The address of the picture that a letter shows; signed, so that nobody else tells of its readers."""
    return _signed(base_url, PIXEL, key, letter, "")


def redirect(base_url: str, key: str, letter: Letter, target: str) -> str:
    """The address that a link of a letter has in place of `target`."""
    return _signed(base_url, REDIRECT, key, letter, target)


def signature(key_hash: str, text: str) -> str:
    digest = hmac.digest(key_hash.encode(), text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _signed(base_url: str, path: str, key: str, letter: Letter, target: str) -> str:
    key_hash = hash_of(key)
    told = [("k", Key(key_hash, "").id), ("m", letter.message_id), *(("i", one) for one in letter.identifiers),
            ("c", letter.campaign), ("u", target)]
    text = f"{path}?{urlencode([(name, value) for name, value in told if value], quote_via=quote)}"
    return f"{base_url}{text}&s={signature(key_hash, text)}"


@router.get(PIXEL, openapi_extra=described.PIXEL, response_class=Response)
async def get_pixel(request: Request) -> Response:
    """Tell that a message was opened (`k` key's id, `m` message, `i` kind:value, `c` campaign, `s` signature)."""
    collector: Collector = request.app.state.collector
    key = _key(collector, request)
    if key is not None and _is_signed(request, key):
        await _keep(collector, key, request, "message_opened")
    return Response(_GIF, media_type="image/gif", headers=_NEVER_KEEP)


@router.get(REDIRECT, openapi_extra=described.REDIRECT, response_class=Response, responses=described.LED)
async def get_redirect(request: Request) -> Response:
    """Tell that a link of a message was clicked, and lead on to `u`; the others as `/p.gif`."""
    collector: Collector = request.app.state.collector
    key, target = _key(collector, request), request.query_params.get("u", "")
    parts = _split(target)
    if key is None or parts is None or not (_is_signed(request, key) or parts in key.targets):
        return JSONResponse(answers.body("bad_link", "this is no link of ours"), 400, _NEVER_KEEP)
    await _keep(collector, key, request, "message_clicked")
    return RedirectResponse(target, 302, {**_NEVER_KEEP, "Referrer-Policy": "no-referrer"})


def _key(collector: Collector, request: Request) -> Key | None:
    key = collector.keys.of_id(request.query_params.get("k", ""))
    return key if key is not None and key.scope == "write" else None


def _is_signed(request: Request, key: Key) -> bool:
    text, _, shown = request.url.query.rpartition("&s=")
    return key.links and hmac.compare_digest(shown.encode(), signature(key.hash, f"{request.url.path}?{text}").encode())


def _split(target: str) -> str | None:
    """The host of an address that a browser may be sent to; None where it is none."""
    if any(character <= " " or character == "\\" for character in target):
        return None  # browsers read these otherwise than we do
    try:
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError:
        return None
    return host if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else None


async def _keep(collector: Collector, key: Key, request: Request, kind: str) -> None:
    """Whoever reads the letter is served all the same, and nobody would send it again: what is not kept is lost."""
    try:
        collector.limits.take(key, 1)
        gathered = collector.gather(key)
        gathered.event(_event(key, request, kind, gathered.received_ms))
        await collector.keep(gathered)
    except (SpoolFull, answers.Refused):
        metrics.COLLECTOR_EVENTS.labels(key.source, "lost").inc()


def _event(key: Key, request: Request, kind: str, at_ms: int) -> Event:
    """The event of one look at a letter; the same for all of one minute."""
    given = request.query_params
    told = f"{kind}\0{key.source}\0{request.url.query}\0{at_ms // _MINUTE_MS}"
    named = [one.partition(":") for one in given.getlist("i")[:IDENTIFIERS_MAX]]
    event: Event = {
        "event_id": f"{key.source}:{hashlib.blake2b(told.encode(), digest_size=16).hexdigest()}",
        "channel": key.channel, "type": kind, "occurred_at": at_ms // _MINUTE_MS * _MINUTE_MS, "source": key.source,
        "identifiers": [{"kind": name, "value": value} for name, _, value in named],
    }
    if given.get("m"):
        event["message"] = {"message_id": given["m"]}
    if given.get("c"):
        event["campaign"] = {"name": given["c"]}
    if given.get("u"):
        event["properties"] = {"url": given["u"]}
    return event
