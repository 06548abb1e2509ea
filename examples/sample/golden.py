"""The golden story: six systems, one person, one thread, one order.

A click on an ad, the site on a desktop, a question in the chat, silence; next day the ad again in Instagram on the
phone, an order in Direct, a call to confirm, pick-up in the store. No system knows the whole: the click's id ties the
ad to a cookie, the cookie to the phone number given in the chat, the number to Direct and to the call, and the
order's number to the counter.
"""

from examples.sample.catalogue import CURRENCY, GOOD, at
from examples.sample.life import Life, cost, line, named, order, paid, place
from examples.sample.online import product

NUMBER = 9001
PHONE = "+380670009001"
ORDER = "direct-2026-0217"
STORE = "S2"
AD_DAY, NEXT_DAY, PICKUP_DAY = 30, 31, 32


def tell(life: Life) -> None:
    """`life` is that of person NUMBER."""
    _finds_the_garland(life)
    _asks_and_falls_silent(life)
    _orders_in_direct(life)
    _confirms_and_collects(life)


def _finds_the_garland(life: Life) -> None:
    campaign = {"source": "google", "medium": "cpc", "name": "winter-light", "click_id": "gclid-golden"}
    click, browser = named("click_id", "gclid-golden"), life.id("anonymous_id")
    garland = [product(GOOD["garland-led-10"])]
    life.tell(at(AD_DAY, 20, 12, 4), "ads", "ad_clicked", [click], device="desktop",
              campaign=campaign | {"cost": "4.80", "currency": CURRENCY})
    life.tell(at(AD_DAY, 20, 12, 9), "web", "page_viewed", [browser, click], device="desktop", language="uk",
              campaign=campaign, properties={"url": "/light"})
    life.tell(at(AD_DAY, 20, 14, 31), "web", "product_viewed", [browser], device="desktop", products=garland)
    life.tell(at(AD_DAY, 20, 17, 2), "web", "review_read", [browser], device="desktop", products=garland)


def _asks_and_falls_silent(life: Life) -> None:
    browser, talk = life.id("anonymous_id"), "chat-golden"
    operator = {"id": "operator-3", "role": "operator"}
    for ordinal, second, ids, staff, text in (
        (1, 0, [browser], None, "Is this garland fit for a balcony?"),
        (2, 71, [browser], operator, "Let me check. How do we reach you, should you leave?"),
        (3, 128, [browser, named("phone", "067 000 90 01")], None, "067 000 90 01"),
        (4, 271, [browser], operator, "Yes, it is. Shall I put one aside for you?"),
    ):
        life.tell(at(AD_DAY, 20, 19, 40) + second * 1000, "chat", "message_sent" if staff else "message_received", ids,
                  device="desktop", language="uk", staff=staff,
                  message={"message_id": f"{talk}-{ordinal}", "conversation_id": talk, "text": text})


def _orders_in_direct(life: Life) -> None:
    campaign = {"source": "meta", "medium": "paid_social", "name": "winter-light", "click_id": "igad-golden"}
    me, click, talk = life.id("instagram_id"), named("click_id", "igad-golden"), "direct-golden"
    life.tell(at(NEXT_DAY, 12, 41, 15), "ads", "ad_clicked", [click], device="mobile",
              campaign=campaign | {"cost": "3.50", "currency": CURRENCY})
    life.tell(at(NEXT_DAY, 12, 41, 52), "instagram", "message_received", [me, click], language="uk", campaign=campaign,
              message={"message_id": f"{talk}-1", "conversation_id": talk, "text": "Two of the 10 m ones, please."},
              products=[line(1, GOOD["garland-led-10"], 2000)])
    life.tell(at(NEXT_DAY, 12, 45, 30), "instagram", "order_requested", [me, named("phone", PHONE)],
              order=order(ORDER, [(GOOD["garland-led-10"], 2000)]))


def _confirms_and_collects(life: Life) -> None:
    phone, operator = named("phone", "+38 (067) 000-90-01"), {"id": "operator-5", "role": "operator"}
    pickup = {"method": "pickup", "store_id": STORE}
    life.tell(at(NEXT_DAY, 13, 2, 8), "call_centre", "call_answered", [phone], staff=operator,
              message={"message_id": "call-golden", "duration_ms": 96_000, "wait_ms": 7000})
    life.tell(at(NEXT_DAY, 13, 3, 20), "call_centre", "order_placed", [phone], staff=operator,
              order=order(ORDER, [(GOOD["garland-led-10"], 2000)], delivery=pickup))
    where = place(STORE, terminal_id="2")
    life.tell(at(NEXT_DAY, 16, 30), "pos", "order_ready", [], place=where,
              order={"order_id": ORDER, "delivery": pickup | {"status": "ready"}})
    life.tell(at(PICKUP_DAY, 18, 5, 44), "pos", "order_paid", [], place=where,
              order=paid(ORDER, cost([(GOOD["garland-led-10"], 2000)]), "card_terminal"))
    life.tell(at(PICKUP_DAY, 18, 6, 10), "pos", "order_fulfilled", [], place=where,
              staff={"id": "cashier-S2-2", "role": "cashier"},
              order={"order_id": ORDER, "receipt_id": "S2-2-000831", "delivery": pickup})
