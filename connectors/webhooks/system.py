"""What a system that sends webhooks is: how its word is verified, our address confirmed, its payload read.

Every part is a pure function. A signature is compared in constant time, and a secret is never part of a message.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from connectors.incoming import Decode, Incoming

Verify: TypeAlias = Callable[[Incoming, str], bool]
"""(what came, the secret) -> whether the holder of the secret sent it. Never raises."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender reads when all went well."""

    body: bytes = b""
    media_type: str = "text/plain"


Handshake: TypeAlias = Callable[[Incoming, str], Answer | None]
"""(a GET, or a POST whose signature is not valid; the verify token, empty where there is none) -> the answer that
confirms the address; None: it is no handshake, or a wrong one."""


def _none(_incoming: Incoming, _token: str) -> Answer | None:
    return None


@dataclass(frozen=True, slots=True)
class System:
    """One system: a file of this folder."""

    name: str
    title: str
    channels: tuple[str, ...]
    """Where its customers meet us; what `Source.channel` says counts where the payload does not."""
    verify: Verify
    decode: Decode
    handshake: Handshake = _none
    answer: Answer = field(default=Answer())
    topic_header: str = ""
    """The header that says what happened, where the body does not; in lower case."""


def same(given: str, expected: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def hex_sha256(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def base64_sha256(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def query(url: str) -> Mapping[str, str]:
    """The query of an address, of each name the first value."""
    try:
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query, max_num_fields=100).items()}
    except ValueError:
        return {}
