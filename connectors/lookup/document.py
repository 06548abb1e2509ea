"""What a till, a call centre or a site is told of a customer: one JSON document, made of rows of facts.

Shape: times in ISO 8601 (UTC), ids and money as texts, as `onethread who --json` writes them. What is not known is null
or an empty list, never absent, but for what needs ClickHouse: `missing` names it while ClickHouse does not answer.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeAlias

from connectors.lookup.held import Held
from connectors.lookup.standing import Figures, standing
from streams.core.event import SCALE, unpack
from streams.core.facts import TABLES, Row, content_index, index_of
from streams.core.ids import uuid_text
from streams.core.obstacle import ANSWER_WITHIN_MS
from streams.settings import Settings

Document: TypeAlias = dict[str, Any]
Prediction: TypeAlias = dict[str, Any]
"""predicted_orders, predicted_revenue, predicted_margin: texts, or None."""

CONTACTS_SHOWN = 10
MESSAGES_SHOWN = 5
ORDERS_SHOWN = 5
IDENTIFIERS_SHOWN = 100

OPEN_STATUSES = frozenset({"requested", "placed", "paid", "ready"})
LOOKED_AT = frozenset({"product_viewed", "review_read", "price_compared", "stock_asked", "back_in_stock_requested"})
SEARCHES = frozenset({"product_searched"})
CARTS = frozenset({"cart_updated", "checkout_started"})
CONTACTS = frozenset({"interaction", "exposure"})

_FROM_FACT: dict[str, Callable[[Any], Any]] = {
    "uuid": uuid_text,
    "ms": lambda ms: moment(ms),
    "mss": lambda times: [moment(ms) for ms in times],
    "money": lambda scaled: f"{Decimal(scaled) / SCALE:f}",
}
_AT, _CHANNEL, _TYPE, _ROLE, _DEVICE, _CONTENT = (index_of("touchpoints", name) for name in (
    "occurred_at", "channel", "type", "role", "device", "content"))
_SKUS, _AMOUNT, _CURRENCY, _QUERY = (content_index(name) for name in ("skus", "amount", "currency", "query"))


def document(
    held: Held, figures: Figures, prediction: Prediction | None, settings: Settings, now: datetime,
    missing: Sequence[str] = (),
) -> Document:
    """Everything on one person at `now`. Cost: O(n) in its touchpoints."""
    if held.is_shared:
        return {"person_id": uuid_text(held.person_id), "shared": True, "known": False}
    rows = {table: [named(table, row) for row in held.rows.get(table, ())] for table in _NAMED}
    now_ms = int(now.timestamp() * 1000)
    (person,) = rows["persons"]
    seen = held.rows.get("touchpoints", [])
    orders = sorted(rows["orders"], key=lambda order: (order["placed_at"] or order["requested_at"] or 0,
                                                       order["order_id"]))
    where = standing(person["known"], held.rows.get("orders", ()), seen, figures, settings, now)
    return {
        "person_id": uuid_text(held.person_id), "shared": False, "known": person["known"], "as_of": moment(now_ms),
        "names": {row["key"]: row["value"] for row in rows["person_traits"] if row["valid_to"] is None},
        "identifiers": _identifiers(rows["identifiers"], rows["identifier_sightings"]),
        "first_seen_at": moment(person["first_seen_at"]), "last_seen_at": moment(person["last_seen_at"]),
        "home_store_id": person["home_store_id"], "devices": person["devices"],
        "preferences": person["preferences"], "consent": person["consent"],
        "status": where.status, "unnoticed_by": where.unnoticed_by, "probability_alive": where.alive,
        "ltv": {
            "orders": where.orders, "revenue": f"{where.revenue:f}", "currency": settings.reporting_currency,
            "unconverted": where.unconverted, **(prediction or NO_PREDICTION),
            "predicted_at": figures.fitted_at.isoformat() if prediction and figures.fitted_at else None,
        },
        "channels": [
            _plain("person_channels", row, ("person_id",))
            for row in sorted(rows["person_channels"], key=lambda r: (-r["last_at"], r["channel"]))
        ],
        "last_contacts": [
            _contact(named("touchpoints", row))
            for row in islice((row for row in reversed(seen) if row[_ROLE] in CONTACTS), CONTACTS_SHOWN)
        ],
        "open_cart": open_cart(seen, orders),
        "open_orders": [_order(o, rows) for o in orders[::-1] if o["status"] in OPEN_STATUSES],
        "last_orders": [_order(o, rows) for o in orders[::-1] if o["placed_at"] is not None][:ORDERS_SHOWN],
        "open_promises": [
            {**_plain("promises", p, ("person_id", "done_at", "done_channel", "done_by", "cancelled_at")),
             "status": "overdue" if p["due_at"] is not None and p["due_at"] < now_ms else "open"}
            for p in sorted(rows["promises"], key=lambda p: (p["due_at"] or now_ms, p["promise_id"]))
            if p["done_at"] is None and p["cancelled_at"] is None
        ],
        "conversation": _conversation(rows["conversations"], rows["conversation_messages"], settings, now_ms),
        "resume": resume(rows["journeys"], seen, settings, now_ms),
        "missing": list(missing),
    }


NO_PREDICTION: Prediction = {"predicted_orders": None, "predicted_revenue": None, "predicted_margin": None}

_NAMED = ("persons", "identifiers", "identifier_sightings", "person_traits", "person_channels", "orders",
          "order_items", "shipments", "promises", "conversations", "conversation_messages", "journeys")


def named(table: str, row: Row) -> Document:
    """A row of facts by the names of its columns, values as they are."""
    return {column.name: value for column, value in zip(TABLES[table].columns, row, strict=True)}


def moment(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def _plain(table: str, row: Document, without: Iterable[str] = ()) -> Document:
    """A row as JSON has it."""
    return {
        column.name: None if (value := row[column.name]) is None
        else _FROM_FACT.get(column.type.rstrip("?"), lambda same: same)(value)
        for column in TABLES[table].columns if column.name not in without
    }


def _identifiers(rows: Sequence[Document], sightings: Sequence[Document]) -> list[Document]:
    last = {row["node"]: row["last_seen_at"] for row in sightings}
    shown = sorted(rows, key=lambda r: (r["first_seen_at"], r["kind"], r["value"]))[:IDENTIFIERS_SHOWN]
    return [
        {"kind": row["kind"], "value": row["value"], "first_seen_at": moment(row["first_seen_at"]),
         "last_seen_at": moment(last.get(row["node"], row["first_seen_at"])), "contested": row["contested"]}
        for row in shown
    ]


def _contact(touch: Document) -> Document:
    content = unpack(touch["content"])
    return {
        "at": moment(touch["occurred_at"]), "channel": touch["channel"], "type": touch["type"], "role": touch["role"],
        "device": touch["device"], "store_id": touch["store_id"], "staff": touch["staff"],
        "order_id": touch["order_id"], "skus": content[_SKUS], "query": content[_QUERY],
    }


def open_cart(touchpoints: Sequence[Row], orders: Sequence[Document]) -> Document | None:
    """The last cart, unless it was emptied, or an order was placed since.

    A checkout_started that names no goods is of the cart before it.
    """
    carts = [row for row in touchpoints if row[_TYPE] in CARTS]
    if not carts:
        return None
    last = carts[-1]
    content = unpack(last[_CONTENT])
    if last[_TYPE] == "checkout_started" and not content[_SKUS]:
        before = next((row for row in reversed(carts) if row[_TYPE] == "cart_updated"), last)
        content = unpack(before[_CONTENT])
    elif not content[_SKUS]:
        return None
    if any(order["placed_at"] is not None and order["placed_at"] >= last[_AT] for order in orders):
        return None
    amount = content[_AMOUNT]
    return {
        "at": moment(last[_AT]), "channel": last[_CHANNEL], "device": last[_DEVICE], "skus": content[_SKUS],
        "amount": None if amount is None else f"{Decimal(amount) / SCALE:f}", "currency": content[_CURRENCY],
        "checkout_started": last[_TYPE] == "checkout_started",
    }


def _order(order: Document, rows: dict[str, list[Document]]) -> Document:
    mine = order["order_id"]
    return {
        **_plain("orders", order, ("person_id", "person_shared", "journey_id")),
        "items": [_plain("order_items", i, ("person_id", "order_id", "placed_at", "channel", "store_id"))
                  for i in rows["order_items"] if i["order_id"] == mine],
        "shipments": [_plain("shipments", s, ("person_id", "order_id", "person_shared"))
                      for s in rows["shipments"] if s["order_id"] == mine],
    }


def _conversation(
    conversations: Sequence[Document], messages: Sequence[Document], settings: Settings, now_ms: int,
) -> Document | None:
    """The last conversation, with what was said last."""
    if not conversations:
        return None
    last = max(conversations, key=lambda c: (c["ended_at"], c["conversation_id"]))
    said = sorted((m for m in messages if m["conversation_id"] == last["conversation_id"]),
                  key=lambda m: (m["at"], m["message_id"]))
    return {
        **_plain("conversations", last, ("person_id",)),
        "open": now_ms - last["ended_at"] <= settings.conversation_gap_ms,
        "messages": [_plain("conversation_messages", m, ("person_id", "conversation_id"))
                     for m in said[-MESSAGES_SHOWN:]],
    }


def resume(
    journeys: Sequence[Document], touchpoints: Sequence[Row], settings: Settings, now_ms: int,
) -> Document | None:
    """Where the customer stopped: the last journey, what stood in its way, and the last product looked at."""
    if not journeys:
        return None
    last = max(journeys, key=lambda j: (j["last_touchpoint_at"], j["journey_id"]))
    is_abandoned = now_ms - last["last_step_at"] > settings.journey_gap_ms
    outcome = "converted" if last["order_id"] is not None else "abandoned" if is_abandoned else "open"
    unanswered_at = last["unanswered_at"]
    waits = unanswered_at is not None and now_ms - unanswered_at > ANSWER_WITHIN_MS
    looked, skus = _last(touchpoints, LOOKED_AT, _SKUS)
    _, query = _last(touchpoints, SEARCHES, _QUERY)
    return {
        **_plain("journeys", last, ("person_id", "unanswered_at", "start_event_id", "path_touchpoints")),
        "outcome": outcome, "obstacles": [*last["obstacles"], *(["message_unanswered"] if waits else [])],
        "product": None if looked is None else {
            "sku": skus[-1], "at": moment(looked[_AT]), "channel": looked[_CHANNEL], "type": looked[_TYPE],
        },
        "query": query,
    }


def _last(touchpoints: Sequence[Row], types: frozenset[str], field: int) -> tuple[Row | None, Any]:
    """The last touchpoint of some types that tells a field of its content, and what it tells."""
    for row in reversed(touchpoints):
        if row[_TYPE] in types and (told := unpack(row[_CONTENT])[field]):
            return row, told
    return None, None
