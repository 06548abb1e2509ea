"""JSON that is nearly what a client would send: samples, and what chance makes of them."""

import gzip
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from examples.sample import lines

FIXTURES = Path(__file__).parents[1] / "fixtures"
BOMB_BYTES = 32 << 20


@cache
def events() -> list[dict[str, Any]]:
    """Channel events of a small sample."""
    read = (_read(line) for line in lines(1, 20))
    return [event for event in read if isinstance(event, dict)]


def _read(line: Any) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


@cache
def calls() -> list[dict[str, Any]]:
    """Segment's calls."""
    found: list[dict[str, Any]] = []
    for path in sorted(FIXTURES.joinpath("segment").glob("*.json")):
        told = json.loads(path.read_text())
        found += told["batch"] if isinstance(told, dict) else told
    return [call for call in found if isinstance(call, dict)]


ODD: tuple[Callable[[Random], Any], ...] = (
    lambda _: None, lambda _: True, lambda _: "", lambda _: [], lambda _: {}, lambda _: -1, lambda _: 0.1,
    lambda _: 10**400, lambda _: 1e308, lambda _: float("nan"), lambda _: float("inf"), lambda _: -(2**63) - 1,
    lambda _: "\ud800", lambda _: "\x00", lambda _: "a\u202eb\ufeff", lambda _: "0", lambda _: "null",
    lambda _: "9" * 400, lambda _: "2026-13-45T99:99:99Z", lambda _: "2026-02-05T10:00:00", lambda _: "+99:99",
    lambda r: "x" * r.choice((200, 200, 200, 1_001, 70_000)), lambda r: ["y"] * r.choice((21, 21, 21, 400)),
    lambda r: {f"k{n}": n for n in range(r.choice((3, 500)))}, lambda r: nested(r.choice((5, 90, 600))),
    lambda r: chr(r.randrange(1, 0xD7FF)) * 3, lambda r: r.randrange(-(10**18), 10**18), lambda _: "1,234.56",
    lambda _: [[], {}, [None]], lambda _: {"": {"": ""}}, lambda _: "file:///etc/passwd", lambda _: "${jndi:ldap://x}",
)


def nested(depth: int) -> Any:
    value: Any = 1
    for number in range(depth):
        value = [value] if number % 2 else {"a": value}
    return value


def mutate(random: Random, value: Any, times: int) -> Any:
    """A copy with `times` changes at random places."""
    copy = json.loads(json.dumps(value))
    for _ in range(times):
        copy = _changed(random, copy)
    return copy


def _changed(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.85:
        name = random.choice(list(value))
        how = random.random()
        if how < 0.6:
            value[name] = _changed(random, value[name])
        elif how < 0.75:
            del value[name]
        elif how < 0.9:
            value[random.choice(("", "type", "x" * 300, "\x00", "__proto__", name.upper()))] = value[name]
        else:
            value[name] = random.choice(ODD)(random)
        return value
    if isinstance(value, list) and value and random.random() < 0.85:
        at = random.randrange(len(value))
        value[at] = _changed(random, value[at])
        return value
    return random.choice(ODD)(random)


def text(random: Random, value: Any) -> bytes:
    """A value as JSON; as clients that allow too much would write it."""
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def broken(random: Random, body: bytes) -> bytes:
    """Bytes that are no JSON any more, or hardly."""
    match random.randrange(11):
        case 0:
            return body[: random.randrange(len(body) + 1)]
        case 1:
            at = random.randrange(len(body) + 1)
            return body[:at] + random.randbytes(random.randrange(1, 9)) + body[at:]
        case 2:
            return b"\xef\xbb\xbf" + body
        case 3:
            return body.decode("utf-8", "replace").encode("utf-16")
        case 4:
            return b"[" * random.choice((10, 10, 10, 5_000, 200_000))
        case 5:
            return b'{"a":' * random.choice((10, 10, 10, 5_000, 100_000))
        case 6:
            return b"1" * random.choice((30, 30, 30, 5_000, 100_000))
        case 7:
            return b'{"event_id": 1e999999, "a": -0, "b": 1E+400}'
        case 8:
            return b"\n".join([body, b"", b"{", body, b"\r", b"null"])
        case 9:
            return body.replace(b'"', b"'")
        case _:
            return random.randbytes(random.randrange(300))


@cache
def bomb() -> bytes:
    """A gzip file of 32 KB that holds 32 MB."""
    return gzip.compress(b" " * BOMB_BYTES, 9)
