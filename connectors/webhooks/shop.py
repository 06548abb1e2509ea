"""What shop systems have in common: prices with and without tax, ways to pay, what brought the customer.

Rules kept here:
- The price of a line is what one unit cost the customer: tax in, the line's discount out.
- Of who pays, only what is theirs identifies: an address to ship to may be a friend's.
"""

from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from connectors.incoming import Event
from connectors.webhooks.reading import amount, event, short, who

_METHODS = (
    ("cash on delivery", "cash_on_delivery"), ("cod", "cash_on_delivery"), ("gift", "gift_card"), ("cash", "cash"),
    ("bank", "bank_transfer"), ("bacs", "bank_transfer"), ("wire", "bank_transfer"), ("invoice", "bank_transfer"),
    ("cheque", "other"), ("check", "other"), ("money order", "other"), ("points", "points"), ("store credit", "credit"),
    ("klarna", "credit"), ("afterpay", "credit"), ("paypal", "wallet"), ("apple", "wallet"), ("google", "wallet"),
    ("amazon", "wallet"), ("manual", "other"),
)
"""Words in the name of a gateway -> the method, in the order in which they count; any other gateway takes cards."""

_CLICK_IDS = ("gclid", "wbraid", "gbraid", "fbclid", "ttclid", "msclkid", "yclid", "twclid", "li_fat_id")
_UTM = {
    "source": "utm_source", "medium": "utm_medium", "name": "utm_campaign", "term": "utm_term",
    "content": "utm_content",
}



def line(
    sku: object, name: str | None, quantity: Decimal, gross: Decimal, discount: Decimal = Decimal(0),
    tax: Decimal = Decimal(0), **more: str | None,
) -> Event:
    """A line of an order; gross is what all its units cost the customer, tax in, discount out."""
    price = gross / quantity if quantity else gross
    return event(
        sku=str(sku), name=short(name), quantity=amount(quantity), price=amount(price),
        discount=amount(discount) if discount else None, tax=amount(tax) if tax else None, **more,
    )


def method(gateway: str, is_pos: bool = False) -> str:
    """The way to pay that a gateway's name tells."""
    told = gateway.replace("_", " ").replace("-", " ").lower()
    return next((name for word, name in _METHODS if word in told), "card_terminal" if is_pos else "card_online")


def campaign(landing: str | None) -> Event | None:
    """What brought the customer to the site, as the address they landed on tells it; None where it tells nothing."""
    if not landing:
        return None
    try:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(landing).query, max_num_fields=100).items()}
    except ValueError:
        return None
    found: dict[str, str | None] = {name: short(asked.get(key)) for name, key in _UTM.items()}
    found["click_id"] = next((short(asked[key]) for key in _CLICK_IDS if asked.get(key)), None)
    return found if any(found.values()) else None


def customer(account: str | None, emails: Iterable[str | None], phones: Iterable[str | None]) -> list[Event]:
    """Who ordered: the account, and what they gave as theirs; what is told twice counts once."""
    return [
        *who("shop_customer_id", account),
        *(one for email in dict.fromkeys(emails) for one in who("email", email)),
        *(one for number in dict.fromkeys(phones) for one in who("phone", number)),
    ]
