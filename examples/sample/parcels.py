"""How an order made elsewhere reaches its customer: by parcel or over the counter, and how some come back."""

from examples.sample.catalogue import CURRENCY, DAY_MS, HOUR_MS, Good
from examples.sample.life import Json, Life, cost, line, money, paid, place

Goods = list[tuple[Good, int]]


def by_parcel(life: Life, placed_at: int, order_id: str, goods: Goods, prepaid: bool) -> None:
    """Sent, sometimes late, handed over and, where it was not prepaid, paid; few think better of it."""
    if life.chance(4):
        life.tell(life.soon(placed_at, 20, 600), "call_centre", "order_cancelled", [life.id("phone")],
                  order={"order_id": order_id})
        return
    shipment: Json = {"shipment_id": f"ship-{order_id}", "method": "post", "carrier": "parcel-one"}
    life.tell(placed_at + 20 * HOUR_MS, "delivery", "delivery_updated", [],
              order={"order_id": order_id, "delivery": shipment | {"status": "in_transit"}})
    late = life.chance(10)
    if late:
        life.tell(placed_at + 70 * HOUR_MS, "delivery", "delivery_updated", [],
                  order={"order_id": order_id, "delivery": shipment | {"status": "delayed"}})
    arrived = life.soon(placed_at + (96 if late else 46) * HOUR_MS, 1, 240)
    if not prepaid:
        life.tell(arrived, "delivery", "order_paid", [life.id("phone")],
                  order=paid(order_id, cost(goods), "cash_on_delivery", "parcel-one"))
    life.tell(arrived + 1000, "delivery", "order_fulfilled", [life.id("phone")],
              staff={"id": f"courier-{life.number % 9 + 1}", "role": "courier"},
              order={"order_id": order_id, "delivery": shipment | {"status": "delivered"}})
    if life.chance(7):
        send_back(life, arrived + 4 * DAY_MS, order_id, goods)


def in_store(life: Life, placed_at: int, order_id: str, goods: Goods, prepaid: bool) -> None:
    """Click and collect: the store has it ready, the till hands it over against the order's number."""
    ready = life.soon(placed_at + 3 * HOUR_MS, 1, 180)
    life.tell(ready, "pos", "order_ready", [], place=place(life.store),
              order={"order_id": order_id, "delivery": {"method": "pickup", "status": "ready", "store_id": life.store}})
    taken = life.soon(ready + 18 * HOUR_MS, 1, 600)
    ids = [life.id("loyalty_card")] if life.chance(50) else []
    if not prepaid:
        life.tell(taken, "pos", "order_paid", [*ids, life.id("payment_token")],
                  place=place(life.store, terminal_id="1"), order=paid(order_id, cost(goods), "card_terminal"))
    life.tell(taken + 20_000, "pos", "order_fulfilled", ids, place=place(life.store, terminal_id="1"),
              order={"order_id": order_id, "receipt_id": f"{life.store}-{life.serial()}",
                     "delivery": {"method": "pickup", "store_id": life.store}})


def send_back(life: Life, at_ms: int, order_id: str, goods: Goods) -> None:
    """A return of the first line, over another channel than the purchase: the counter of a store."""
    good, quantity = goods[0]
    back = {"outcome": "accepted", "amount": money(cost(goods[:1])), "currency": CURRENCY, "reason": "did not suit",
            "items": [line(1, good, quantity)]}
    life.tell(at_ms, "pos", "order_returned", [], place=place(life.store, terminal_id="service"),
              order={"order_id": order_id}, **{"return": back})
