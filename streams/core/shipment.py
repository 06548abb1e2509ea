"""Shipments: how the goods of an order reach its customer, folded from what the order's events tell of deliveries.

What names no shipment speaks of every shipment of the order. Where none is named at all there is one, with the order's
id, unless the goods were carried out. Each field is of the last event that carries it; an order_fulfilled that tells
no status says `delivered`. A shipment is delivered with the first order_fulfilled or status `delivered` that speaks of
it. Whether it is late may depend on the present, so the view says it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from streams.core.event import Event
from streams.core.facts import Row

Delivery: TypeAlias = Mapping[str, Any]

CANCELLED = "cancelled"
"""The status of what was not delivered of an order that is cancelled."""


class _Shipment(NamedTuple):
    fields: Delivery
    delivered_at: int | None
    is_delayed: bool


def shipment_rows(
    person_id: bytes, person_shared: bool, order_id: str, told: Sequence[tuple[Event, Delivery]], is_cancelled: bool,
    currency: str | None,
) -> list[Row]:
    """The rows of facts `shipments` of one order.

    Shape: in order, the events that carry a delivery, and those of type order_fulfilled with an empty one if need be.
    """
    named = dict.fromkeys(delivery["shipment_id"] for _, delivery in told if "shipment_id" in delivery)
    if not named and not _is_sent(told):
        return []
    rows = []
    for shipment_id in named or (order_id,):
        fields, delivered_at, is_delayed = _fold(
            [(event, d) for event, d in told if d.get("shipment_id", shipment_id) == shipment_id]
        )
        rows.append((
            person_id, order_id, shipment_id, person_shared, fields.get("method"), fields.get("carrier"),
            CANCELLED if is_cancelled and delivered_at is None else fields.get("status"),
            fields.get("promised_at"), delivered_at, is_delayed, fields.get("store_id"), fields.get("cost"), currency,
        ))
    return rows


def _is_sent(told: Sequence[tuple[Event, Delivery]]) -> bool:
    """Whether deliveries that name no shipment tell of one: of anything but goods carried out."""
    methods = [delivery["method"] for _, delivery in told if "method" in delivery]
    return any(delivery for _, delivery in told) and methods[-1:] != ["carry_out"]


def _fold(told: Sequence[tuple[Event, Delivery]]) -> _Shipment:
    fields: dict[str, Any] = {}
    delivered_at, is_delayed = None, False
    for event, delivery in told:
        is_fulfilled = event.type == "order_fulfilled"
        fields |= {"status": "delivered", **delivery} if is_fulfilled else delivery
        is_delayed = is_delayed or delivery.get("status") == "delayed"
        if delivered_at is None and (is_fulfilled or delivery.get("status") == "delivered"):
            delivered_at = event.at_ms
    return _Shipment(fields, delivered_at, is_delayed)
