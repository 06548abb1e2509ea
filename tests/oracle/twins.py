"""Orders suspected to be another order told again."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.orders import Order


def original(one: "Order", orders: list["Order"], window_ms: int) -> str | None:
    """Of its person's orders the earliest that this one is alike to and comes after."""
    earlier = [other for other in orders if _place(other) < _place(one) and _alike(other, one, window_ms)]
    return min(earlier, key=_place).events[0].order_id if earlier else None


def _place(order: "Order") -> tuple[float, str]:
    return order.placing.at_ms if order.placing else float("inf"), str(order.events[0].order_id)


def _alike(a: "Order", b: "Order", window_ms: int) -> bool:
    if a.placing is None or b.placing is None or a.person != b.person or a.person_shared:
        return False
    receipts = {number for order in (a, b) for number in order.receipts() if number in a.receipts() & b.receipts()}
    return (
        abs(a.placing.at_ms - b.placing.at_ms) <= window_ms
        and a.placing.channel != b.placing.channel
        and bool(a.lines) and a.basket() == b.basket()
        and not receipts
        and not {a.status, b.status} & {"cancelled", "returned"}
    )
