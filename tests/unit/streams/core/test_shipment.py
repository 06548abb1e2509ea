"""Shipments: which there are, what each is told, and when it was delivered."""

from typing import Any

from streams.core.event import Event
from tests.unit.streams.core.test_order import CASH, T0, event, fold, money, named, sold


def shipments(*events: Event) -> dict[str, dict[str, Any]]:
    rows = [named("shipments", row) for row in fold(*events).shipments]
    assert len({row["shipment_id"] for row in rows}) == len(rows)
    return {row["shipment_id"]: row for row in rows}


def moved(event_id: str, at_ms: int, type_: str = "delivery_updated", **delivery: Any) -> Event:
    return event(event_id, type_, at_ms, order={"delivery": delivery} if delivery else {})


def test_a_shipment_is_folded_from_what_names_it_and_what_names_none() -> None:
    found = shipments(
        sold(delivery={"method": "courier", "promised_at": T0 + 50}),
        moved("a", 1, shipment_id="s1", carrier="parcel-one", cost=money(5), status="packed"),
        moved("b", 2, shipment_id="s2", status="packed", store_id="S1"),
        moved("c", 3, shipment_id="s2", status="delayed", promised_at=T0 + 70),
        moved("d", 4, shipment_id="s2", status="in_transit"),
        moved("e", 5, shipment_id="s1", status="delivered"),
    )
    assert found["s1"] == {
        "person_id": b"sold", "order_id": "O1", "shipment_id": "s1", "person_shared": False, "method": "courier",
        "carrier": "parcel-one", "status": "delivered", "promised_at": T0 + 50, "delivered_at": T0 + 5,
        "delayed": False, "store_id": None, "cost": money(5), "currency": "EUR",
    }
    assert found["s2"] == found["s1"] | {
        "shipment_id": "s2", "carrier": None, "status": "in_transit", "promised_at": T0 + 70, "delivered_at": None,
        "delayed": True, "store_id": "S1", "cost": None,
    }


def test_where_none_is_named_the_order_is_one_shipment() -> None:
    (row,) = shipments(sold(delivery={"method": "post"}), moved("a", 3, "order_fulfilled")).values()
    assert (row["shipment_id"], row["status"], row["delivered_at"]) == ("O1", "delivered", T0 + 3)


def test_goods_carried_out_and_orders_without_a_delivery_are_no_shipment() -> None:
    assert shipments(sold(), moved("a", 3, "order_fulfilled")) == {}
    carried = event("t", "order_placed", channel="pos", order={"payments": CASH, "delivery": {"method": "carry_out"}})
    assert shipments(carried) == {}
    assert shipments(sold(delivery={"method": "carry_out", "store_id": "S1"})) == {}
    assert list(shipments(sold(delivery={"method": "carry_out", "shipment_id": "s"}))) == ["s"]
    assert list(shipments(sold(delivery={"method": "post"}), moved("a", 1, method="carry_out"))) == []


def test_order_fulfilled_delivers_every_shipment_that_it_does_not_leave_out() -> None:
    told = moved("a", 1, shipment_id="s1"), moved("b", 1, shipment_id="s2")
    delivered = {i: row["delivered_at"] for i, row in shipments(*told, moved("c", 5, "order_fulfilled")).items()}
    assert delivered == {"s1": T0 + 5, "s2": T0 + 5}
    one = shipments(*told, moved("c", 5, "order_fulfilled", shipment_id="s2"))
    assert {i: row["delivered_at"] for i, row in one.items()} == {"s1": None, "s2": T0 + 5}
    told_status = shipments(*told, moved("c", 5, "order_fulfilled", shipment_id="s2", status="handed_over"))
    assert told_status["s2"]["status"] == "handed_over"


def test_the_first_delivery_counts_and_the_last_status() -> None:
    (row,) = shipments(moved("a", 1, status="delivered"), moved("b", 2, status="returning"),
                       moved("c", 3, status="delivered")).values()
    assert (row["delivered_at"], row["status"]) == (T0 + 1, "delivered")


def test_what_was_not_delivered_of_a_cancelled_order_is_cancelled() -> None:
    found = shipments(moved("a", 1, shipment_id="s1", status="delivered"), moved("b", 2, shipment_id="s2"),
                      event("c", "order_cancelled", 3))
    assert {i: row["status"] for i, row in found.items()} == {"s1": "delivered", "s2": "cancelled"}
    revived = shipments(moved("b", 2, shipment_id="s2", status="packed"), event("c", "order_cancelled", 3),
                        event("d", "order_updated", 4))
    assert revived["s2"]["status"] == "packed"
