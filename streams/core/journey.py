"""Journeys: one person's way to an order, cut where it is placed or where a pause is longer than the gap.

The cut is over *steps*: interactions, and whatever places an order. A step that places one ends its journey
(converted); what comes later and names that order is its *after-sale*, left out before cutting. An exposure joins the
journey of the next step at most a gap away, else that of the one before it if at most that far back and not converted,
else none. So an exposure never begins, prolongs or parts a journey of its own. Records of what nobody did at the time
(role `record`) are no part of any. Order is by (at_ms, event_id): rows are a function of the set of touchpoints.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from streams.core import ids
from streams.core.event import Event, unpack
from streams.core.facts import content_index
from streams.core.obstacle import first_unanswered, obstacles_of

Place: TypeAlias = tuple[int, str]
"""(at_ms, event_id) of an order's placing event."""

PlaceOf: TypeAlias = Callable[[str], Place | None]
"""Where an order_id was placed, as far as it concerns one person; None where it was not."""

STAGES = ("aware", "consider", "intend", "buy", "after_sale")
"""How far a journey came, each further than those before it."""

_STAGE_OF = {
    "ad_clicked": "aware", "message_opened": "aware", "message_clicked": "aware",
    "cart_updated": "intend", "checkout_started": "intend", "order_requested": "intend",
    "callback_requested": "intend",
}
"""Of interactions; all others consider."""

_RANK = {stage: rank for rank, stage in enumerate(STAGES)}

_SOURCE, _NAME = content_index("campaign_source"), content_index("campaign_name")


class Journey(NamedTuple):
    """A row of facts `journeys`, column by column."""

    person_id: bytes
    journey_id: bytes
    started_at: int
    last_step_at: int
    last_touchpoint_at: int
    order_id: str | None
    path: list[str]
    path_at: list[int]
    path_touchpoints: list[int]
    path_devices: list[str]
    channels: list[str]
    device_switches: int
    touchpoints: int
    start_event_id: str
    start_channel: str
    start_campaign_source: str | None
    start_campaign_name: str | None
    end_channel: str
    end_type: str
    last_device: str | None
    stage: str
    obstacles: list[str]
    unanswered_at: int | None
    after_sale: int


class Stretch:
    """The touchpoints of one journey, in order; `last` is its last step, `order_id` what that placed."""

    __slots__ = ("events", "last", "order_id")

    def __init__(self, events: list[Event], step: Event) -> None:
        self.events = events
        self.last = step
        self.order_id: str | None = None


def is_step(event: Event, places: bool) -> bool:
    """Whether journeys are cut over an event that is nobody's after-sale."""
    return event.role == "interaction" or (places and event.role != "record")


def cut(touches: Iterable[Event], place_of: PlaceOf, gap_ms: int) -> list[Stretch]:
    """Cut one person's touchpoints into journeys.

    Shape: touchpoints of one person, any role, by (at_ms, event_id) -> journeys by start; every step that is no
           after-sale in exactly one.
    Unit:  gap_ms in milliseconds of event time; a pause equal to the gap stays in the journey.
    Cost:  O(n).
    """
    found: list[Stretch] = []
    waiting: list[Event] = []
    """Exposures since the last step."""
    for event in touches:
        places = False
        if event.order_id is not None and (place := place_of(event.order_id)) is not None:
            mine = (event.at_ms, event.event_id)
            places = mine == place
            if mine > place:
                continue
        if is_step(event, places):
            _step(found, waiting, event, gap_ms)
            if places:
                found[-1].order_id = event.order_id
        elif event.role == "exposure":
            waiting.append(event)
    if found:
        _stay_behind(found[-1], waiting, gap_ms)
    return found


def _step(found: list[Stretch], waiting: list[Event], event: Event, gap_ms: int) -> None:
    before = found[-1] if found else None
    if before is not None and before.order_id is None and event.at_ms - before.last.at_ms <= gap_ms:
        before.events += waiting
        before.events.append(event)
        before.last = event
    else:
        near = [e for e in waiting if event.at_ms - e.at_ms <= gap_ms]
        if before is not None:
            _stay_behind(before, waiting[: len(waiting) - len(near)], gap_ms)
        found.append(Stretch([*near, event], event))
    waiting.clear()


def _stay_behind(journey: Stretch, exposures: Iterable[Event], gap_ms: int) -> None:
    if journey.order_id is None:
        journey.events += [e for e in exposures if e.at_ms - journey.last.at_ms <= gap_ms]


def begin(person_id: bytes, event: Event) -> Journey:
    """The journey of one touchpoint; its last step is set by whoever knows whether it is one."""
    source = name = None
    if event.campaign is not None:
        content = unpack(event.content)
        source, name = content[_SOURCE], content[_NAME]
    return Journey(
        person_id, ids.journey_id(event.event_id), event.at_ms, event.at_ms, event.at_ms, None, [event.channel],
        [event.at_ms], [1], [event.device or ""], [event.channel], 0, 1, event.event_id, event.channel, source, name,
        event.channel, event.type, event.device, _stage(event), obstacles_of(event),
        event.at_ms if event.type == "message_received" else None, 0,
    )


def extend(journey: Journey, events: Iterable[Event]) -> Journey:
    """The journey after more touchpoints at its end.

    Shape: the events in order, after all others of the journey -> with them in the path; `last_step_at`, `order_id` and
           the stage `buy` are the caller's.
    """
    (who, journey_id, started_at, last_step_at, last_at, order_id, path, path_at, numbers, devices, channels,
     device_switches, touchpoints, start_event_id, start_channel, source, name, channel, end_type, last_device, stage,
     obstacles, unanswered_at, after_sale) = journey
    path, path_at, numbers, devices, channels = [*path], [*path_at], [*numbers], [*devices], [*channels]
    for event in events:
        last_at, end_type, device = event.at_ms, event.type, event.device
        touchpoints += 1
        if event.channel == channel:
            numbers[-1] += 1
            devices[-1] = devices[-1] or device or ""
        else:
            channel = event.channel
            path.append(channel)
            path_at.append(last_at)
            numbers.append(1)
            devices.append(device or "")
            if channel not in channels:
                channels.append(channel)
        if device is not None:
            device_switches += last_device is not None and device != last_device
            last_device = device
        reached = _stage(event)
        if _RANK[reached] > _RANK[stage]:
            stage = reached
        obstacles = _and(obstacles, event)
        if unanswered_at is None and end_type == "message_received":
            unanswered_at = last_at
    return Journey(
        who, journey_id, started_at, last_step_at, last_at, order_id, path, path_at, numbers, devices, channels,
        device_switches, touchpoints, start_event_id, start_channel, source, name, channel, end_type, last_device,
        stage, obstacles, unanswered_at, after_sale,
    )


def convert(journey: Journey, order_id: str) -> Journey:
    """The journey whose last touchpoint placed an order."""
    return journey._replace(order_id=order_id, stage="buy")


def follow(journey: Journey, event: Event) -> Journey:
    """A converted journey after one more touchpoint of its after-sale, at the end of all others."""
    waits = journey.unanswered_at is None and event.type == "message_received"
    return journey._replace(
        stage="after_sale", after_sale=journey.after_sale + 1, obstacles=_and(journey.obstacles, event),
        unanswered_at=event.at_ms if waits else journey.unanswered_at,
    )


def row(
    person_id: bytes, stretch: Stretch, after_sale: Sequence[Event], later: Callable[[Event], Iterable[Event]],
) -> Journey:
    """The row of facts `journeys`.

    Shape: after_sale of the person alone, in order; `later` gives the person's touchpoints after one, in order.
    Cost:  O(n).
    """
    journey = begin(person_id, stretch.events[0])
    if len(stretch.events) > 1:
        journey = extend(journey, stretch.events[1:])._replace(last_step_at=stretch.last.at_ms)
    if stretch.order_id is not None:
        journey = convert(journey, stretch.order_id)
    for event in after_sale:
        journey = follow(journey, event)
    if journey.unanswered_at is not None:
        journey = journey._replace(unanswered_at=first_unanswered([*stretch.events, *after_sale], later))
    return journey


def _and(known: list[str], event: Event) -> list[str]:
    more = [obstacle for obstacle in obstacles_of(event) if obstacle not in known]
    return [*known, *more] if more else known


def _stage(event: Event) -> str:
    return "aware" if event.role == "exposure" else _STAGE_OF.get(event.type, "consider")


class Course(NamedTuple):
    """Rows of facts `journeys`, the journey of each touchpoint (by event_id) that has one, and what is after-sale."""

    journeys: list[Journey]
    journey_of: dict[str, bytes]
    after_sale: set[str]


def course(person_id: bytes, touches: Sequence[Event], place_of: PlaceOf, gap_ms: int) -> Course:
    """All journeys of one person.

    Shape: touchpoints of one person, any role, by (at_ms, event_id).
    Cost:  O(n).
    """
    result = Course([], {}, set())
    sold: dict[str, list[Event]] = {}
    for event in touches:
        if event.order_id is not None and is_after_sale(event, place_of):
            sold.setdefault(event.order_id, []).append(event)
            result.after_sale.add(event.event_id)
    for stretch in cut(touches, place_of, gap_ms):
        after = sold.get(stretch.order_id, []) if stretch.order_id is not None else []
        journey = row(person_id, stretch, after, lambda event: later(touches, event))
        result.journeys.append(journey)
        for event in (*stretch.events, *after):
            result.journey_of[event.event_id] = journey.journey_id
    return result


def is_after_sale(event: Event, place_of: PlaceOf) -> bool:
    if event.order_id is None:
        return False
    place = place_of(event.order_id)
    return place is not None and (event.at_ms, event.event_id) > place


def later(touches: Sequence[Event], event: Event) -> Iterator[Event]:
    """The touchpoints after one of them, in order."""
    mine = (event.at_ms, event.event_id)
    for n in range(bisect_right(touches, mine, key=lambda e: (e.at_ms, e.event_id)), len(touches)):
        yield touches[n]
