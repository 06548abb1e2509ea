"""What follows from one person's touches: sessions, visits, channels, the row of the person.

Every function takes events of one person; all sort by (occurred_at, event_id) first.
"""

import hashlib
from collections.abc import Iterable
from itertools import groupby, pairwise
from typing import Any

from streams.core.event import Event
from streams.core.facts import Row
from tests.oracle.identity import DAY_MS
from tests.oracle.keys import uuid8

Cut = list[Event]


def in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda e: (e.at_ms, e.event_id))


def distinct(values: Iterable[Any]) -> list[Any]:
    """Without None, each once, in order of first use."""
    return list(dict.fromkeys(v for v in values if v is not None))


def cut(events: Iterable[Event], gap_ms: int) -> list[Cut]:
    """Stretches of events between pauses longer than the gap; a pause equal to it does not cut."""
    out: list[Cut] = []
    for e in in_order(events):
        if out and e.at_ms - out[-1][-1].at_ms <= gap_ms:
            out[-1].append(e)
        else:
            out.append([e])
    return out


def interactions(events: Iterable[Event]) -> list[Event]:
    return [e for e in in_order(events) if e.role == "interaction"]


def sessions_of(events: Iterable[Event], gap_ms: int) -> list[Cut]:
    return cut(interactions(events), gap_ms)


def visits_of(events: Iterable[Event], gap_ms: int) -> list[Cut]:
    """The same cut over each (channel, device) alone."""
    acts = interactions(events)
    places = {(e.channel, e.device) for e in acts}
    return [v for place in places for v in cut([e for e in acts if (e.channel, e.device) == place], gap_ms)]


def id_of(kind: str, stretch: Cut) -> bytes:
    """The UUID of a session or a visit: from the event id of its first touchpoint."""
    return uuid8(hashlib.blake2b(f"{kind}\0{stretch[0].event_id}".encode(), digest_size=16).digest())


def _changes(values: list[Any]) -> int:
    return sum(a != b for a, b in pairwise(values))


def session_row(person: bytes, s: Cut) -> Row:
    devices = [e.device for e in s if e.device is not None]
    runs = [device for device, _ in groupby(devices)]
    return (
        person, id_of("session", s), s[0].at_ms, s[-1].at_ms, len(s), distinct(e.channel for e in s),
        distinct(devices), _changes([e.channel for e in s]), _changes(devices), len(runs) > len(set(runs)),
        s[0].channel, s[-1].channel, s[0].campaign, distinct(e.store_id for e in s), distinct(e.order_id for e in s),
    )


def visit_row(person: bytes, v: Cut, session_id: bytes) -> Row:
    return (
        person, id_of("visit", v), session_id, v[0].at_ms, v[-1].at_ms, len(v), v[0].channel, v[0].device,
        v[0].referrer, v[0].campaign, distinct(e.store_id for e in v), distinct(e.order_id for e in v),
    )


def channel_rows(person: bytes, touches: list[Event], sessions: list[Cut], visits: list[Cut]) -> list[Row]:
    rows: list[Row] = []
    for channel in {e.channel for e in touches}:
        here = [e for e in touches if e.channel == channel]
        times = [e.at_ms for e in here]
        rows.append((
            person, channel, min(times), max(times),
            sum(e.role == "interaction" for e in here), sum(e.role == "exposure" for e in here),
            sum(v[0].channel == channel for v in visits), sum(s[0].channel == channel for s in sessions),
        ))
    return rows


def home_store(touches: list[Event]) -> str | None:
    """The store seen on most days; ties: the latest touch, then the least id."""
    there = [e for e in touches if e.store_id is not None and e.role not in ("exposure", "record")]
    def preference(store: str) -> tuple[int, int, str]:
        times = [e.at_ms for e in there if e.store_id == store]
        return -len({at // DAY_MS for at in times}), -max(times), store
    return min({e.store_id for e in there if e.store_id}, key=preference, default=None)


def person_row(
    person: bytes, *, known: bool, shared: bool, first_seen_ms: int, kinds: dict[str, int], touches: list[Event],
    sessions: int, journeys: int, acquired: tuple[Any, ...], attributes: tuple[Any, ...],
) -> Row:
    """`first_seen_ms` and `kinds` are of the person's identifiers."""
    met = [e for e in in_order(touches) if e.role != "record"]
    channels = distinct(e.channel for e in met)
    times = [e.at_ms for e in touches]
    return (
        person, known, shared, min([first_seen_ms, *times]), max(times, default=None),
        max((e.at_ms for e in interactions(touches)), default=None), channels[0] if channels else None, channels,
        distinct(e.device for e in met), kinds, len(touches), sessions, home_store(touches), journeys,
        *acquired, *attributes,
    )
