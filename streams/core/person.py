"""What is said of one person as a whole: its row, its rows by channel, and when its identifiers were seen.

All are functions of the set of the person's touchpoints, given by (at_ms, event_id). A touchpoint of role `record` was
written down without anybody acting: it dates the person but shows no channel, device or store.
"""

from collections.abc import Callable, Mapping, Sequence

from streams.core.event import Event, Identifier
from streams.core.facts import Row, index_of
from streams.core.session import Cut

DAY_MS = 86_400_000

_VISIT_CHANNEL = index_of("visits", "channel")
_ENTRY_CHANNEL = index_of("sessions", "entry_channel")


def person_row(
    person_id: bytes, known: bool, shared: bool, first_seen_at: int, kinds: Mapping[str, int],
    touches: Sequence[Event], sessions: int, journeys: int, acquired: Row, attributes: Row = ({}, {}),
) -> Row:
    """The person's row of facts `persons`.

    Shape: touches of any role by (at_ms, event_id); first_seen_at the least of its identifiers', in ms; kinds the
           number of its identifiers by kind; acquired the columns on how it was first touched, attributes
           those on what it prefers and allows. A person without touches has no last_seen_at, channels or store.
    Cost:  O(n).
    """
    channels: dict[str, None] = {}
    devices: dict[str, None] = {}
    stores: list[tuple[str, int]] = []
    last_interaction: int | None = None
    for event in touches:
        role = event.role
        if role == "record":
            continue
        channels[event.channel] = None
        if event.device is not None:
            devices[event.device] = None
        if role == "interaction":
            last_interaction = event.at_ms
        if event.store_id is not None and role != "exposure":
            stores.append((event.store_id, event.at_ms))
    return (
        person_id, known, shared, min(first_seen_at, touches[0].at_ms) if touches else first_seen_at,
        touches[-1].at_ms if touches else None, last_interaction, next(iter(channels), None),
        list(channels), list(devices), dict(sorted(kinds.items())), len(touches), sessions, _home(stores),
        journeys, *acquired, *attributes,
    )


def _home(seen: Sequence[tuple[str, int]]) -> str | None:
    """The store seen on most distinct UTC days; at a tie the one seen last, then the least id."""
    if not seen:
        return None
    last: dict[str, int] = dict(seen)
    if len(last) == 1:
        return seen[0][0]
    days: dict[str, int] = dict.fromkeys(last, 0)
    for store, _ in {(store, at_ms // DAY_MS) for store, at_ms in seen}:
        days[store] += 1
    return min(last, key=lambda store: (-days[store], -last[store], store))


def channel_rows(person_id: bytes, touches: Sequence[Event], cut: Cut) -> list[Row]:
    """The person's rows of facts `person_channels`, one for each channel of any touch, by first touch.

    Shape: the touches that `cut` was made of, by (at_ms, event_id).
    Cost:  O(n).
    """
    rows: dict[str, list[int]] = {}
    for event in touches:
        row = rows.get(event.channel)
        if row is None:
            row = rows[event.channel] = [event.at_ms, 0, 0, 0, 0, 0]
        row[1] = event.at_ms
        if event.role == "interaction":
            row[2] += 1
        elif event.role == "exposure":
            row[3] += 1
    for visit in cut.visits:
        rows[visit[_VISIT_CHANNEL]][4] += 1
    for session in cut.sessions:
        rows[session[_ENTRY_CHANNEL]][5] += 1
    return [(person_id, channel, *row) for channel, row in rows.items()]


def sighting_rows(
    person_id: bytes, touches: Sequence[Event], node_of: Callable[[Identifier], bytes]
) -> list[Row]:
    """The person's rows of facts `identifier_sightings`: first and last naming of each identifier in its touches.

    Shape: touches by (at_ms, event_id) -> rows by first naming. node_of gives the node key of an identifier.
    """
    first: dict[Identifier, int] = {}
    last: dict[Identifier, int] = {}
    for event in touches:
        at_ms = event.at_ms
        for kind, value, _ in event.ids:
            identifier = (kind, value)
            first.setdefault(identifier, at_ms)
            last[identifier] = at_ms
    return [
        (person_id, node_of(identifier), *identifier, at_ms, last[identifier]) for identifier, at_ms in first.items()
    ]
