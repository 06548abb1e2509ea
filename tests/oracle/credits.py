"""What the touches of a journey earn of its order: each touch asked by itself, each share as an exact number."""

import math
from collections.abc import Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from streams.core.event import Event, unpack
from streams.core.facts import CONTENT, Row
from tests.oracle.touches import in_order

HALF_AN_HOUR_MS = 1_800_000
MESSAGES = ["message_failed", "message_sent", "message_delivered", "message_opened", "message_clicked"]
ADS = ["ad_viewed", "ad_clicked"]
CALLS = ["call_made", "call_missed", "call_received", "call_answered"]
TRILLION = 10**12

Touch = tuple[str, Event]


def touches(events: Iterable[Event], visits: list[list[Event]]) -> list[Touch]:
    """The touches of interactions and exposures; `visits` are all of the person."""
    way = in_order(events)
    keys = dict.fromkeys(group(e) for e in way if group(e) is not None)
    groups: list[Touch] = [(key[0], _stands(key[0], [e for e in way if group(e) == key])) for key in keys]
    found = list(groups)
    for visit in visits:
        here = [e for e in in_order(visit) if e in way and e.role != "exposure"]
        if here and group(here[0]) is None and not any(_leads(touch, here[0]) for touch in groups):
            found.append(("visit", here[0]))
    return sorted(found, key=lambda t: (t[1].at_ms, t[1].event_id))


def group(e: Event) -> Any:
    """What ties touchpoints to one touch; None for what a visit is made of."""
    if e.type in MESSAGES and e.message_id is not None:
        return "message", e.message_id
    if e.type in ADS and e.click_id is not None:
        return "ad", e.click_id
    if e.type in CALLS:
        return ("call", e.message_id) if e.message_id is not None else ("call", e.event_id, "alone")
    return ("exposure", e.event_id) if e.role == "exposure" else None


def _stands(kind: str, events: list[Event]) -> Event:
    """The first of those that went furthest."""
    order = {"message": MESSAGES, "ad": ADS, "call": CALLS, "exposure": [events[0].type]}[kind]
    spoken = {"call_answered": "call_received"}
    far = [order.index(spoken.get(e.type, e.type)) for e in events]
    return events[far.index(max(far))]


def _leads(touch: Touch, first: Event) -> bool:
    kind, e = touch
    named = first.click_id if kind == "ad" else first.message_id if kind in ("message", "call") else None
    mine = e.click_id if kind == "ad" else e.message_id
    return named is not None and named == mine and 0 <= first.at_ms - e.at_ms <= HALF_AN_HOUR_MS


def _weights(found: list[Touch], half_life_ms: int) -> dict[str, list[Fraction]]:
    n = len(found)
    one, none = Fraction(1), Fraction(0)
    told = [not _is_direct(t) for t in found]
    kept = max(i for i in range(n) if told[i]) if any(told) else n - 1
    fifth = Fraction(1, 5)
    return {
        "first": [one] + [none] * (n - 1),
        "last": [none] * (n - 1) + [one],
        "last_non_direct": [one if i == kept else none for i in range(n)],
        "linear": [one] * n,
        "time_decay": [_decay(found[-1][1].at_ms - e.at_ms, half_life_ms) for _, e in found],
        "position": [one] * n if n < 3 else [2 * fifth, *[fifth / (n - 2)] * (n - 2), 2 * fifth],
    }


def _decay(age_ms: int, half_life_ms: int) -> Fraction:
    """Ages are counted from the last touch: only what is to each other decides."""
    half_lives = Fraction(age_ms, max(half_life_ms, 1))
    if half_lives > 100:
        return Fraction(0)
    with localcontext() as context:
        context.prec = 60
        return Fraction(Decimal(2) ** (Decimal(-half_lives.numerator) / Decimal(half_lives.denominator)))


def _is_direct(touch: Touch) -> bool:
    kind, e = touch
    return kind == "visit" and all(v is None for v in (e.campaign, e.click_id, e.message_id, e.referrer))


def _credits(weights: list[Fraction]) -> list[int]:
    out = [math.floor(w / sum(weights) * TRILLION) for w in weights[:-1]]
    return [*out, TRILLION - sum(out)]


def credit_row(
    person: bytes, placing: Event, journey: list[Event], visits: list[list[Event]], window_ms: int, half_life_ms: int,
) -> Row:
    """`journey` holds its interactions and exposures, the placing touchpoint too; empty where the order has none."""
    before = [e for e in journey if (e.at_ms, e.event_id) < (placing.at_ms, placing.event_id)]
    every = touches(before, visits)
    found = [t for t in every if t[1].at_ms >= placing.at_ms - window_ms] or [("order", placing)]
    shares = _weights(found, half_life_ms)
    sources, mediums, names = ([campaign(e)[n] or "" for _, e in found] for n in range(3))
    return (
        person, placing.order_id, placing.at_ms, [e.event_id for _, e in found], [kind for kind, _ in found],
        [e.at_ms for _, e in found], [e.channel for _, e in found], sources, mediums, names,
        *(_credits(weights) for weights in shares.values()), *acquired(every[0] if every else ("order", placing)),
    )


def campaign(e: Event) -> tuple[Any, Any, Any]:
    told = dict(zip((c.name for c in CONTENT), unpack(e.content), strict=True))
    return told["campaign_source"], told["campaign_medium"], told["campaign_name"]


def acquired(touch: Touch) -> tuple[Any, ...]:
    return (touch[1].at_ms, touch[1].channel, *campaign(touch[1]))


def first_touch(events: list[Event], visits: list[list[Event]]) -> tuple[Any, ...]:
    """When and how a person was first touched; nothing where it never was."""
    found = touches((e for e in events if e.role in ("interaction", "exposure")), visits)
    return acquired(found[0]) if found else (None,) * 5
