"""One more touchpoint in a view, at the cost of what it changes: a shortcut equal to making the view anew.

It is taken where the event changes neither who is who nor whose any other touchpoint is: no new identifier, edge,
first time, login or claim, or the view has been told of it already (`newcomers.join`); and no other copy. Then only
rows of one person change, and of its sessions only those within one stretch, the touchpoints around the new one without
a pause longer than the session gap: a session's interactions are some of the touchpoints, so no session reaches over a
pause of all of them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from streams.core.alert import KINDS, note_city
from streams.core.cluster import Cluster, Kept
from streams.core.crediting import acquired, is_as_acquired
from streams.core.event import Event
from streams.core.facts import Row, index_of
from streams.core.person import person_row
from streams.core.retrace import Retrace, place
from streams.core.returned import loose_return_id
from streams.core.rows import (
    NO_COURSE,
    NO_CUT,
    Changes,
    Person,
    Touch,
    View,
    alerts_of,
    evidence_row,
    in_conversation,
    owner_of,
    return_row,
    touchpoint_row,
)
from streams.core.session import Cut, cut, extend
from streams.core.shaping import Shaping
from streams.core.stories import rows_of_order

_SESSION, _VISIT = index_of("touchpoints", "session_id"), index_of("touchpoints", "visit_id")
_ENTRY_CHANNEL, _VISIT_CHANNEL = index_of("sessions", "entry_channel"), index_of("visits", "channel")
_SESSIONS, _STARTED_AT = index_of("persons", "sessions"), index_of("sessions", "started_at")
_JOURNEYS, _ACQUIRED = index_of("persons", "journeys"), index_of("persons", "acquired_at")
_ATTRIBUTES = index_of("persons", "preferences")


def add(cluster: Cluster, shaping: Shaping, seen: View, kept: Kept) -> Changes | None:
    """Add a touchpoint to a view that knows everything but it.

    Shape:  `kept` is in the cluster and has its place there; -> what changed (already done in `seen`), or None where
            the view has to be made anew.
    Cost:   O(stretch + log n); O(n) where the person's home store may change.
    """
    event_id = kept.event.event_id
    if cluster.resolution is not seen.resolution:
        return None
    if event_id in seen.owner_of or len(same := cluster.events[event_id]) > 1 or len(kept.copies) > 1:
        return None
    owner = owner_of(cluster, kept)
    if owner is None:
        return {}
    person = seen.people[owner[0]]
    if not person.identifiers:  # all that named it was erased
        return None
    touches = person.touches
    at = bisect_left(touches, (kept.event.at_ms, event_id), key=lambda t: (t[0].at_ms, t[0].event_id))
    touches.insert(at, (kept.event, same, owner[1]))
    seen.owner_of[event_id] = person
    order_id = kept.event.order_id
    if order_id is not None and not place(cluster, seen, kept.event):
        return None
    changes: Changes = {}
    started = more = 0
    if person.is_shared or kept.event.role != "interaction":
        changes["touchpoints", person.person_id, event_id] = touchpoint_row(
            person.person_id, NO_CUT, NO_COURSE, touches[at], shaping.keys.node
        )
        if not person.is_shared:
            _recount_channels(changes, seen, person.person_id, kept.event, NO_CUT, {}, {})
    elif not _extend(changes, seen, shaping, person, at):
        started = _cut_again(changes, seen, shaping, person, at)
    cut_again: set[str] = set()
    if not person.is_shared:
        retrace = Retrace(changes, cluster, shaping, seen, person, at)
        more, cut_again = retrace.run(), retrace.orders
    _sight(changes, seen, shaping, person, kept.event)
    if len(kept.event.ids) > 1:
        for edge, _ in cluster.pairs_at_once(kept.event):
            row = evidence_row(cluster, shaping, seen.people, edge)
            if row is not None:
                changes["evidence", *row[:3]] = row
    _count(changes, seen, person, at, started, more)
    if (kept.event.talk or kept.event.told) and not person.is_shared:
        _say(changes, seen, shaping, person, kept.event)
    if (kept.event.city is not None or kept.event.told) and not person.is_shared:
        _alert(changes, cluster, seen, person, kept.event)
    if (return_id := loose_return_id(kept.event)) is not None:
        person.returns.setdefault(return_id, []).append(kept.event)
        changes["returns", person.person_id, "", return_id] = return_row(person, return_id)
    for told in cut_again if order_id is None else cut_again | {order_id}:
        tell_order(changes, cluster, shaping, seen, told, told in cut_again)
    apply(changes, seen)
    return changes


def apply(changes: Changes, seen: View) -> None:
    """Do the changes in the view, and leave of them what is one."""
    for key, row in list(changes.items()):
        if row is None:
            del seen.rows[key]
        elif seen.rows.get(key) == row:
            del changes[key]
        else:
            seen.rows[key] = row


def _extend(changes: Changes, seen: View, shaping: Shaping, person: Person, at: int) -> bool:
    """The commonest case by far: the touch is the person's last, and goes on with the session that is open."""
    who, touches, rows = person.person_id, person.touches, seen.rows
    event, gap_ms = touches[at][0], shaping.session_gap_ms
    if at < len(touches) - 1:
        return False
    before = next(_interactions(touches, at, event.at_ms - gap_ms), None)
    if before is None:
        return False
    session_id = rows["touchpoints", who, before.event_id][_SESSION]
    session = rows["sessions", who, session_id]
    same, device = _going_on(touches, at, session[_STARTED_AT])
    visit = None
    if same is not None and event.at_ms - same.at_ms <= gap_ms:
        visit = rows["visits", who, rows["touchpoints", who, same.event_id][_VISIT]]
    extended, visited = extend(session, visit, event, device)
    visit_id = visited[1]
    changes["sessions", who, session_id] = extended
    changes["visits", who, visit_id] = visited
    started = Cut([], [] if visit else [visited], {event.event_id: session_id}, {event.event_id: visit_id})
    node = shaping.keys.node
    changes["touchpoints", who, event.event_id] = touchpoint_row(who, started, NO_COURSE, touches[at], node)
    _recount_channels(changes, seen, who, event, started, {}, {})
    return True


def _interactions(touches: list[Touch], at: int, since_ms: int) -> Iterator[Event]:
    """Interactions before number `at`, the latest first, back to a time."""
    for n in range(at - 1, -1, -1):
        event = touches[n][0]
        if event.at_ms < since_ms:
            return
        if event.role == "interaction":
            yield event


def _going_on(touches: list[Touch], at: int, since_ms: int) -> tuple[Event | None, str | None]:
    """Of the session since a time: the last interaction on the same channel and device, and the last device."""
    event, same, device = touches[at][0], None, None
    for before in _interactions(touches, at, since_ms):
        device = device or before.device
        if same is None and before.channel == event.channel and before.device == event.device:
            same = before
        if same is not None and device is not None:
            break
    return same, device


def _cut_again(changes: Changes, seen: View, shaping: Shaping, person: Person, at: int) -> int:
    """Sessions and visits of the stretch around touch number `at`; returns how many sessions there are more."""
    who, rows = person.person_id, seen.rows
    stretch = _stretch(person.touches, at, shaping.session_gap_ms)
    pieces = cut(who, [event for event, _, _ in stretch], shaping.session_gap_ms)
    old_sessions: dict[bytes, Row] = {}
    old_visits: dict[bytes, Row] = {}
    for touch in stretch:
        event_id = touch[0].event_id
        old = rows.get(("touchpoints", who, event_id))
        session, visit = pieces.session_of.get(event_id), pieces.visit_of.get(event_id)
        if old is not None and old[_SESSION] is not None:
            old_sessions[old[_SESSION]] = rows["sessions", who, old[_SESSION]]
            old_visits[old[_VISIT]] = rows["visits", who, old[_VISIT]]
        if old is None:
            changes["touchpoints", who, event_id] = touchpoint_row(who, pieces, NO_COURSE, touch, shaping.keys.node)
        elif old[_SESSION] != session or old[_VISIT] != visit:
            changes["touchpoints", who, event_id] = (*old[:_SESSION], session, visit, *old[_VISIT + 1 :])
    changes.update({("sessions", who, key): None for key in old_sessions})
    changes.update({("sessions", who, row[1]): row for row in pieces.sessions})
    changes.update({("visits", who, key): None for key in old_visits})
    changes.update({("visits", who, row[1]): row for row in pieces.visits})
    _recount_channels(changes, seen, person.person_id, person.touches[at][0], pieces, old_sessions, old_visits)
    return len(pieces.sessions) - len(old_sessions)


def _stretch(touches: list[Touch], at: int, gap_ms: int) -> list[Touch]:
    start, end = at, at + 1
    while start > 0 and touches[start][0].at_ms - touches[start - 1][0].at_ms <= gap_ms:
        start -= 1
    while end < len(touches) and touches[end][0].at_ms - touches[end - 1][0].at_ms <= gap_ms:
        end += 1
    return touches[start:end]


def _recount_channels(
    changes: Changes, seen: View, who: bytes, event: Event, pieces: Cut,
    old_sessions: dict[bytes, Row], old_visits: dict[bytes, Row],
) -> None:
    visits = _more(_VISIT_CHANNEL, pieces.visits, old_visits.values())
    started = _more(_ENTRY_CHANNEL, pieces.sessions, old_sessions.values())
    for channel in {event.channel, *visits, *started}:
        old = seen.rows.get(("person_channels", who, channel))
        first, last, interactions, exposures, v, s = old[2:] if old else (event.at_ms, event.at_ms, 0, 0, 0, 0)
        if channel == event.channel:
            first, last = min(first, event.at_ms), max(last, event.at_ms)
            interactions += event.role == "interaction"
            exposures += event.role == "exposure"
        changes["person_channels", who, channel] = (
            who, channel, first, last, interactions, exposures, v + visits.get(channel, 0),
            s + started.get(channel, 0),
        )


def _more(channel: int, after: Iterable[Row], before: Iterable[Row]) -> dict[str, int]:
    """How many rows a channel has more than before; a plain dict, for a Counter costs ten times as much here."""
    more: dict[str, int] = {}
    for row in after:
        more[row[channel]] = more.get(row[channel], 0) + 1
    for row in before:
        more[row[channel]] = more.get(row[channel], 0) - 1
    return more


def _sight(changes: Changes, seen: View, shaping: Shaping, person: Person, event: Event) -> None:
    who, at = person.person_id, event.at_ms
    for kind, value, _ in event.ids:
        key = ("identifier_sightings", who, node := shaping.keys.node((kind, value)))
        old = seen.rows.get(key)
        first, last = (min(old[4], at), max(old[5], at)) if old else (at, at)
        changes[key] = (who, node, kind, value, first, last)


def _count(changes: Changes, seen: View, person: Person, at: int, started: int, more: int) -> None:
    """The person's row: from the row before where the touchpoint is the last and in no store, else from all."""
    who, touches = person.person_id, person.touches
    event, old = touches[at][0], seen.rows["persons", who]
    acquisition, attributes = old[_ACQUIRED:_ATTRIBUTES], old[_ATTRIBUTES:]
    if not is_as_acquired(person, acquisition, event):
        acquisition = acquired(person, lambda key: changes.get(key) or seen.rows[key])
    if at < len(touches) - 1 or at == 0 or event.store_id is not None:
        changes["persons", who] = person_row(
            who, person.is_known, person.is_shared, person.first_seen_at, person.kinds,
            [e for e, _, _ in touches], old[_SESSIONS] + started, old[_JOURNEYS] + more, acquisition, attributes,
        )
        return
    first_seen_at, _, interacted_at, first_channel, channels, devices, kinds, number = old[3:_SESSIONS]
    sessions, home, journeys = old[_SESSIONS:_ACQUIRED]
    if event.role == "interaction":
        interacted_at = event.at_ms
    if event.role != "record":
        first_channel = first_channel or event.channel
        channels = channels if event.channel in channels else [*channels, event.channel]
        devices = devices if event.device is None or event.device in devices else [*devices, event.device]
    changes["persons", who] = (
        *old[:3], first_seen_at, event.at_ms, interacted_at, first_channel, channels, devices, kinds,
        number + 1, sessions + started, home, journeys + more,
        *acquisition, *attributes,
    )


def _say(changes: Changes, seen: View, shaping: Shaping, person: Person, event: Event) -> None:
    """Conversations, promises and attributes, and touchpoints that belong to another conversation by now."""
    who = person.person_id
    said, moves = person.sayings.insert(event, who, shaping)
    changes.update(said)
    if event.told:
        row = changes["persons", who]
        assert row is not None, "counted before"
        changes["persons", who] = (*row[:_ATTRIBUTES], *person.sayings.attributes)
    for event_id, name in moves.items():
        key = ("touchpoints", who, event_id)
        row = changes.get(key) or seen.rows[key]
        changes[key] = in_conversation(row, name)


def _alert(changes: Changes, cluster: Cluster, seen: View, person: Person, event: Event) -> None:
    """Whether the person is one to look at by now: a figure may fall too, where a late name takes another's place."""
    note_city(person.cities, event)
    changes.update({key: None for kind in KINDS if (key := ("alerts", person.person_id, kind)) in seen.rows})
    changes.update({("alerts", *row[:2]): row for row in alerts_of(cluster, person)})


def tell_order(
    changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, order_id: str, is_cut_again: bool = False,
) -> None:
    before = seen.orders.get(order_id, {})
    after = seen.orders[order_id] = rows_of_order(
        cluster, shaping, seen, order_id, changes, {} if is_cut_again else before
    )
    changes.update({key: None for key in before if key not in after})
    changes.update(after)
    changes.update(seen.alike.around(seen.alike.know(order_id, after)))
