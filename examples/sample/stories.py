"""Small stories that every identity system meets: shared things, recycled numbers, late names, and what looks alike.

Each story has a person number of its own from 9100 on; `STORIES` names them all.
"""

from collections.abc import Callable
from random import Random

from examples.sample import golden
from examples.sample.catalogue import CURRENCY, FOOD, GOOD, at
from examples.sample.life import Json, Life, cost, identifier, line, named, order, paid, place
from examples.sample.online import product
from examples.sample.shop import receipt

TILL_EMAIL = "till-s3@example.com"
CASHIER_CARD = "7799009300"
RECYCLED_PHONE = "+380670009400"
TABLET = "family-tablet"


def family_tablet(life: Life) -> None:
    """Two parents and a child log in on one tablet; an evening on it goes to whoever had logged in."""
    tablet = named("anonymous_id", TABLET)
    for day, who in enumerate((9100, 9101, 9100, 9102, 9101)):
        now = at(3 + day * 6, 19, 10)
        life.tell(now, "web", "logged_in", [tablet, identifier("customer_id", who), identifier("email", who)],
                  device="tablet")
        life.tell(now + 240_000, "web", "product_viewed", [tablet], device="tablet",
                  products=[product(GOOD["mug-blue"])])


def till_email(life: Life) -> None:
    """A cashier types the till's own address wherever a customer wants no mail."""
    for i in range(12):
        ids = [identifier("loyalty_card", 9200 + i), named("email", TILL_EMAIL)]
        receipt(life, at(2 + 3 * i, 12, 5 * i), ids, "S3", [(FOOD[i % 7], 1000)], "cash")


def cashier_card(life: Life) -> None:
    """A cashier collects points on strangers' purchases: more orders in a day than anybody makes."""
    for i in range(26):
        receipt(life, at(20, 9, 20 * i), [named("loyalty_card", CASHIER_CARD)], "S1", [(FOOD[i % 7], 1000)], "cash")


def recycled_phone(life: Life) -> None:
    """A number changes hands: two accounts, one after the other, and each must keep its own."""
    phone = named("phone", RECYCLED_PHONE)
    for who, days in ((9400, (1, 5)), (9401, (27, 34))):
        for day in days:
            goods = [(GOOD["candle-wax"], 2000)]
            life.tell(at(day, 15), "app", "order_placed", [identifier("customer_id", who), phone], device="mobile",
                      order=order(f"app-recycled-{day}", goods, delivery={"method": "digital"}))


def named_at_last(life: Life) -> None:
    """Receipts paid with one bank card and no name, until the loyalty card is shown with it."""
    token = life.id("payment_token")
    for day in (2, 9, 16, 23):
        receipt(life, at(day, 18, 30), [token], "S4", [(FOOD[4], 1000), (FOOD[0], 840)], "card_terminal")
    receipt(life, at(30, 18, 40), [token, life.id("loyalty_card")], "S4", [(FOOD[3], 500)], "card_terminal")


def random_macs(life: Life) -> None:
    """A phone that shows another radio address on every visit identifies nobody."""
    for day in range(6):
        mac = named("wifi_mac", f"d6:4a:00:00:12:{day:02x}")
        life.tell(at(5 + day * 5, 17), "wifi", "wifi_seen", [mac], place=place("S5"))


def pickup(life: Life) -> None:
    """Ordered and paid on the site, taken over the counter: one order, two channels, no second purchase."""
    goods = [(GOOD["lamp-desk"], 1000)]
    life.tell(at(10, 21, 5), "web", "order_placed", [life.id("anonymous_id"), life.id("email"), life.id("phone")],
              device="desktop", order=order("web-pickup", goods, delivery={"method": "pickup", "store_id": "S1"}))
    life.tell(at(10, 21, 6), "payment", "payment_received", [life.id("payment_token")],
              order=paid("web-pickup", cost(goods), "card_online", "acquirer-1"))
    life.tell(at(11, 11, 0), "pos", "order_ready", [], place=place("S1"), order={"order_id": "web-pickup"})
    life.tell(at(12, 18, 15), "pos", "order_fulfilled", [life.id("loyalty_card")], place=place("S1", terminal_id="1"),
              order={"order_id": "web-pickup", "receipt_id": "S1-1-000417",
                     "delivery": {"method": "pickup", "store_id": "S1"}})


def return_elsewhere(life: Life) -> None:
    """Bought in the app, asked about in Viber, brought back to a store."""
    goods = [(GOOD["blanket-wool"], 1000), (GOOD["pillow-60"], 2000)]
    life.tell(at(6, 13), "app", "order_placed", [life.id("device_id"), life.id("customer_id"), life.id("phone")],
              device="mobile", order=order("app-returned", goods, delivery={"method": "courier"},
                                           payments=[{"method": "wallet", "amount": "2597.00"}]))
    life.tell(at(8, 16), "delivery", "order_fulfilled", [life.id("phone")], order={"order_id": "app-returned"})
    life.tell(at(9, 10), "viber", "return_asked", [life.id("viber_id"), life.id("phone")],
              order={"order_id": "app-returned"}, **{"return": {"return_id": "back-1", "outcome": "asked"}})
    life.tell(at(11, 17), "pos", "order_returned", [life.id("loyalty_card")], place=place("S3", terminal_id="service"),
              order={"order_id": "app-returned"},
              **{"return": {"return_id": "back-1", "outcome": "accepted", "amount": "998.00", "currency": CURRENCY,
                            "reason": "wrong colour", "items": [line(2, GOOD["pillow-60"], 2000)]}})


def guest(life: Life) -> None:
    """Bought as a guest, registered three weeks later on the same e-mail: the first order is theirs."""
    life.tell(at(4, 20), "web", "order_placed", [life.id("anonymous_id"), life.id("email")], device="desktop",
              order=order("web-guest", [(GOOD["kettle-17"], 1000)], delivery={"method": "post"}))
    life.tell(at(25, 20), "web", "signed_up", [life.id("anonymous_id", 1), life.id("customer_id"), life.id("email")],
              device="mobile", consent={"email_marketing": True})


def forwarded_newsletter(life: Life) -> None:
    """A friend clicks a forwarded mail once: the tracked link names the wrong person, and nobody is merged."""
    campaign = {"source": "newsletter", "medium": "email", "name": "week-3"}
    mail = {"message_id": "mail-forwarded", "topic": "week-3"}
    life.tell(at(18, 10), "email", "message_sent", [life.id("email")], message=mail, campaign=campaign)
    friend = identifier("anonymous_id", 9801)
    life.tell(at(18, 20), "email", "message_clicked", [life.id("email", confidence=0.8), friend], device="desktop",
              message=mail, campaign=campaign)
    life.tell(at(18, 20, 3), "web", "logged_in", [friend, identifier("customer_id", 9801), identifier("email", 9801)],
              device="desktop")


STORIES: dict[str, tuple[int, Callable[[Life], None]]] = {
    "golden": (golden.NUMBER, golden.tell),
    "family-tablet": (9100, family_tablet),
    "till-email": (9200, till_email),
    "cashier-card": (9300, cashier_card),
    "recycled-phone": (9400, recycled_phone),
    "named-at-last": (9500, named_at_last),
    "random-macs": (9550, random_macs),
    "pickup": (9600, pickup),
    "return-elsewhere": (9650, return_elsewhere),
    "guest": (9700, guest),
    "forwarded-newsletter": (9800, forwarded_newsletter),
}
"""Name -> the person's number and the story."""


def tell_all(seed: int, out: list[Json]) -> None:
    for name, (number, story) in STORIES.items():
        story(Life(number, Random(seed * 100_003 + number), out, name))
