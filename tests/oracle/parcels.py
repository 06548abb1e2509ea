"""Shipments of one order."""

from typing import Any

from streams.core.event import Event
from streams.core.facts import Row

Deliveries = list[tuple[Event, dict[str, Any]]]
"""Every event of the order, in order, with what it tells of a delivery."""


def rows(
    person: bytes, shared: bool, order_id: str, told: Deliveries, cancelled: bool, currency: str | None,
) -> list[Row]:
    names = {d["shipment_id"] for _, d in told if d.get("shipment_id")}
    if not names:
        methods = [d["method"] for _, d in told if d.get("method")]
        if not any(d for _, d in told) or (methods and methods[-1] == "carry_out"):
            return []
    return [_row(person, shared, order_id, name, told, cancelled, currency) for name in sorted(names or {order_id})]


def _row(
    person: bytes, shared: bool, order_id: str, name: str, told: Deliveries, cancelled: bool, currency: str | None,
) -> Row:
    mine = [(e, d) for e, d in told if d.get("shipment_id") in (None, name)]

    def last(field: str) -> Any:
        return next((d[field] for _, d in reversed(mine) if d.get(field) is not None), None)

    statuses = [d.get("status") or ("delivered" if e.type == "order_fulfilled" else None) for e, d in mine]
    status = next((s for s in reversed(statuses) if s), None)
    delivered = [e.at_ms for e, d in mine if e.type == "order_fulfilled" or d.get("status") == "delivered"]
    return (
        person, order_id, name, shared, last("method"), last("carrier"),
        "cancelled" if cancelled and not delivered else status, last("promised_at"), min(delivered, default=None),
        "delayed" in statuses, last("store_id"), last("cost"), currency,
    )
