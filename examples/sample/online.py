"""What people do on the site, in the app, in the inbox, and on marketplaces."""

from examples.sample.catalogue import AD_COSTS, CAMPAIGNS, CURRENCY, GOODS, HOUR_MS, MINUTE_MS, Good, at
from examples.sample.life import Json, Life, cost, line, money, named, order, paid
from examples.sample.parcels import by_parcel, in_store

NEWSLETTER_DAYS = (4, 11, 18, 25, 32, 39)
"""Thursdays."""
_SECTIONS = ("light", "kitchen", "home", "electronics")


def product(good: Good, available: bool = True) -> Json:
    return {"sku": good.sku, "name": good.name, "category": good.category, "price": money(good.price),
            "currency": CURRENCY, "available": available}


def basket(life: Life, most: int = 3) -> list[tuple[Good, int]]:
    chosen = life.rng.sample(GOODS, life.rng.randrange(1, most + 1))
    return [(good, 1000 * life.rng.choice((1, 1, 1, 2))) for good in chosen]


def site_visit(life: Life) -> None:
    """A look around the site, on the desktop or the phone, now and then after an ad."""
    _visit(life, life.day_time(8, 23))


def site_order(life: Life) -> None:
    """A visit that ends with an order: prepaid or paid on delivery, by parcel or picked up."""
    now, ids, device, goods = _visit(life, life.day_time(8, 22))
    ids = [*ids, life.id("email"), life.id("phone")]
    if life.chance(55):
        ids.append(life.id("customer_id"))
    now = life.soon(now)
    life.tell(now, "web", "checkout_started", ids[:1], device=device, cart=_cart(life, goods))
    if life.chance(6):
        now = life.soon(now)
        life.tell(now, "web", "payment_failed", ids[:1], device=device, properties={"why": "declined"})
    now = life.soon(now)
    order_id = f"web-{life.serial()}"
    pickup = life.chance(35)
    delivery = {"method": "pickup", "store_id": life.store} if pickup else \
        {"method": life.rng.choice(("courier", "post", "locker")), "promised_at": now + 72 * HOUR_MS}
    prepaid = life.chance(60)
    life.tell(now, "web", "order_placed", ids, device=device, language=life.language,
              order=order(order_id, goods, delivery=delivery, promo_code="FEB10" if life.chance(8) else None))
    if prepaid:
        life.tell(life.soon(now, 1, 3), "payment", "payment_received", [life.id("payment_token")],
                  order=paid(order_id, cost(goods), "card_online", "acquirer-1"))
    (in_store if pickup else by_parcel)(life, now, order_id, goods, prepaid)


def abandoned_cart(life: Life) -> None:
    now, ids, device, goods = _visit(life, life.day_time(9, 23))
    now = life.soon(now)
    life.tell(now, "web", "cart_updated", ids, device=device, cart=_cart(life, goods))
    if life.chance(40):
        life.tell(life.soon(now), "web", "checkout_started", ids, device=device, cart=_cart(life, goods))


def app_session(life: Life) -> None:
    """The app knows its customer by account, device and push token."""
    now = life.day_time(7, 23)
    ids = [life.id("device_id"), life.id("customer_id")]
    first = [*ids, life.id("push_token")] + ([life.id("advertising_id")] if life.chance(50) else [])
    life.tell(now, "app", "app_opened", first, device=life.phone_device)
    goods = basket(life)
    for good, _ in goods:
        now = life.soon(now)
        life.tell(now, "app", "product_viewed", ids[:1], device=life.phone_device, products=[product(good)])
    if life.chance(30):
        now = life.soon(now)
        order_id = f"app-{life.serial()}"
        life.tell(now, "app", "order_placed", ids, device=life.phone_device,
                  order=order(order_id, goods, delivery={"method": "courier", "promised_at": now + 48 * HOUR_MS},
                              payments=[{"method": "wallet", "amount": money(cost(goods))}]))
        by_parcel(life, now, order_id, goods, prepaid=True)


def push(life: Life) -> None:
    now = life.day_time(11, 19)
    message = {"message_id": f"push-{life.serial()}", "topic": "price drop"}
    life.tell(now, "push", "message_sent", [life.id("push_token")], message=message)
    if life.chance(30):
        life.tell(life.soon(now), "push", "message_opened", [life.id("push_token")], message=message)


def newsletter(life: Life) -> None:
    """A newsletter; opens and clicks name their addressee with confidence 0.8 only, for mail is forwarded."""
    day = life.rng.choice(NEWSLETTER_DAYS)
    now = at(day, 10) + life.number % 600 * 1000
    campaign = {"source": "newsletter", "medium": "email", "name": f"week-{day // 7 + 1}"}
    message = {"message_id": f"mail-{day}-{life.serial()}", "topic": campaign["name"]}
    life.tell(now, "email", "message_sent", [life.id("email")], message=message, campaign=campaign)
    if life.chance(3):
        life.tell(now + 2000, "email", "message_failed", [life.id("email")], message=message)
        return
    if not life.chance(45):
        return
    read_at = life.soon(now, 5, 600)
    life.tell(read_at, "email", "message_opened", [life.id("email", confidence=0.8)], message=message,
              campaign=campaign)
    if life.chance(40):
        click(life, life.soon(read_at, 0, 2), message, campaign)


def click(life: Life, now: int, message: Json, campaign: Json) -> None:
    """A click in a mail, and the visit it leads to."""
    device = life.rng.choice(("desktop", "mobile"))
    browser = life.id("anonymous_id", 0 if device == "desktop" else 1)
    life.tell(now, "email", "message_clicked", [life.id("email", confidence=0.8), browser], device=device,
              message=message, campaign=campaign)
    life.tell(now + 3000, "web", "page_viewed", [browser], device=device, campaign=campaign,
              properties={"url": "/sale", "referrer": "mail"})


def sms(life: Life) -> None:
    now = life.day_time(10, 18)
    message = {"message_id": f"sms-{life.serial()}", "topic": "points expire", "cost": "0.85", "currency": CURRENCY}
    life.tell(now, "sms", "message_sent", [life.id("phone")], message=message)
    life.tell(now + 4000, "sms", "message_delivered" if life.chance(94) else "message_failed", [life.id("phone")],
              message=message)


def marketplace_order(life: Life) -> None:
    now = life.day_time(8, 22)
    order_id = f"market:{life.serial()}"
    goods = basket(life, 2)
    life.tell(now, "marketplace", "order_placed", [life.id("marketplace_id"), life.id("phone")], device="other",
              order=order(order_id, goods, delivery={"method": "post", "promised_at": now + 96 * HOUR_MS}))
    by_parcel(life, now, order_id, goods, prepaid=False)


def _visit(life: Life, now: int) -> tuple[int, list[Json], str, list[tuple[Good, int]]]:
    """Pages and goods; gives the last moment, the visitor's identifiers, the device and what was looked at."""
    mobile = life.chance(55)
    device = life.phone_device if mobile else "desktop"
    browser = life.id("anonymous_id", 1 if mobile else 0)
    campaign = None
    entry = [browser]
    if life.chance(28):
        campaign = dict(life.rng.choice(CAMPAIGNS))
        campaign["click_id"] = f"click-{life.serial()}"
        entry.append(named("click_id", campaign["click_id"]))
        paid = campaign | {"cost": money(AD_COSTS[campaign["source"]]), "currency": CURRENCY}
        life.tell(now - 3000, "ads", "ad_clicked", entry[1:], device=device, campaign=paid)
    section = life.rng.choice(_SECTIONS)
    life.tell(now, "web", "page_viewed", entry, device=device, language=life.language, campaign=campaign,
              properties={"url": f"/{section}"})
    if life.chance(20):
        now = life.soon(now)
        life.tell(now, "web", "product_searched", [browser], device=device, query=section)
    goods = basket(life)
    for good, _ in goods:
        now = life.soon(now)
        life.tell(now, "web", "product_viewed", [browser], device=device, products=[product(good, life.chance(96))])
    if life.chance(12):
        now = life.soon(now)
        life.tell(now, "web", life.rng.choice(("review_read", "price_compared")), [browser], device=device,
                  products=[product(goods[0][0])])
    if life.chance(35):
        now += MINUTE_MS
        life.tell(now, "web", "logged_in", [browser, life.id("customer_id"), life.id("email")], device=device)
    return now, [browser], device, goods


def _cart(life: Life, goods: list[tuple[Good, int]]) -> Json:
    return {"cart_id": f"cart-{life.name}", "items": [line(i, g, q) for i, (g, q) in enumerate(goods, 1)],
            "total": money(cost(goods)), "currency": CURRENCY}


