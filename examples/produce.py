"""`python -m examples.produce`: a till tells of a receipt, whether Kafka is there or not.

Needs a stack (`onethread up --detach`), or one that comes later: what is told meanwhile waits on this machine's disk.
"""

from datetime import UTC, datetime
from decimal import Decimal

from connectors.producer import local
from streams.errors import OneThreadError


def receipt(number: int, card: str, sku: str, price: Decimal, at: datetime) -> dict[str, object]:
    """A receipt as a channel event. Its id is a function of the receipt, so that telling it twice does no harm."""
    order_id = f"till:S1/3/{at:%Y-%m-%d}/{number}"
    return {
        "event_id": f"receipt:{order_id}", "channel": "pos", "type": "order_placed", "occurred_at": at.isoformat(),
        "identifiers": [{"kind": "loyalty_card", "value": card}],
        "source": "till", "device": "pos", "place": {"store_id": "S1", "terminal_id": "3"},
        "order": {
            "order_id": order_id, "currency": "EUR",
            "items": [{"sku": sku, "quantity": "1", "price": str(price)}], "payments": [{"method": "card_terminal"}],
        },
    }


def main() -> None:
    """Tell one good receipt and one without a price's digits; say what became of them."""
    now = datetime.now(UTC).replace(microsecond=0)
    with local("till") as till:
        said = till.send_many([
            receipt(417, "2600000000017", "lamp-1", Decimal("19.90"), now),
            {**receipt(418, "2600000000017", "lamp-1", Decimal("19.90"), now), "colour": "red"},
        ])
        for number, refused in zip((417, 418), said, strict=True):
            print(number, "kept" if refused is None else f"refused: {refused.reason}, {refused.detail}")
        try:
            till.flush(timeout_s=5)
            print("Kafka has it")
        except OneThreadError as error:
            print(error)


if __name__ == "__main__":
    main()
