"""Orders: one row with its lines, returns and shipments, folded from every event that names the order, whoever's
touchpoints they are.

The placing event is the earliest order_placed, else the earliest order_paid; who bought and where are its. A step of
the order is of the earliest event that takes it; every other field is of the last event carrying it; of a return the
last event counts. Events are ordered by (at_ms, event_id), so rows are a function of the set. Amounts and quantities
are whole numbers of 1/10,000; a result that the sinks' Decimal(18, 4) cannot hold stays at its largest value.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from streams.core.event import SCALE, Event, unpack
from streams.core.facts import Row
from streams.core.payment import Taken, paid
from streams.core.returned import Back, Returns, back, note, order_return_rows
from streams.core.shipment import Delivery, shipment_rows
from streams.core.worth import Record, ratio, worth

_STEPS = {
    "order_requested": ("requested",),
    "order_placed": ("placed",),
    "order_paid": ("paid", "placed_by_payment"),
    "payment_received": ("paid",),
    "order_ready": ("ready",),
    "order_fulfilled": ("fulfilled",),
    "order_cancelled": ("cancelled",),
}
_REVIVING = frozenset({"order_placed", "order_updated", "order_fulfilled"})
"""What happens to a cancelled order for it to be alive again."""
_TAKING_MONEY = frozenset({"order_paid", "payment_received"})


class _Story:
    """What the events of one order tell, folded in their order."""

    __slots__ = (
        "cancelled", "carried_out", "deliveries", "delivery", "first", "methods", "receipts", "returns", "taken",
        "told",
    )

    def __init__(self) -> None:
        self.first: dict[str, Event] = {}
        """The earliest event of each step."""
        self.told: dict[str, Any] = {}
        """Fields of the order, each from the last event carrying it."""
        self.delivery: dict[str, Any] = {}
        self.deliveries: list[tuple[Event, Delivery]] = []
        """What each event tells of a delivery; nothing where it tells only that one was made."""
        self.taken: list[Taken] = []
        self.methods: dict[str, None] = {}
        self.receipts: dict[str, None] = {}
        self.returns: Returns = {}
        self.carried_out = False
        self.cancelled = False

    def add(self, event: Event) -> None:
        document = unpack(event.order) if event.order else {}
        order = document.get("order") or {}
        delivery = order.get("delivery")
        self.told.update(order)
        self.delivery.update(delivery or {})
        if delivery or event.type == "order_fulfilled":
            self.deliveries.append((event, delivery or {}))
        if "points_spent" in document:
            self.told["points_spent"] = document["points_spent"]
        if "receipt_id" in order:
            self.receipts[order["receipt_id"]] = None
        for payment in order.get("payments") or ():
            self.methods[payment["method"]] = None
        for step in _STEPS.get(event.type, ()):
            self.first.setdefault(step, event)
        is_receipt = event.type == "order_placed" and event.channel == "pos" and bool(order.get("payments"))
        if is_receipt:
            self.first.setdefault("paid", event)
            if delivery is None or delivery.get("method") == "carry_out":
                self.first.setdefault("fulfilled", event)
                self.carried_out = True
        if is_receipt or event.type in _TAKING_MONEY:
            amounts = [payment["amount"] for payment in order.get("payments") or () if "amount" in payment]
            self.taken.append(Taken(event.at_ms, sum(amounts) if amounts else None, event.type != "payment_received"))
        if "return" in document:
            note(self.returns, event, document["return"])
        if event.type == "order_cancelled":
            self.cancelled = True
        elif event.type in _REVIVING:
            self.cancelled = False

    @property
    def placing(self) -> Event | None:
        return self.first.get("placed") or self.first.get("placed_by_payment")


class OrderRows(NamedTuple):
    """The order's row of facts `orders`, and its rows of `order_items`, `returns` and `shipments`."""

    order: Row
    items: list[Row]
    returns: list[Row]
    shipments: list[Row]


def order_rows(
    order_id: str, events: Sequence[Event], person_of: Callable[[Event], tuple[bytes, bool]],
    identified_by: Callable[[Event], str | None],
) -> OrderRows:
    """All rows of an order.

    Shape: n > 0 distinct events that name the order, any role, any order. person_of gives (person_id, shared) of an
           event's touchpoint; identified_by the strongest unshared kind of strength >= 60 that an event carries.
           With no placing event placed_at is None, the person is the earliest event's, and nothing identified it.
           suspected_duplicate_of is None: that is a matter of several orders (`streams.core.alike`).
    Cost:  O(n log n) and one decoding of each event's `order`.
    """
    events = sorted(events, key=lambda e: (e.at_ms, e.event_id))
    story = _Story()
    for event in events:
        story.add(event)
    told = story.told
    items = _by_line_id(told.get("items") or ())
    currency = told.get("currency") or next((line["currency"] for line in items.values() if "currency" in line), None)
    total = told["total"] if "total" in told else worth(items.values())
    returned = back(story.returns, items, total)
    revenue = 0 if story.cancelled else None if total is None else max(0, total - returned.amount)
    placing = story.placing
    person_id, person_shared = person_of(placing or events[0])
    kind = identified_by(placing) if placing else None
    placed_at, placed_channel, placed_store_id = _step(placing)
    requested_at, requested_channel, _ = _step(story.first.get("requested"))
    ready_at, _, ready_store_id = _step(story.first.get("ready"))
    cancelled_at, cancelled_channel, _ = _step(story.first.get("cancelled"))
    row = (
        person_id, order_id, person_shared, requested_at, requested_channel, placed_at, placed_channel,
        placing.device if placing else None, placed_store_id, placing.staff if placing else None,
        *_step(story.first.get("paid")), list(story.methods), ready_at, ready_store_id,
        *_step(story.first.get("fulfilled")),
        story.delivery.get("method") or ("carry_out" if story.carried_out else None),
        story.delivery.get("promised_at"), cancelled_at, cancelled_channel, _status(story, total, returned),
        total, currency, revenue, _margin(told.get("margin"), revenue, total), returned.amount,
        told.get("discount"), told.get("shipping"), told.get("tax"), told.get("points_spent"), told.get("promo_code"),
        kind is None, kind, list(story.receipts), returned.number, *paid(story.taken, total),
        story.delivery.get("store_id"), None,
    )
    item_rows = [
        (
            person_id, order_id, line_id, line["sku"], line.get("name"), line.get("category"), line.get("brand"),
            line.get("quantity", SCALE), line.get("unit"), returned.quantities.get(line_id, 0), line.get("price"),
            line.get("discount"), line.get("margin"), line.get("currency") or currency,
            placed_at, placed_channel, placed_store_id,
        )
        for line_id, line in items.items()
    ]
    of = person_id, person_shared, order_id
    return OrderRows(
        row, item_rows,
        order_return_rows(*of, story.returns, returned.amounts, total, currency, placed_channel),
        shipment_rows(*of, story.deliveries, story.cancelled, currency) if story.deliveries else [],
    )


def placed_by(events: Iterable[Event]) -> Event | None:
    """The placing event of one order's events: the earliest order_placed, else the earliest order_paid."""
    found: dict[str, Event] = {}
    for event in events:
        first = found.get(event.type)
        if first is None or (event.at_ms, event.event_id) < (first.at_ms, first.event_id):
            found[event.type] = event
    return found.get("order_placed") or found.get("order_paid")


def _step(event: Event | None) -> tuple[int | None, str | None, str | None]:
    """When, on which channel and in which store."""
    return (event.at_ms, event.channel, event.store_id) if event else (None, None, None)


def _by_line_id(lines: Sequence[Record]) -> dict[str, Record]:
    """Lines by line_id, absent ones by their 1-based index; a repeated one gets `#index`, for it is part of a key."""
    named: dict[str, Record] = {}
    for index, line in enumerate(lines, 1):
        line_id = line.get("line_id") or str(index)
        while line_id in named:
            line_id = f"{line_id}#{index}"
        named[line_id] = line
    return named


def _margin(margin: int | None, revenue: int | None, total: int | None) -> int | None:
    """The margin told, in proportion to what is left of the total; None where the total is unknown or nothing."""
    return ratio(margin, revenue, total) if margin is not None and revenue is not None and total else None


def _status(story: _Story, total: int | None, returned: Back) -> str:
    """The furthest step; a cancellation stands above all that did not revive the order after it."""
    if story.cancelled:
        return "cancelled"
    if returned.amount:
        return "partly_returned" if total is None or returned.amount < total else "returned"
    for step in ("fulfilled", "ready", "paid", "placed"):
        if step in story.first:
            return step
    return "requested"
