"""One person's journeys, each touchpoint asked by itself where it belongs."""

from collections.abc import Mapping
from itertools import groupby, pairwise
from typing import Any

from streams.core.event import Event, unpack
from streams.core.facts import CONTENT, Row
from tests.oracle.touches import distinct, id_of, in_order

HOUR_MS = 3_600_000
FAR = ["aware", "consider", "intend", "buy", "after_sale"]
LOOKS = {"ad_clicked", "message_opened", "message_clicked"}
WANTS = {"cart_updated", "checkout_started", "order_requested", "callback_requested"}


class Journeys:
    """`placing` is the placing event of every order that touchpoints of this person name, by order_id, if it has one.

    `found` are the journeys, each a list of its interactions and exposures (and of what places an order).
    """

    def __init__(self, person: bytes, events: list[Event], placing: Mapping[str, Event | None], gap_ms: int) -> None:
        self.person, self.events, self.placing, self.gap_ms = person, in_order(events), placing, gap_ms
        self.steps = [e for e in self.events if self._is_step(e)]
        self.found: list[list[Event]] = []
        for n, step in enumerate(self.steps):
            if n == 0 or self.places(self.steps[n - 1]) or step.at_ms - self.steps[n - 1].at_ms > gap_ms:
                self.found.append([])
            self.found[-1].append(step)
        for e in self.events:
            is_exposure = e.role == "exposure" and e not in self.steps and not self.is_after_sale(e)
            if is_exposure and (step := self._neighbour(e)) is not None:
                next(j for j in self.found if step in j).append(e)
        self.found = [in_order(j) for j in self.found]
        self.journey_of = {e.event_id: id_of("journey", j) for j in self.found for e in (*j, *self.after_sale(j))}

    def places(self, e: Event) -> bool:
        placing = self._placing(e)
        return placing is not None and placing.event_id == e.event_id

    def is_after_sale(self, e: Event) -> bool:
        placing = self._placing(e)
        return placing is not None and (placing.at_ms, placing.event_id) < (e.at_ms, e.event_id)

    def after_sale(self, journey: list[Event]) -> list[Event]:
        order = self.order_of(journey)
        return [e for e in self.events if order is not None and e.order_id == order and self.is_after_sale(e)]

    def order_of(self, journey: list[Event]) -> str | None:
        return next((e.order_id for e in journey if self.places(e)), None)

    def _placing(self, e: Event) -> Event | None:
        return None if e.order_id is None else self.placing[e.order_id]

    def _is_step(self, e: Event) -> bool:
        acts = e.role == "interaction" or self.places(e)
        return acts and e.role != "record" and not self.is_after_sale(e)

    def _neighbour(self, e: Event) -> Event | None:
        """The step that an exposure goes with."""
        here = (e.at_ms, e.event_id)
        after = [s for s in self.steps if (s.at_ms, s.event_id) > here]
        before = [s for s in self.steps if (s.at_ms, s.event_id) < here]
        if after and after[0].at_ms - e.at_ms <= self.gap_ms:
            return after[0]
        if before and e.at_ms - before[-1].at_ms <= self.gap_ms and not self.places(before[-1]):
            return before[-1]
        return None

    def rows(self) -> list[Row]:
        return [self._row(j) for j in self.found]

    def _row(self, j: list[Event]) -> Row:
        steps, after = [e for e in j if e in self.steps], self.after_sale(j)
        runs = [list(run) for _, run in groupby(j, key=lambda e: e.channel)]
        devices = [e.device for e in j if e.device is not None]
        start = dict(zip((c.name for c in CONTENT), unpack(j[0].content), strict=True))
        return (
            self.person, id_of("journey", j), j[0].at_ms, steps[-1].at_ms, j[-1].at_ms, self.order_of(j),
            [run[0].channel for run in runs], [run[0].at_ms for run in runs], [len(run) for run in runs],
            [next((e.device for e in run if e.device is not None), "") for run in runs],
            distinct(e.channel for e in j), sum(a != b for a, b in pairwise(devices)), len(j),
            j[0].event_id, j[0].channel, start["campaign_source"], start["campaign_name"],
            j[-1].channel, j[-1].type, devices[-1] if devices else None,
            self._stage(j, after), distinct(o for e in (*j, *after) for o in obstacles(e)),
            next((e.at_ms for e in (*j, *after) if self._is_unanswered(e)), None), len(after),
        )

    def _stage(self, j: list[Event], after: list[Event]) -> str:
        stages = {"after_sale"} if after else set()
        for e in j:
            if self.places(e):
                stages.add("buy")
            elif e.role == "exposure" or e.type in LOOKS:
                stages.add("aware")
            else:
                stages.add("intend" if e.type in WANTS else "consider")
        return max(stages, key=FAR.index)

    def _is_unanswered(self, message: Event) -> bool:
        if message.type != "message_received":
            return False
        here = (message.at_ms, message.event_id)
        soon = [e for e in self.events if (e.at_ms, e.event_id) > here and e.at_ms <= message.at_ms + HOUR_MS]
        return not any(_answers(e, message) for e in soon)


def _answers(e: Event, message: Event) -> bool:
    if e.type in ("call_answered", "callback_done"):
        return True
    if e.type != "message_sent":
        return False
    talks = {e.conversation_id, message.conversation_id}
    return e.channel == message.channel if None in talks else len(talks) == 1


def obstacles(e: Event) -> list[str]:
    told: dict[str, Any] = unpack(e.order) if e.order else {}
    delivery = told.get("order", {}).get("delivery", {})
    named = {"payment_failed": "payment_failed", "call_missed": "call_missed", "complaint_made": "complaint"}
    found = [named[e.type]] if e.type in named else []
    if e.unavailable or e.type == "back_in_stock_requested":
        found.append("product_unavailable")
    if delivery.get("status") == "delayed":
        found.append("delivery_delayed")
    if told.get("return", {}).get("outcome") == "refused":
        found.append("return_refused")
    return found
