"""Small random worlds: policies, what producers sent under them, and what people said about pairs of identifiers.

A world is made by one generator from any `random.Random`: Hypothesis brings one whose choices it can shrink, the
simulation one that a seed decides. What decides the graph (which events, identifiers, times, copies) is drawn from
it; the details come from a plain Random seeded by it, which keeps a world cheap to draw. Pools are small, times
repeat and pauses equal the gap, so that sharedness, limits, ties and both edges of every interval come up often.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from streams.core.alert import KINDS as KINDS_OF_ALERTS
from streams.core.erasing import FOR_EVER_MS
from streams.core.event import Event, Identifier
from streams.core.policy import ALERTS, Blocked, Kind, Policy, default
from tests.oracle.build import event
from tests.oracle.erasure import Erasure
from tests.oracle.rules import Word

T = TypeVar("T")

GAP_MS = 100
DURATIONS = {
    "session_gap_ms": GAP_MS, "conversation_gap_ms": 2 * GAP_MS, "callback_due_ms": 2, "journey_gap_ms": 2 * GAP_MS,
    "attribution_window_ms": 3 * GAP_MS, "half_life_ms": GAP_MS, "duplicate_window_ms": 2 * GAP_MS,
}
REPEATED, CONFLICTING = 0.3, 0.07
DAY_MS = 86_400_000
RECEIVED_MS = 4 * DAY_MS
KINDS = (
    "customer_id", "loyalty_card", "phone", "email", "crm_id", "telegram_id", "payment_token", "device_id",
    "anonymous_id", "click_id", "face_id", "wifi_mac",
)
CHANNELS = ("web", "pos", "chat", "call_centre")
TOUCHES = (
    ("interaction", "page_viewed"), ("interaction", "call_answered"), ("interaction", "message_received"),
    ("interaction", "ad_clicked"), ("interaction", "message_clicked"), ("interaction", "cart_updated"),
    ("exposure", "ad_viewed"), ("exposure", "message_sent"), ("observation", "wifi_seen"), ("record", "identified"),
)
TALK = {
    "interaction": ("message_received", "call_received", "call_answered", "call_missed", "callback_requested",
                    "consulted", "complaint_made", "message_opened", "promise_cancelled"),
    "exposure": ("message_sent", "message_sent", "call_made", "callback_promised", "promise_made", "callback_done",
                 "promise_kept", "message_delivered"),
}
ORDER_TYPES = (
    "order_requested", "order_placed", "order_updated", "order_paid", "payment_received", "order_ready",
    "order_fulfilled", "order_cancelled", "order_returned", "delivery_updated", "return_asked", "page_viewed",
    *["order_placed"] * 6,
)
ASKED_BY_CUSTOMERS = {"order_requested", "order_placed", "return_asked", "page_viewed"}


@dataclass(frozen=True)
class Change:
    """From now on this policy and these durations; None and what is not named stay as they were."""

    policy: Policy | None
    durations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """What happened: a policy, and the events as accepted, copies among them, in order of their topics.

    `words` are commands on pairs of identifiers, `erasures` on one, `changes` what came after the first policy and
    durations,
    in order.
    """

    policy: Policy
    events: tuple[Event, ...]
    durations: Mapping[str, int] = field(default_factory=lambda: DURATIONS)
    words: tuple[Word, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def policies(self) -> list[Policy]:
        """By version."""
        found = [self.policy]
        for change in self.changes:
            found.append(change.policy or found[-1])
        return found

    @property
    def last_durations(self) -> dict[str, int]:
        last = dict(self.durations)
        for change in self.changes:
            last |= change.durations
        return last


def make_world(random: Random, events_max: int = 24, parts: Collection[str] = ()) -> World:
    """A world of up to `events_max` events, besides their copies; `parts` may hold rules, policies and erasures."""
    detail = Random(random.randint(0, 2**16))
    size = random.randint(1, events_max)
    policy, pool = _policy(detail), _pool(detail, size)
    told = [_event(random, detail, f"e{n}", pool) for n in range(size)]
    for e in list(told):
        if _chance(random, REPEATED):
            told.append(e)
        if _chance(random, CONFLICTING):
            told.append(_conflicting(detail, e))
    offsets = list(range(len(told)))
    detail.shuffle(offsets)
    events = tuple(_placed(detail, e, offset) for e, offset in zip(told, offsets, strict=True))
    said = _words(random, pool) if "rules" in parts else ()
    if "erasures" in parts:  # some before, some after it
        said = tuple(w._replace(received_ms=RECEIVED_MS + random.randint(-1, 6)) for w in said)
    return World(
        policy, events, words=said, erasures=_erasures(random, pool) if "erasures" in parts else (),
        changes=_changes(random, policy) if "policies" in parts else (),
    )


def worlds(events_max: int = 24, parts: Collection[str] = ()) -> st.SearchStrategy[World]:
    """Worlds that Hypothesis can shrink."""
    return st.randoms(use_true_random=False).map(lambda random: make_world(random, events_max, parts))


def _words(random: Random, pool: Sequence[Identifier]) -> tuple[Word, ...]:
    """Commands on few pairs, so that the same pair is spoken of again; some identifiers were never seen."""
    named = sorted({random.choice(pool) for _ in range(random.randint(1, 4))} | {("customer_id", "n"), ("phone", "n")})
    words = []
    for n in range(random.randint(1, 8)):
        a, b = random.choice(named), random.choice(named if _chance(random, 0.7) else pool)
        if a != b:
            verb = random.choice(["link", "link", "unlink", "unlink", "drop"])
            words.append(Word((min(a, b), max(a, b)), verb, f"r{n}", DAY_MS + random.randint(0, 5)))
    return tuple(words)


def _erasures(random: Random, pool: Sequence[Identifier]) -> tuple[Erasure, ...]:
    """One or two, between what was received; at times for ever, at times of nobody that was ever seen."""
    found = []
    for n in range(random.choice([1, 1, 2, 3])):
        named = ("phone", "n") if _chance(random, 0.1) else random.choice(pool)
        until = FOR_EVER_MS if _chance(random, 0.15) else RECEIVED_MS + random.randint(-1, 5)
        found.append(Erasure(named, until, f"x{n}"))
    return tuple(found)


def _changes(random: Random, first: Policy) -> tuple[Change, ...]:
    """One to three changes, at times back to a policy that was there before."""
    found = [first]
    changes = []
    for _ in range(random.randint(1, 3)):
        found.append(random.choice(found) if _chance(random, 0.2) else _policy(random))
        named = random.sample(sorted(DURATIONS), random.choice([0, 0, 1, 2]))
        durations = {name: random.choice([0, GAP_MS - 1, 3 * GAP_MS]) for name in named}
        changes.append(Change(None if durations and _chance(random, 0.3) else found[-1], durations))
    return tuple(changes)


def _chance(random: Random, share: float) -> bool:
    return random.randint(1, 100) <= 100 * share


def _policy(random: Random) -> Policy:
    """The product's policy, or one with tighter limits."""
    if _chance(random, 0.3):
        return default()
    kinds = {name: _kind(random, kind) for name, kind in default().kinds.items()}
    blocked = {random.choice(KINDS): Blocked(frozenset({"v0"}), None)} if _chance(random, 0.2) else {}
    return replace(
        default(), kinds=MappingProxyType(kinds), threshold=random.choice([0.8, 0.9, 0.95, 0.99]),
        person_identifiers_max=random.choice([3, 5, 1000, 1000]),
        blocked=MappingProxyType({**default().blocked, **blocked}),
        alerts=MappingProxyType({**ALERTS, **{kind: random.choice([None, 1, 1, 2]) for kind in KINDS_OF_ALERTS}}),
    )


def _kind(random: Random, kind: Kind) -> Kind:
    if _chance(random, 0.5):
        return kind
    is_order = kind.name == "order_id"
    return replace(
        kind,
        strength=random.choice([kind.strength, kind.strength, 55, 60]),
        personal=kind.personal != _chance(random, 0.1),
        per_person=random.choice([None, 1, 2, 3]),
        shared_above=random.choice([None, 1, 2, 3]),
        busy_above=None if is_order else random.choice([None, 1, 2]),
        shared_by=frozenset(random.sample(["device_id", "order_id", "email"], random.choice([0, 0, 1]))) - {kind.name},
        min_events=kind.min_events if is_order else random.choice([kind.min_events, 1, 2]),
    )


def _pool(random: Random, size: int) -> list[Identifier]:
    """Few identifiers, or some more for many events; the first two are hubs, drawn far more often."""
    values = [f"v{n}" for n in range(random.choice([2, 4, 2 + size // 5]))]
    pool = [(kind, value) for kind in random.sample(KINDS, random.randint(2, 6)) for value in values]
    random.shuffle(pool)
    return pool


def _identifiers(random: Random, pool: Sequence[Identifier]) -> list[str]:
    named: dict[str, float] = {}
    for _ in range(random.choice([1, 2, 2, 3, 4])):
        kind, value = random.choice(pool[:2] if _chance(random, 0.3) else pool)
        confidence = random.choice([1, 1, 1, 1, 0.97, 0.95, 0.8, 0.5])
        named[f"{kind}:{value}"] = confidence
        if kind == "email":
            named[f"email_sha256:{value}"] = confidence
    return [f"{name}@{confidence}" for name, confidence in named.items()]


def _at_ms(random: Random) -> int:
    day = random.choice([1, 1, 1, 2, 3]) * DAY_MS
    return day + random.choice([-1, 0, 0, 1, 2, GAP_MS, GAP_MS + 1, 2 * GAP_MS, 3 * GAP_MS, 3 * GAP_MS + 2])


def _event(random: Random, detail: Random, event_id: str, pool: Sequence[Identifier]) -> Event:
    ids = _identifiers(random, pool)
    clicks = sorted(i.split(":")[1].split("@")[0] for i in ids if i.startswith("click_id:"))
    fields = _fields(detail) | {"click_id": clicks[0] if clicks else None}
    if _chance(detail, 0.4):
        fields |= _talk(detail)
    if _chance(detail, 0.25):
        fields |= _attributes(detail)
    if _chance(random, 0.35):
        fields |= _order_fields(detail, random.choice(["o1", "o2", "o3", "o4"]))
        ids = [] if _chance(detail, 0.2) else ids
    elif _chance(detail, 0.15):
        fields |= {"type": random.choice(["order_returned", "return_asked"]), "role": "order_fact"}
        fields["returned"] = _return(detail)
    return event(event_id, _at_ms(random), *ids, **fields)


def _fields(random: Random) -> dict[str, Any]:
    role, type_ = random.choice(TOUCHES)
    return {
        "role": role, "type": type_, "channel": random.choice(CHANNELS),
        "device": random.choice([None, "desktop", "mobile", "pos"]),
        "store_id": random.choice([None, None, "S1", "S2"]),
        "staff": random.choice([None, "s7"]), "campaign": random.choice([None, "ny"]),
        "referrer": random.choice([None, "r"]), "message_id": random.choice([None, "m1"]),
        "city": random.choice([None, None, "kyiv", "lviv", "odesa"]),
        "unavailable": _chance(random, 0.1), "conversation_id": random.choice([None, None, "c1", "c2"]),
    }


def _talk(random: Random) -> dict[str, Any]:
    """A message, a call, or a promise; few conversations, messages and promises, so that they are spoken of again."""
    role = random.choice(list(TALK))
    return {
        "role": role, "type": random.choice(TALK[role]), "channel": random.choice(["chat", "call_centre"]),
        "conversation_id": random.choice([None, None, "c1", "c2"]), "staff": random.choice([None, "s7", "s8"]),
        "message_id": random.choice([None, "m1", "m2"]),
    } | _some(random, {
        "is_bot": lambda: random.choice([True, False]),
        "topic": lambda: random.choice(["delivery", "price"]),
        "text": lambda: random.choice(["Yes.", "Where is my parcel?", " where is  my PARCEL?"]),
        "duration_ms": lambda: 5, "wait_ms": lambda: random.choice([0, 4000]),
        "promise_id": lambda: random.choice(["p1", "p2"]),
        "promise_kind": lambda: random.choice(["callback", "refund"]),
        "due_ms": lambda: DAY_MS + random.choice([0, GAP_MS]),
    })


def _attributes(random: Random) -> dict[str, Any]:
    """One or two keys of each sort, said again and taken back."""
    return _some(random, {
        "traits": lambda: {
            random.choice(["a", "name", "name", "birthday"]): random.choice(["x", "X", "y x", "x y", "z", "w", ""])
        },
        "preferences": lambda: {key: random.choice(["x", "y", ""]) for key in random.sample("ab", 2)},
        "consents": lambda: {random.choice("ab"): random.choice([True, False])},
        "source": lambda: "shop",
    })


def _order_fields(random: Random, order_id: str) -> dict[str, Any]:
    type_ = random.choice(ORDER_TYPES)
    told: dict[str, Any] = {"type": type_, "role": "interaction" if type_ in ASKED_BY_CUSTOMERS else "order_fact"}
    if _chance(random, 0.05):
        told["role"] = random.choice(["record", "exposure"])
    told["order"] = {"order_id": order_id} | _some(random, {
        "receipt_id": lambda: random.choice(["r1", "r2"]),
        "total": lambda: random.choice([10_000, 25_000, 0]),
        "currency": lambda: random.choice(["EUR", "UAH"]),
        "tax": lambda: 1_000, "shipping": lambda: 2_000, "discount": lambda: 500, "promo_code": lambda: "NY",
        "margin": lambda: random.choice([3_333, 7_777]),
        "items": lambda: _items(random, prefix="l"),
        "payments": lambda: [{"method": m} | _some(random, {"amount": lambda: random.choice([5_000, 10_000])})
                             for m in random.sample(["cash", "points", "wallet"], random.randint(1, 2))],
        "delivery": lambda: _delivery(random),
    })
    if _chance(random, 0.4):
        told["order"]["items"] = [{"sku": "u"}]  # as many have bought
    told |= _some(random, {"points_spent": lambda: random.choice([100, 200])})
    if type_ in ("order_returned", "return_asked"):
        told["returned"] = _return(random)
    return told


def _return(random: Random) -> dict[str, Any]:
    told: dict[str, Any] = {"amount": random.choice([4_000, 10_000, 30_000])} | _some(random, {
        "return_id": lambda: random.choice(["q1", "q2"]),
        "outcome": lambda: random.choice(["asked", "accepted", "refused"]),
        "items": lambda: _items(random, prefix=random.choice("lx")),
        "reason": lambda: random.choice(["worn", "late"]), "currency": lambda: "UAH",
    })
    if _chance(random, 0.2) and "outcome" in told:
        del told["amount"]
    return told


def _delivery(random: Random) -> dict[str, Any]:
    return _some(random, {
        "method": lambda: random.choice(["carry_out", "courier"]), "shipment_id": lambda: random.choice(["s1", "s2"]),
        "status": lambda: random.choice(["packed", "delayed", "delivered"]), "carrier": lambda: "c",
        "promised_at": lambda: DAY_MS * random.randint(2, 3), "store_id": lambda: "S1", "cost": lambda: 700,
    })


def _some(random: Random, fields: dict[str, Any]) -> dict[str, Any]:
    """Each field in four of ten cases."""
    return {name: make() for name, make in fields.items() if _chance(random, 0.4)}


def _items(random: Random, prefix: str) -> list[dict[str, Any]]:
    """One to three lines; line ids are distinct, and no number that another line has by its place."""
    return [
        {"sku": random.choice("uvw"), "quantity": random.choice([10_000, 5_000, 4_560])}
        | _some(random, {
            "line_id": lambda n=n: f"{prefix}{n}", "price": lambda: random.choice([1, 3, 12_345, 100_000]),
            "name": lambda: "N", "unit": lambda: "kg", "currency": lambda: "USD", "margin": lambda: 7,
        })
        for n in range(random.randint(1, 3))
    ]


def _conflicting(random: Random, e: Event) -> Event:
    """The same event id and identifiers, told otherwise."""
    other = _fields(random) | _attributes(random) | (_talk(random) if _chance(random, 0.4) else {})
    ids = [f"{kind}:{value}@{confidence}" for kind, value, confidence in e.ids]
    if e.order_id is not None:
        other |= _order_fields(random, e.order_id)
    return event(e.event_id, _at_ms(random), *ids, **other | {"click_id": e.click_id})


def _placed(random: Random, e: Event, offset: int) -> Event:
    """A copy of its own in Kafka."""
    position = f"events.{e.channel}", random.randint(0, 1), offset
    return msgspec.structs.replace(e, position=position, received_ms=RECEIVED_MS + random.randint(0, 3))
