"""Journeys after one more touchpoint, at the cost of what it changes: a part of `increment`, equal to the whole.

The commonest touchpoint is the person's last and goes on with the last journey. Otherwise journeys are cut again
between the two nearest *fences*: places where no touchpoint joins the journey of one beyond, whatever comes between. A
fence is a pause of all touchpoints longer than the gap, or the end of a journey that an order's placing made.
"""

from collections.abc import Iterator

from streams.core import journey
from streams.core.cluster import Cluster
from streams.core.event import Event
from streams.core.journey import Journey, PlaceOf, is_after_sale, is_step
from streams.core.obstacle import ANSWER_WITHIN_MS, ANSWERS, first_unanswered
from streams.core.rows import Changes, Person, View
from streams.core.shaping import Shaping
from streams.core.stories import AFTER_SALE, JOURNEY, after_sale, places


def place(cluster: Cluster, seen: View, event: Event) -> bool:
    """Learn where the order that a new touchpoint names was placed; whether no other touchpoint is told anew thereby.

    A placing moves where an earlier one comes to light, and what was no after-sale is one by a placing before it.
    """
    order_id = event.order_id
    assert order_id is not None, "only of an event about an order"
    before = seen.places.get(order_id, {})
    after = seen.places[order_id] = places(cluster, seen, order_id)
    mine = (event.at_ms, event.event_id)
    for whose in before.keys() | after.keys():
        if before.get(whose) == after.get(whose):
            continue
        if whose in before or after[whose] != mine:
            return False
    if before == after:
        return True
    others = (cluster.events[i][0].event for i in cluster.orders[order_id] if i in seen.owner_of)
    return all((e.at_ms, e.event_id) <= mine for e in others)


class Retrace:
    """One more touchpoint, number `at` of a person who is not shared; rows go into `changes`, where its own is."""

    def __init__(
        self, changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, person: Person, at: int,
    ) -> None:
        self._changes, self._cluster, self._seen, self._rows = changes, cluster, seen, seen.rows
        self._who, self._touches, self._at = person.person_id, person.touches, at
        self._gap_ms = shaping.journey_gap_ms
        self._place_of: PlaceOf = seen.place_of(person.person_id)
        self._event: Event = person.touches[at][0]
        self.orders: set[str] = set()
        """Orders whose journey, or whose touches in it, may be others."""

    def run(self) -> int:
        """Do it; returns how many journeys there are more."""
        event, more = self._event, 0
        if is_after_sale(event, self._place_of):
            more = self._follow()
        elif event.role == "exposure" or is_step(event, self._places(event)):
            went_on = self._go_on() if self._at == len(self._touches) - 1 else None
            more = self._cut_again(self._at) if went_on is None else went_on
        if event.type in ANSWERS:
            self._answer()
        return more

    def _places(self, event: Event) -> bool:
        return event.order_id is not None and self._place_of(event.order_id) == (event.at_ms, event.event_id)

    def _go_on(self) -> int | None:
        """The touchpoint comes last: extend the journey before it, or begin one; None where more than that changes."""
        event, gap_ms = self._event, self._gap_ms
        places = self._places(event)
        before, is_waiting = self._before()
        is_open = before is not None and before.order_id is None
        if is_open and before is not None and event.at_ms - before.last_step_at <= gap_ms:
            after = journey.extend(before, (event,))
        elif not is_step(event, places):
            return 0
        elif is_waiting or is_open:
            return None
        else:
            after, before = journey.begin(self._who, event), None
        if is_step(event, places):
            after = after._replace(last_step_at=event.at_ms)
            if places and event.order_id is not None:
                after = journey.convert(after, event.order_id)
                self.orders.add(event.order_id)
        self._changes["journeys", self._who, after.journey_id] = after
        self._assign(event, after.journey_id, False)
        return int(before is None)

    def _before(self) -> tuple[Journey | None, bool]:
        """The journey of the last touchpoint that has one, not further back than the gap, and whether an exposure that
        has none comes after it."""
        is_waiting = False
        for event in self._back(self._gap_ms):
            row = self._rows["touchpoints", self._who, event.event_id]
            if row[AFTER_SALE]:
                continue
            if row[JOURNEY] is not None:
                return self._journey(row[JOURNEY]), is_waiting
            is_waiting = is_waiting or event.role == "exposure"
        return None, is_waiting

    def _back(self, within_ms: int) -> Iterator[Event]:
        """The touchpoints before the new one, the latest first, not further back."""
        since_ms = self._event.at_ms - within_ms
        for n in range(self._at - 1, -1, -1):
            event = self._touches[n][0]
            if event.at_ms < since_ms:
                return
            yield event

    def _follow(self) -> int:
        """After-sale belongs to the journey that its order ended, where that is this person's."""
        event = self._event
        assert event.order_id is not None
        place = self._place_of(event.order_id)
        assert place is not None
        ended = self._rows.get(("touchpoints", self._who, place[1]))
        journey_id = ended[JOURNEY] if ended is not None else None
        self._assign(event, journey_id, True)
        if journey_id is None:
            return 0
        if event.role == "interaction" and self._at < len(self._touches) - 1:
            self._cut_again(self._at)  # a late interaction may bind two visits together, in another journey too
        if self._at == len(self._touches) - 1:
            self._changes["journeys", self._who, journey_id] = journey.follow(self._journey(journey_id), event)
            return 0
        return self._cut_again(self._index(place))

    def _index(self, place: journey.Place) -> int:
        return next(n for n, (event, _, _) in enumerate(self._touches) if (event.at_ms, event.event_id) == place)

    def _cut_again(self, at: int) -> int:
        """Cut the journeys between the fences around number `at`."""
        start, end = self._fences(at)
        events = [event for event, _, _ in self._touches[start:end]]
        told = [event for event in events if not is_after_sale(event, self._place_of)]
        rows = (self._rows.get(("touchpoints", self._who, event.event_id)) for event in told)
        old = {row[JOURNEY] for row in rows if row is not None and row[JOURNEY] is not None}
        for journey_id in old:
            self._changes["journeys", self._who, journey_id] = None
        journey_of: dict[str, bytes] = {}
        stretches = journey.cut(told, self._place_of, self._gap_ms)
        for stretch in stretches:
            made = self._make(stretch)
            for event in stretch.events:
                journey_of[event.event_id] = made.journey_id
        for event in told:
            self._assign(event, journey_of.get(event.event_id), False)
        return len(stretches) - len(old)

    def _make(self, stretch: journey.Stretch) -> Journey:
        after: list[Event] = []
        if stretch.order_id is not None:
            place = (stretch.last.at_ms, stretch.last.event_id)
            after = after_sale(self._cluster, self._seen, self._who, stretch.order_id, place)
            self.orders.add(stretch.order_id)
        made = journey.row(self._who, stretch, after, self._later)
        self._changes["journeys", self._who, made.journey_id] = made
        for event in after:
            self._assign(event, made.journey_id, True)
        return made

    def _fences(self, at: int) -> tuple[int, int]:
        touches, gap_ms = self._touches, self._gap_ms
        start, end = at, at + 1
        while start > 0 and touches[start][0].at_ms - touches[start - 1][0].at_ms <= gap_ms:
            if self._ends(touches[start - 1][0]):
                break
            start -= 1
        while end < len(touches) and touches[end][0].at_ms - touches[end - 1][0].at_ms <= gap_ms:
            end += 1
            if self._ends(touches[end - 1][0]):
                break
        return start, end

    def _ends(self, event: Event) -> bool:
        """Whether a touchpoint ends its journey."""
        places = self._places(event)
        return places and is_step(event, places)

    def _assign(self, event: Event, journey_id: bytes | None, is_after: bool) -> None:
        """The journey of a touchpoint, in its row."""
        key = ("touchpoints", self._who, event.event_id)
        row = self._changes.get(key) or self._rows[key]
        if row[JOURNEY] != journey_id or row[AFTER_SALE] != is_after:
            self._changes[key] = (*row[:JOURNEY], journey_id, is_after, *row[AFTER_SALE + 1 :])

    def _answer(self) -> None:
        """Messages from the customer that this touchpoint answers in time are no obstacle any more."""
        answered: set[bytes] = set()
        for event in self._back(ANSWER_WITHIN_MS):
            if event.type == "message_received" and (journey_id := self._journey_of(event)) is not None:
                answered.add(journey_id)
        for journey_id in answered:
            found = self._journey(journey_id)
            first_ms = found.unanswered_at
            if first_ms is not None and self._event.at_ms - first_ms <= ANSWER_WITHIN_MS:
                theirs = [
                    event for event, _, _ in self._touches
                    if event.at_ms >= first_ms and event.type == "message_received"
                    and self._journey_of(event) == journey_id
                ]
                unanswered_at = first_unanswered(theirs, self._later)
                self._changes["journeys", self._who, journey_id] = found._replace(unanswered_at=unanswered_at)

    def _journey_of(self, event: Event) -> bytes | None:
        key = ("touchpoints", self._who, event.event_id)
        row = self._changes.get(key) or self._rows[key]
        journey_id: bytes | None = row[JOURNEY]
        return journey_id

    def _journey(self, journey_id: bytes) -> Journey:
        key = ("journeys", self._who, journey_id)
        found = self._changes.get(key) or self._rows[key]
        assert isinstance(found, Journey)
        return found

    def _later(self, event: Event) -> Iterator[Event]:
        return journey.later([event for event, _, _ in self._touches], event)
