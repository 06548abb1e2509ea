"""Webhooks as their systems send them: the published samples, and signatures with secrets of the run's own."""

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fuzz import values

FIXTURES = values.FIXTURES / "webhooks"
SYSTEMS = tuple(sorted(path.stem for path in FIXTURES.glob("*.json")))
SECRET = b"secret"
_SENT_AT = "1770000000"


class Hook(NamedTuple):
    """A published request. `events` is how many come of it."""

    system: str
    headers: dict[str, str]
    is_form: bool
    value: Any
    events: int


@cache
def hooks() -> list[Hook]:
    return [
        Hook(system, told.get("headers", {}), "form" in told, told["form" if "form" in told else "body"],
             len(told["events"]))
        for system in SYSTEMS
        for told in json.loads(FIXTURES.joinpath(f"{system}.json").read_text())["requests"]
    ]


def form(value: Any) -> bytes:
    """A form of whatever became of one."""
    pairs = value.items() if isinstance(value, dict) else [("Body", value)]
    return urlencode([(str(name), str(told)) for name, told in pairs], errors="replace").encode()


class Signer:
    """Signs as the systems do; `secrets` is what the source's key is told of each."""

    def __init__(self) -> None:
        self._mail = generate_private_key(SECP256R1())
        public = self._mail.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.secrets = {**dict.fromkeys(SYSTEMS, SECRET.decode()), "sendgrid": base64.b64encode(public).decode()}

    def headers(self, system: str, body: bytes, url: str) -> list[str]:
        """The headers that show who sends it."""
        match system:
            case "telegram":
                return [f"X-Telegram-Bot-Api-Secret-Token: {SECRET.decode()}"]
            case "viber":
                return [f"X-Viber-Content-Signature: {_digest(body).hex()}"]
            case "shopify":
                return [f"X-Shopify-Hmac-Sha256: {_base64(_digest(body))}"]
            case "woocommerce":
                return [f"X-WC-Webhook-Signature: {_base64(_digest(body))}"]
            case "twilio":
                pairs = sorted(set(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
                told = "".join(name + value for name, value in pairs)
                return [f"X-Twilio-Signature: {_base64(hmac.digest(SECRET, (url + told).encode(), hashlib.sha1))}"]
            case "sendgrid":
                signed = self._mail.sign(_SENT_AT.encode() + body, ECDSA(SHA256()))
                return [f"X-Twilio-Email-Event-Webhook-Signature: {_base64(signed)}",
                        f"X-Twilio-Email-Event-Webhook-Timestamp: {_SENT_AT}"]
            case _:
                return [f"X-Hub-Signature-256: sha256={_digest(body).hex()}"]


def _digest(body: bytes) -> bytes:
    return hmac.digest(SECRET, body, hashlib.sha256)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
