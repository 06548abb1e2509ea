"""Bad input, as real producers send it: every reason for refusal that a line of JSON can express, at least once.

Each line's event_id starts with `bad:` and the reason that it provokes, where it has one that can be read.
"""

import json
from collections.abc import Callable

from examples.sample.catalogue import at
from examples.sample.life import Json, iso, named

_GOOD = {"channel": "web", "type": "page_viewed", "identifiers": [named("anonymous_id", "ck-bad")]}
_ORDER = {"channel": "pos", "type": "order_placed"}


def _event(reason: str, ordinal: int, **fields: object) -> Json:
    base = {"event_id": f"bad:{reason}-{ordinal}"} | _GOOD | {"occurred_at": iso(at(3 + ordinal * 7, 12))} | fields
    return {name: value for name, value in base.items() if value is not None}


def _order(n: int, total: str) -> Json:
    return {"order_id": f"bad-order-{n}", "total": total, "currency": "UAH"}


FAULTS: dict[str, Callable[[int], str]] = {
    "bad_json": lambda n: f'{{"event_id": "bad:bad_json-{n}", "channel": "web", "type": "page_vie',
    "oversize": lambda n: _line(_event("oversize", n, properties={"dump": "x" * 270_000})),
    "missing_field": lambda n: _line(_event("missing_field", n, type=None)),
    "unknown_field": lambda n: _line(_event("unknown_field", n, chanel="web")),
    "bad_value": lambda n: _line(_event("bad_value", n, identifiers=[named("email", "x@example.com", 1.5)])),
    "bad_amount": lambda n: _line(_event("bad_amount", n, **_ORDER, order=_order(n, "12,50"))),
    "bad_time": lambda n: _line(_event("bad_time", n, occurred_at="12.02.2026 10:00")),
    "too_early": lambda n: _line(_event("too_early", n, occurred_at="1970-01-01T00:00:00Z")),
    "too_late": lambda n: _line(_event("too_late", n, occurred_at="2099-01-01T00:00:00Z")),
    "unknown_channel": lambda n: _line(_event("unknown_channel", n, channel="telex")),
    "no_identifier": lambda n: _line(_event("no_identifier", n, identifiers=[named("email", "noreply@example.com")])),
    "too_many_identifiers": lambda n: _line(_event(
        "too_many_identifiers", n, identifiers=[named("anonymous_id", f"ck-bad-{i}") for i in range(21)])),
    "card_number": lambda n: _line(_event(
        "card_number", n, **_ORDER, identifiers=[named("payment_token", "4111111111111111")],
        order=_order(n, "12.50"))),
}
"""Reason -> the n-th line that provokes it."""

_ONCE = ("oversize",)


def fault_lines() -> list[tuple[str, str]]:
    """(arrival, line) of every fault: two of each reason, one of the big ones."""
    return [(iso(at(3 + n * 7, 12)), make(n))
            for reason, make in FAULTS.items() for n in range(1 if reason in _ONCE else 2)]


def _line(event: Json) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
