"""One order as the fold of every event that names it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from streams.core.event import SCALE, Event, unpack
from streams.core.facts import Row
from tests.oracle import parcels, returns
from tests.oracle.identity import KNOWN_STRENGTH, Identity
from tests.oracle.touches import distinct

if TYPE_CHECKING:
    from tests.oracle.batch import Touch

LADDER = ("requested", "placed", "paid", "ready", "fulfilled", "partly_returned", "returned")


def gather(kept: list["Touch"], identity: Identity) -> Iterable["Order"]:
    """An order_id that is not shared is one order wherever its events are; a shared one is one for each person."""
    found: dict[tuple[Any, str], list[Touch]] = defaultdict(list)
    for touch in kept:
        e = touch.event
        if e.order_id is not None:
            shared = ("order_id", e.order_id) in identity.shared
            whose: Any = touch.person if shared else identity.component[identity.anchor(e)]
            found[whose, e.order_id].append(touch)
    return [Order(touches, identity) for touches in found.values()]


def rounded(value: Fraction) -> int:
    """Half to even, as `round` of a Fraction does."""
    return round(value)


class Order:
    """`row` (with nothing suspected), `items`, `back` (returns) and `sent` (shipments) of one order."""

    def __init__(self, touches: list["Touch"], identity: Identity) -> None:
        self.touches = sorted(touches, key=lambda t: (t.event.at_ms, t.event.event_id))
        self.events = [t.event for t in self.touches]
        self.told = {e.event_id: unpack(e.order) if e.order else {} for e in self.events}
        self.placing = self._first("order_placed") or self._first("order_paid")
        deciding = self.placing or self.events[0]
        owner = next(t for t in self.touches if t.event is deciding)
        self.person, self.person_shared = owner.person, owner.through in identity.shared
        self.identified_by = self._identified_by(identity)
        self.lines = self._last("items") or []
        self.returns = self._accepted_returns()
        self._money()
        self.row = self._row()
        self.items = [self._item(n, line) for n, line in enumerate(self.lines, 1)]
        of = self.person, self.person_shared, str(self.events[0].order_id)
        self.back = returns.rows(
            *of, self._told_returns(), self._return_amount, self.total, self._currency(),
            self.placing.channel if self.placing else None,
        )
        deliveries = [(e, self.order_of(e).get("delivery") or {}) for e in self.events]
        self.sent = parcels.rows(*of, deliveries, self.status == "cancelled", self._currency())

    def receipts(self) -> set[str]:
        return {self.order_of(e)["receipt_id"] for e in self.events if self.order_of(e).get("receipt_id")}

    def basket(self) -> list[tuple[str, int]]:
        return sorted((line["sku"], line.get("quantity", SCALE)) for line in self.lines)

    def _told_returns(self) -> list[tuple[Event, dict[str, Any]]]:
        return [(e, self.told[e.event_id]["return"]) for e in self.events if "return" in self.told[e.event_id]]

    def _return_amount(self, e: Event, told: dict[str, Any]) -> int | None:
        """What one return is worth; one that is not accepted is worth nothing in the order, but as much itself."""
        if returns.outcome(e, told) == "accepted":
            return self._returned(told)
        if told.get("amount") is not None:
            return int(told["amount"])
        return worth([{**item, "price": self._price(item)} for item in told.get("items") or []])

    def _paid_amounts(self) -> list[Any]:
        """What was paid, and when that first was all of it."""
        paid: int | None = None
        for e in self.events:
            till = self._paid_at_the_till(e)
            if not till and e.type not in ("order_paid", "payment_received"):
                continue
            told = [p["amount"] for p in self.order_of(e).get("payments") or [] if p.get("amount") is not None]
            if told:
                paid = (paid or 0) + sum(told)
            elif e.type != "payment_received":
                return [paid if self.total is None else self.total, e.at_ms]
            if paid is not None and self.total is not None and paid >= self.total:
                return [self.total, e.at_ms]
        return [paid, None]

    def order_of(self, e: Event) -> dict[str, Any]:
        return self.told[e.event_id].get("order") or {}

    def _first(self, *types: str, also: Callable[[Event], bool] = lambda _: False) -> Event | None:
        return next((e for e in self.events if e.type in types or also(e)), None)

    def _last(self, field: str, part: str | None = None) -> Any:
        """The field's value in the last event that carries it; of the order's record, or of a record in that."""
        for e in reversed(self.events):
            record = self.order_of(e) if part is None else self.order_of(e).get(part) or {}
            if record.get(field) is not None:
                return record[field]
        return None

    def _identified_by(self, identity: Identity) -> str | None:
        kinds = {kind for kind, _ in identity.kin(self.placing)} if self.placing else set()
        strong = [kind for kind in kinds if identity.policy.kinds[kind].strength >= KNOWN_STRENGTH]
        return min(strong, key=lambda kind: (-identity.policy.kinds[kind].strength, kind), default=None)

    def _paid_at_the_till(self, e: Event) -> bool:
        return e.type == "order_placed" and e.channel == "pos" and bool(self.order_of(e).get("payments"))

    def _carried_out(self, e: Event) -> bool:
        delivery = self.order_of(e).get("delivery")
        return self._paid_at_the_till(e) and (delivery is None or delivery.get("method") == "carry_out")

    def _accepted_returns(self) -> list[dict[str, Any]]:
        last = [story[-1] for story in returns.stories(self._told_returns())]
        return [told for e, told in last if returns.outcome(e, told) == "accepted"]

    def _money(self) -> None:
        self.total = self._last("total")
        if self.total is None:
            self.total = worth(self.lines)
        self.returned = sum(self._returned(r) for r in self.returns)
        self.status = self._status()
        self.revenue: int | None
        if self.status == "cancelled":
            self.revenue = 0
        else:
            self.revenue = None if self.total is None else max(self.total - self.returned, 0)
        margin = self._last("margin")
        self.margin = None
        if margin is not None and self.total and self.revenue is not None:
            self.margin = rounded(Fraction(margin * self.revenue, self.total))

    def _returned(self, told: dict[str, Any]) -> int:
        """The money of one accepted return: as told, else its items at their price, else the whole order."""
        if told.get("amount") is not None:
            return int(told["amount"])
        if told.get("items"):
            priced = [{**item, "price": self._price(item)} for item in told["items"]]
            return worth(priced) or 0
        return self.total or 0

    def _price(self, item: dict[str, Any]) -> int | None:
        if item.get("price") is not None:
            return int(item["price"])
        number = self._line_of(item)
        return None if number is None else self.lines[number].get("price")

    def _line_of(self, item: dict[str, Any]) -> int | None:
        """Which line a returned item is: the one of equal line id, else the first of equal sku."""
        for number, line in enumerate(self.lines):
            if item.get("line_id") is not None and _line_id(number + 1, line) == item["line_id"]:
                return number
        return next((number for number, line in enumerate(self.lines) if line["sku"] == item["sku"]), None)

    def _status(self) -> str:
        cancelled = [n for n, e in enumerate(self.events) if e.type == "order_cancelled"]
        if cancelled:
            later = {e.type for e in self.events[cancelled[-1] :]}
            if not later & {"order_placed", "order_updated", "order_fulfilled"}:
                return "cancelled"
        reached = {
            "requested": True,
            "placed": self.placing is not None,
            "paid": self._paid() is not None,
            "ready": self._first("order_ready") is not None,
            "fulfilled": self._fulfilled() is not None,
            "partly_returned": self.returned > 0,
            "returned": self.returned > 0 and self.total is not None and self.returned >= self.total,
        }
        return [step for step in LADDER if reached[step]][-1]

    def _paid(self) -> Event | None:
        return self._first("order_paid", "payment_received", also=self._paid_at_the_till)

    def _fulfilled(self) -> Event | None:
        return self._first("order_fulfilled", also=self._carried_out)

    def _fulfilment_method(self) -> str | None:
        """As told, else carried out where nothing is told of a sale at the till."""
        told = self._last("method", "delivery")
        return "carry_out" if told is None and any(map(self._carried_out, self.events)) else told

    def _currency(self) -> str | None:
        """As told of the order, else of the first line that names one."""
        return self._last("currency") or next((line["currency"] for line in self.lines if line.get("currency")), None)

    def _row(self) -> Row:
        requested, ready, cancelled = (self._first(t) for t in ("order_requested", "order_ready", "order_cancelled"))
        placed, paid, fulfilled = self.placing, self._paid(), self._fulfilled()
        points = [self.told[e.event_id].get("points_spent") for e in self.events]
        return (
            self.person, self.events[0].order_id, self.person_shared,
            *_of(requested, "at_ms", "channel"),
            *_of(placed, "at_ms", "channel", "device", "store_id", "staff"),
            *_of(paid, "at_ms", "channel", "store_id"),
            distinct(p["method"] for e in self.events for p in self.order_of(e).get("payments") or []),
            *_of(ready, "at_ms", "store_id"),
            *_of(fulfilled, "at_ms", "channel", "store_id"),
            self._fulfilment_method(), self._last("promised_at", "delivery"),
            *_of(cancelled, "at_ms", "channel"),
            self.status, self.total, self._currency(), self.revenue, self.margin, self.returned,
            self._last("discount"), self._last("shipping"), self._last("tax"),
            next((p for p in reversed(points) if p is not None), None), self._last("promo_code"),
            self.identified_by is None, self.identified_by,
            distinct(self.order_of(e).get("receipt_id") for e in self.events), len(self.returns),
            *self._paid_amounts(), self._last("store_id", "delivery"), None,
        )

    def _item(self, number: int, line: dict[str, Any]) -> Row:
        returned = sum(
            item.get("quantity", SCALE) for told in self.returns for item in told.get("items") or []
            if self._line_of(item) == number - 1
        )
        return (
            self.person, self.events[0].order_id, _line_id(number, line), line["sku"],
            *(line.get(name) for name in ("name", "category", "brand")), line.get("quantity", SCALE),
            line.get("unit"), returned, *(line.get(name) for name in ("price", "discount", "margin")),
            line.get("currency") or self._currency(), *_of(self.placing, "at_ms", "channel", "store_id"),
        )


def _of(event: Event | None, *names: str) -> list[Any]:
    return [None if event is None else getattr(event, name) for name in names]


def _line_id(number: int, line: dict[str, Any]) -> str:
    return str(number) if line.get("line_id") is None else str(line["line_id"])


def worth(lines: list[dict[str, Any]]) -> int | None:
    """Σ quantity × price of the lines that have a price; None where none has."""
    priced = [line for line in lines if line.get("price") is not None]
    if not priced:
        return None
    return rounded(Fraction(sum(line.get("quantity", SCALE) * line["price"] for line in priced), SCALE))
