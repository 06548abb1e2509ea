"""From all accepted events to all rows: copies become touchpoints, touchpoints become persons' rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from streams.core.event import Event, Identifier
from streams.core.facts import TABLES, Key, Row
from streams.core.policy import Policy
from tests.oracle import attributes, orders, returns, talk, touches, twins
from tests.oracle.alerts import alert_rows
from tests.oracle.credits import credit_row, first_touch
from tests.oracle.erasure import Receipts, left
from tests.oracle.evidence import evidence_rows
from tests.oracle.identity import Identity
from tests.oracle.journeys import Journeys
from tests.oracle.keys import node_key
from tests.oracle.rules import Word, rule_row

Tables = dict[str, dict[Key, Row]]

COVERED = (
    "persons", "identifiers", "identifier_sightings", "touchpoints", "sessions", "visits", "journeys",
    "person_channels", "conversations", "conversation_messages", "promises", "consents", "preferences",
    "person_traits", "alerts", "orders", "order_items", "returns", "shipments", "credits", "rules", "erased_records",
)
"""With `evidence`, whose rows are here one for each pair of identifiers, without the person."""


class Touch(msgspec.Struct, frozen=True):
    """One touchpoint: the copy whose content stays, at the least position, with its person."""

    event: Event
    copies: int
    conflicts: int
    through: Identifier
    person: bytes


def expected(
    events: list[Event], policy: Policy, durations: Mapping[str, int], pepper: bytes, words: Iterable[Word] = (),
    receipts: Receipts | None = None,
) -> Tables:
    """The rows of the tables `COVERED` that these events stand for, whatever order they came in.

    Shape:  accepted events, repeats and conflicting copies among them; the last policy, durations, words on pairs; what
            was erased -> {table: {key: row in column order}}, and the evidence by pair.
    """
    rest = left(events, words, receipts or Receipts())
    identity = Identity(rest.events, policy, pepper, rest.words)
    kept = [_touch(copies, identity) for copies in _copies(rest.events, identity)]
    by_person: dict[bytes, list[Touch]] = defaultdict(list)
    for touch in kept:
        by_person[touch.person].append(touch)
    told = list(orders.gather(kept, identity))
    placing: dict[bytes, dict[str | None, Event | None]] = defaultdict(dict)
    bought: dict[bytes, list[orders.Order]] = defaultdict(list)
    for order in told:
        bought[order.person].append(order)
        for t in order.touches:
            placing[t.person][t.event.order_id] = order.placing
    ways: dict[bytes, Journeys] = {}
    rows: dict[str, list[Row]] = {name: [] for name in COVERED}
    for group in set(identity.group.values()):
        if members := identity.members(next(iter(group))):
            journeys = _person(rows, identity, members, by_person, placing, durations)
            ways[journeys.person] = journeys
    for order in told:
        way, placed = ways[order.person], order.placing
        journey = way.journey_of.get(placed.event_id) if placed else None
        suspected = twins.original(order, bought[order.person], durations["duplicate_window_ms"])
        rows["orders"].append((*order.row[:-1], suspected, journey))
        if placed and order.status != "cancelled" and not order.person_shared:
            led = next((j for j in way.found if placed in j), [])
            visits = touches.visits_of(way.events, durations["session_gap_ms"])
            window_ms, half_life_ms = durations["attribution_window_ms"], durations["half_life_ms"]
            rows["credits"].append(credit_row(order.person, placed, led, visits, window_ms, half_life_ms))
        rows["order_items"] += order.items
        rows["returns"] += order.back
        rows["shipments"] += order.sent
    rows["erased_records"] = list(dict.fromkeys(rest.positions))
    rows["rules"] = [rule_row(word, pepper) for word in identity.rules.values()]
    evidence = {row[:2]: row for row in evidence_rows(identity)}
    return {name: _keyed(name, made) for name, made in rows.items()} | {"evidence": evidence}


def _keyed(table: str, rows: list[Row]) -> dict[Key, Row]:
    out = {TABLES[table].key_of(row): row for row in rows}
    assert len(out) == len(rows), f"two rows of one key in {table}"
    assert all(len(row) == len(TABLES[table].columns) for row in rows), table
    return out


def _copies(events: list[Event], identity: Identity) -> Iterable[list[Event]]:
    """Events by event id and cluster: copies in different clusters are two touchpoints."""
    found: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for e in events:
        found[e.event_id, identity.component[identity.anchor(e)]].append(e)
    return found.values()


def _touch(copies: list[Event], identity: Identity) -> Touch:
    content = min(copies, key=lambda e: e.digest)
    first = min(copies, key=lambda e: e.position)
    event = msgspec.structs.replace(content, position=first.position, received_ms=first.received_ms)
    through = identity.through(event)
    return Touch(
        event, len({e.position for e in copies}), len({e.digest for e in copies}) - 1, through,
        identity.person_id(through),
    )


def _person(
    rows: dict[str, list[Row]], identity: Identity, members: list[Identifier],
    by_person: dict[bytes, list[Touch]], placing: Mapping[bytes, Mapping[str | None, Event | None]],
    durations: Mapping[str, int],
) -> Journeys:
    """Adds every row of one person but its orders."""
    some = members[0]
    person, shared = identity.person_id(some), some in identity.shared
    mine = by_person[person]
    events = [t.event for t in mine]
    sessions = [] if shared else touches.sessions_of(events, durations["session_gap_ms"])
    visits = [] if shared else touches.visits_of(events, durations["session_gap_ms"])
    session_of = {e.event_id: touches.id_of("session", s) for s in sessions for e in s}
    visit_of = {e.event_id: touches.id_of("visit", v) for v in visits for e in v}
    placed = {order_id: event for order_id, event in placing.get(person, {}).items() if order_id}
    way = Journeys(person, [] if shared else events, placed, durations["journey_gap_ms"])
    told = {} if shared else attributes.attribute_rows(person, events)
    rows["persons"].append(touches.person_row(
        person, known=identity.is_known(some), shared=shared,
        first_seen_ms=min(identity.first_seen[i] for i in members), kinds=dict(Counter(kind for kind, _ in members)),
        touches=events, sessions=len(sessions), journeys=len(way.found),
        acquired=first_touch(way.events, visits), attributes=attributes.present(told),
    ))
    rows["identifiers"] += [
        (node_key(i, identity.pepper), *i, person, shared, i in identity.contested, identity.first_seen[i])
        for i in members
    ]
    rows["identifier_sightings"] += _sightings(person, events, identity.pepper)
    rows["returns"] += returns.loose_rows(person, shared, events, orders.worth)
    parted = {} if shared else talk.parted(events, durations["conversation_gap_ms"])
    rows["touchpoints"] += [_touchpoint(t, session_of, visit_of, parted, way, identity.pepper) for t in mine]
    rows["journeys"] += way.rows()
    rows["sessions"] += [touches.session_row(person, s) for s in sessions]
    rows["visits"] += [touches.visit_row(person, v, session_of[v[0].event_id]) for v in visits]
    if not shared:
        rows["person_channels"] += touches.channel_rows(person, events, sessions, visits)
        conversations, messages = talk.conversation_rows(person, events, durations["conversation_gap_ms"])
        rows["conversations"] += conversations
        rows["conversation_messages"] += messages
        rows["promises"] += talk.promise_rows(person, events, durations)
        rows["alerts"] += alert_rows(person, identity.policy.alerts, told["person_traits"], events)
        for table, made in told.items():
            rows[table] += made
    return way


def _sightings(person: bytes, events: list[Event], pepper: bytes) -> list[Row]:
    times: dict[Identifier, list[int]] = defaultdict(list)
    for e in events:
        for kind, value, _ in e.ids:
            times[kind, value].append(e.at_ms)
    return [(person, node_key(i, pepper), *i, min(seen), max(seen)) for i, seen in times.items()]


def _touchpoint(
    touch: Touch, session_of: dict[str, bytes], visit_of: dict[str, bytes], conversation_of: dict[str, str],
    way: Journeys, pepper: bytes,
) -> Row:
    e = touch.event
    return (
        touch.person, e.event_id, session_of.get(e.event_id), visit_of.get(e.event_id), e.order_id, e.at_ms,
        e.received_ms, e.channel, e.type, e.role, e.device, e.store_id, e.staff, e.click_id, e.message_id,
        conversation_of.get(e.event_id, e.conversation_id), touch.through[0], touch.copies, touch.conflicts,
        [node_key((kind, value), pepper) for kind, value, _ in e.ids],
        way.journey_of.get(e.event_id), e in way.events and way.is_after_sale(e), e.content,
    )
