"""`/webhooks/<system>/<source>`: what other systems tell by themselves, with a signature in place of a key.

Rules kept here:
- The secrets are those of the source's keys, by the system's name; with several keys any of them is good, so that one
  can be changed without a gap. A wrong signature is 401, and nothing of it is kept but a count.
- What was signed is answered with 200 once it is durable, also where some of it was refused: a dead letter tells what
  and why, and the sender, who cannot mend it, does not send it again.
- `<system>_verify` is the token of a handshake; `<system>_url` the address as the sender calls it, where a proxy before
  us shows another one.
"""

from functools import partial

from fastapi import APIRouter, Request, Response

from connectors import again
from connectors.collector import bodies
from connectors.collector.answers import Refused
from connectors.collector.collecting import Collector
from connectors.collector.keys import Key, Keys, source_of
from connectors.incoming import Decoded, Incoming
from connectors.webhooks.arrivals import Arrivals
from connectors.webhooks.system import Answer, System
from connectors.webhooks.systems import SYSTEMS
from streams import metrics

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.get("/{system}/{source}")
async def confirm(system: str, source: str, request: Request) -> Response:
    """The handshake of systems that try an address before they use it."""
    collector: Collector = request.app.state.collector
    spoken, keys = _known(system, source, collector.keys)
    answer = _handshake(spoken, keys, _incoming(spoken, keys, b"", request))
    if answer is None:
        raise _unsigned(system)
    return _answered(answer)


@router.post("/{system}/{source}")
async def take(system: str, source: str, request: Request) -> Response:
    """Take what a system tells."""
    collector: Collector = request.app.state.collector
    spoken, keys = _known(system, source, collector.keys)
    incoming = _incoming(spoken, keys, await bodies.read(request), request)
    key = next((key for key in keys if _is_signed(spoken, key, incoming)), None)
    if key is None:
        answer = _handshake(spoken, keys, incoming)
        if answer is None:
            raise _unsigned(system)
        return _answered(answer)
    gathered = collector.gather(key)
    arrivals: Arrivals = request.app.state.arrivals
    read = partial(_read, spoken, incoming, key, gathered.received_ms, arrivals)
    gathered.decode(incoming.body, read, again.named(system, incoming))
    request.state.headers = collector.limits.take(key, len(gathered.records))
    await collector.keep(gathered)
    metrics.WEBHOOKS.labels(system, "taken").inc()
    return _answered(spoken.answer)


def _known(system: str, source: str, keys: Keys) -> tuple[System, list[Key]]:
    """The system, and the source's keys that have a secret of it."""
    own = keys.of_source(source) if system in SYSTEMS else []
    found = [key for key in own if system in key.secrets and key.scope == "write"]
    if not found:
        raise Refused(404, "no_webhook", "expected the address of a source that has a secret of this system")
    return SYSTEMS[system], found


def _read(system: System, incoming: Incoming, key: Key, received_ms: int, arrivals: Arrivals) -> Decoded:
    found = system.decode(incoming, source_of(key), received_ms)
    return [arrivals.date(one, received_ms) if isinstance(one, dict) else one for one in found]


def _incoming(system: System, keys: list[Key], body: bytes, request: Request) -> Incoming:
    public = next((url for key in keys if (url := key.secret(f"{system.name}_url"))), None)
    query = f"?{request.url.query}" if request.url.query else ""
    return Incoming(body, dict(request.headers), f"{public}{query}" if public else str(request.url))


def _is_signed(system: System, key: Key, incoming: Incoming) -> bool:
    secret = key.secret(system.name)
    return bool(secret) and system.verify(incoming, secret or "")


def _handshake(system: System, keys: list[Key], incoming: Incoming) -> Answer | None:
    tokens = [key.secret(f"{system.name}_verify") or "" for key in keys]
    answer = next((found for token in tokens if (found := system.handshake(incoming, token))), None)
    if answer is not None:
        metrics.WEBHOOKS.labels(system.name, "handshake").inc()
    return answer


def _unsigned(system: str) -> Refused:
    metrics.WEBHOOKS.labels(system, "unsigned").inc()
    return Refused(401, "bad_signature", "expected a signature made with the secret of this source")


def _answered(answer: Answer) -> Response:
    return Response(answer.body, media_type=answer.media_type)
