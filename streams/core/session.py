"""Sessions and visits: one person's interactions, cut where a pause is longer than the gap.

Only interactions count: what we did, what a sensor saw and what was written down start and prolong nothing. A session
runs over all channels and devices; a visit is the same cut over one (channel, device). A pause inside a visit is never
longer than the gap, so a visit lies within one session. Order is by (at_ms, event_id); a late event needs no special
case, for rows are always those of the whole set.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streams.core import ids
from streams.core.event import Event
from streams.core.facts import Row


class Cut(NamedTuple):
    """Rows of facts `sessions` and `visits`, and to which of them an interaction (by event_id) belongs."""

    sessions: list[Row]
    visits: list[Row]
    session_of: dict[str, bytes]
    visit_of: dict[str, bytes]


def cut(person_id: bytes, touches: Sequence[Event], gap_ms: int) -> Cut:
    """Cut one person's touchpoints into sessions and visits.

    Shape: touchpoints of one person, any role, by (at_ms, event_id) -> sessions by start; visits by session, then by
           first use of their (channel, device), then by start. Every interaction is in exactly one of each.
    Unit:  gap_ms in milliseconds of event time; a pause equal to the gap stays in the session.
    Cost:  O(n).
    """
    result = Cut([], [], {}, {})
    for run in runs([e for e in touches if e.role == "interaction"], gap_ms):
        session_id = ids.session_id(run[0].event_id)
        result.sessions.append(_session(person_id, session_id, run))
        for event in run:
            result.session_of[event.event_id] = session_id
        for part in _visits(run, gap_ms):
            visit_id = ids.visit_id(part[0].event_id)
            result.visits.append(_visit(person_id, visit_id, session_id, part))
            for event in part:
                result.visit_of[event.event_id] = visit_id
    return result


def runs(events: Sequence[Event], gap_ms: int) -> Iterable[Sequence[Event]]:
    """The longest stretches of ordered events without a pause longer than the gap."""
    if not events or events[-1].at_ms - events[0].at_ms <= gap_ms:
        return (events,) if events else ()
    runs = []
    start, before = 0, events[0].at_ms
    for i, event in enumerate(events):
        if event.at_ms - before > gap_ms:
            runs.append(events[start:i])
            start = i
        before = event.at_ms
    runs.append(events[start:])
    return runs


def _visits(run: Sequence[Event], gap_ms: int) -> Iterable[Sequence[Event]]:
    if len(run) == 1:
        return (run,)
    groups: dict[tuple[str, str | None], list[Event]] = {}
    for event in run:
        groups.setdefault((event.channel, event.device), []).append(event)
    return (part for group in groups.values() for part in runs(group, gap_ms))


def _session(person_id: bytes, session_id: bytes, run: Sequence[Event]) -> Row:
    """Facts `sessions`; dicts serve as sets that keep the order of first use."""
    first = run[0]
    channels: dict[str, None] = {}
    devices: dict[str, None] = {}
    stores: dict[str, None] = {}
    orders: dict[str, None] = {}
    channel, last_device = first.channel, None
    switches = device_switches = 0
    parallel = False
    for event in run:
        if event.channel != channel:
            switches += 1
            channel = event.channel
        channels[channel] = None
        device = event.device
        if device is not None and device != last_device:
            if last_device is not None:
                device_switches += 1
                parallel = parallel or device in devices
            devices[device] = None
            last_device = device
        if event.store_id is not None:
            stores[event.store_id] = None
        if event.order_id is not None:
            orders[event.order_id] = None
    return (
        person_id, session_id, first.at_ms, run[-1].at_ms, len(run), list(channels), list(devices),
        switches, device_switches, parallel, first.channel, channel, first.campaign, list(stores), list(orders),
    )


def _visit(person_id: bytes, visit_id: bytes, session_id: bytes, part: Sequence[Event]) -> Row:
    """Facts `visits`."""
    first = part[0]
    stores = {e.store_id: None for e in part if e.store_id is not None}
    orders = {e.order_id: None for e in part if e.order_id is not None}
    return (
        person_id, visit_id, session_id, first.at_ms, part[-1].at_ms, len(part), first.channel, first.device,
        first.referrer, first.campaign, list(stores), list(orders),
    )


def extend(session: Row, visit: Row | None, event: Event, last_device: str | None) -> tuple[Row, Row]:
    """The rows of a session and of a visit in it after one more interaction at their end.

    Shape: `visit` is the one that goes on, None where the interaction begins one; `last_device` the device last used
           in the session -> (session, visit), equal to what `cut` makes of all of it.
    """
    head, (_, touches, channels, devices, switches, device_switches, parallel) = session[:3], session[3:10]
    entry_channel, exit_channel, campaign, stores, orders = session[10:]
    device = event.device
    if device is not None and device != last_device and last_device is not None:
        device_switches += 1
        parallel = parallel or device in devices
    extended = (
        *head, event.at_ms, touches + 1, _and(channels, event.channel), _and(devices, device),
        switches + (event.channel != exit_channel), device_switches, parallel, entry_channel, event.channel, campaign,
        _and(stores, event.store_id), _and(orders, event.order_id),
    )
    if visit is None:
        return extended, _visit(session[0], ids.visit_id(event.event_id), session[1], (event,))
    started, (_, touches, *told), (stores, orders) = visit[:4], visit[4:10], visit[10:]
    return extended, (
        *started, event.at_ms, touches + 1, *told, _and(stores, event.store_id), _and(orders, event.order_id),
    )


def _and(known: list[str], one: str | None) -> list[str]:
    return known if one is None or one in known else [*known, one]
