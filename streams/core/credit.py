"""Credit: what an order owes to each touch of the journey that led to it, by six rule models.

A *touch* is a visit (its first interaction in the journey), a message, the ad_viewed and ad_clicked of one click_id, a
call, or any other exposure. Of a message, an ad or a call the first touchpoint of the furthest kind stands for all. A
visit that begins with a touchpoint of another touch belongs to that, and so does one that begins with the click_id or
message_id of a touch at most 30 minutes before. Credits of one model sum to 1: they are whole numbers of 10**-12, cut
to it, and the last touch takes what that leaves, so that none is negative. Where there is no touch, the placing
touchpoint takes all.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile
from math import isqrt
from typing import NamedTuple, TypeAlias

from streams.core.event import Event, unpack
from streams.core.facts import Row, content_index

WHOLE = 10**12
"""A credit of 1."""

BELONGS_WITHIN_MS = 30 * 60_000

_KIND_OF = {
    "message_failed": "message", "message_sent": "message", "message_delivered": "message", "message_opened": "message",
    "message_clicked": "message", "ad_viewed": "ad", "ad_clicked": "ad", "call_made": "call", "call_missed": "call",
    "call_received": "call", "call_answered": "call",
}
_FURTHER = {
    "message_sent": 1, "message_delivered": 2, "message_opened": 3, "message_clicked": 4, "ad_clicked": 1,
    "call_missed": 1, "call_received": 2, "call_answered": 2,
}
"""Of the touchpoints of one touch the one of the largest stands for it."""

_SOURCE, _MEDIUM = content_index("campaign_source"), content_index("campaign_medium")
_NAME = content_index("campaign_name")

VisitOf: TypeAlias = Callable[[str], bytes | None]
"""The visit of an interaction, by event_id."""


class Touch(NamedTuple):
    """One touch: visit, message, ad, call, exposure or order, and the touchpoint that stands for it."""

    kind: str
    event: Event

    @property
    def is_direct(self) -> bool:
        e = self.event
        return self.kind == "visit" and not (e.campaign or e.click_id or e.message_id or e.referrer)


def touches(way: Sequence[Event], visit_of: VisitOf) -> list[Touch]:
    """The touches of some interactions and exposures of one person.

    Shape: by (at_ms, event_id) -> likewise, by the touchpoints that stand for them.
    Cost:  O(n log n).
    """
    found: dict[tuple[str, str], Event] = {}
    visits: dict[bytes | None, Event] = {}
    for event in way:
        if event.role != "exposure":
            visits.setdefault(visit_of(event.event_id), event)
        key = group_of(event)
        if key is not None:
            best = found.get(key)
            if best is None or _FURTHER.get(event.type, 0) > _FURTHER.get(best.type, 0):
                found[key] = event
    by_key = [Touch(kind, event) for (kind, _), event in found.items()]
    own = [Touch("visit", first) for first in visits.values() if group_of(first) is None and not _belongs(first, found)]
    return sorted((*by_key, *own), key=lambda t: (t.event.at_ms, t.event.event_id))


def group_of(event: Event) -> tuple[str, str] | None:
    """Of which touch a touchpoint is one, as (kind, name); None where it is of a visit."""
    kind = _KIND_OF.get(event.type)
    name = event.click_id if kind == "ad" else event.message_id
    if kind is not None and name is not None:
        return kind, name
    if kind == "call":
        return "call", f"\0{event.event_id}"
    return ("exposure", event.event_id) if event.role == "exposure" else None


def _belongs(first: Event, found: dict[tuple[str, str], Event]) -> bool:
    """Whether a visit, by its first interaction, goes back to a touch shortly before."""
    named = [("ad", first.click_id), ("message", first.message_id), ("call", first.message_id)]
    before = (found.get((kind, name)) for kind, name in named if name is not None)
    return any(e is not None and 0 <= first.at_ms - e.at_ms <= BELONGS_WITHIN_MS for e in before)


Weights: TypeAlias = Callable[[Sequence[Touch], int], list[int]]
"""The weights of touches, whole numbers; takes the half-life too, in ms."""


def _first(found: Sequence[Touch], _half_life_ms: int) -> list[int]:
    return [1] + [0] * (len(found) - 1)


def _last(found: Sequence[Touch], _half_life_ms: int) -> list[int]:
    return [0] * (len(found) - 1) + [1]


def _last_non_direct(found: Sequence[Touch], _half_life_ms: int) -> list[int]:
    best = max((n for n, touch in enumerate(found) if not touch.is_direct), default=len(found) - 1)
    return [int(n == best) for n in range(len(found))]


def _linear(found: Sequence[Touch], _half_life_ms: int) -> list[int]:
    return [1] * len(found)


_BITS = 100
"""Of weights that decay: a whole number of 2**-100, far below the 10**-12 of a credit."""


def _roots() -> list[int]:
    """2 ** -(1/2), 2 ** -(1/4), 2 ** -(1/8) …: the binary digits of an exponent, as factors."""
    found = [isqrt(1 << (2 * _BITS - 1))]
    while len(found) < _DIGITS:
        found.append(isqrt(found[-1] << _BITS))
    return found


_DIGITS = 64
_ROOTS = _roots()


def decayed(age_ms: int, half_life_ms: int) -> int:
    """2 ** (-age / half_life) in whole numbers of 2**-100: the same digits on every machine, which floats do not give.

    Cost: 5 µs.
    """
    halvings, rest = divmod((age_ms << _DIGITS) // half_life_ms, 1 << _DIGITS)
    weight = 1 << _BITS
    for digit, root in enumerate(_ROOTS, 1):
        if rest >> (_DIGITS - digit) & 1:
            weight = weight * root >> _BITS
    return weight >> halvings


def _time_decay(found: Sequence[Touch], half_life_ms: int) -> list[int]:
    """2 ** (-age / half_life), each over that of the last touch, which changes no share and keeps it from being 0."""
    latest_ms = found[-1].event.at_ms
    return [decayed(latest_ms - touch.event.at_ms, max(half_life_ms, 1)) for touch in found]


def _position(found: Sequence[Touch], _half_life_ms: int) -> list[int]:
    """All; halves; or 0.4 to the ends and 0.2 to what lies between."""
    between = len(found) - 2
    return [1] * len(found) if between < 1 else [2 * between, *[1] * between, 2 * between]


MODELS: dict[str, Weights] = {
    "first": _first, "last": _last, "last_non_direct": _last_non_direct, "linear": _linear,
    "time_decay": _time_decay, "position": _position,
}
"""Every rule model, in the order of the columns of facts `credits`."""


def shares(weights: Sequence[int]) -> list[int]:
    """Weights as credits that sum to WHOLE."""
    total = sum(weights)
    found = [weight * WHOLE // total for weight in weights[:-1]]
    return [*found, WHOLE - sum(found)]


def credit_row(
    person_id: bytes, placing: Event, way: Sequence[Event], visit_of: VisitOf, window_ms: int, half_life_ms: int,
) -> Row:
    """The row of facts `credits` of a counted order.

    Shape: the touchpoints of the journey before the placing one, by (at_ms, event_id); none where it has no journey.
    Unit:  milliseconds of event time; a touch exactly window_ms before the placing counts.
    Cost:  O(n log n), and some 20 µs a touch.
    """
    alone = [Touch("order", placing)]
    found = touches(way, visit_of)
    credited = [t for t in found if placing.at_ms - t.event.at_ms <= window_ms] or alone
    told = [campaign_of(touch.event) for touch in credited]
    return (
        person_id, placing.order_id, placing.at_ms,
        [t.event.event_id for t in credited], [t.kind for t in credited], [t.event.at_ms for t in credited],
        [t.event.channel for t in credited], *([part or "" for part in parts] for parts in zip(*told, strict=True)),
        *(shares(weights(credited, half_life_ms)) for weights in MODELS.values()),
        *acquisition((found or alone)[0]),
    )


def campaign_of(event: Event) -> tuple[str | None, str | None, str | None]:
    """Source, medium and name of the campaign that a touchpoint names."""
    content = unpack(event.content)
    return content[_SOURCE], content[_MEDIUM], content[_NAME]


def first_touch(way: Sequence[Event], visit_of: VisitOf) -> Touch | None:
    """The first of all touches of a person, from all its touchpoints in order; None where nothing touched it.

    Cost: O(n), with a small factor; more where the first touchpoint is of a message, an ad or a call.
    """
    way = [event for event in way if event.role in ("interaction", "exposure")]
    if not way:
        return None
    until_ms, key = way[0].at_ms, group_of(way[0])
    if key is not None:
        until_ms = max((e for e in way if group_of(e) == key), key=lambda e: _FURTHER.get(e.type, 0)).at_ms
    early = [*takewhile(lambda event: event.at_ms <= until_ms, way)]
    begun = {group_of(event) for event in early} - {None}
    late = [event for event in way[len(early) :] if group_of(event) in begun] if begun else []
    return touches([*early, *late], visit_of)[0]


def acquisition(touch: Touch | None) -> Row:
    """When, on which channel and by which campaign (source, medium, name) a touch was."""
    if touch is None:
        return (None,) * 5
    return (touch.event.at_ms, touch.event.channel, *campaign_of(touch.event))
