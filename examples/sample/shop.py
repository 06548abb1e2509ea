"""What happens in a store: receipts, cards, sensors, kiosks, events, and the street in front of it."""

from examples.sample.catalogue import FOOD, GOODS, Good
from examples.sample.life import Json, Life, cost, iso, money, named, order, place


def receipt(life: Life, now: int, ids: list[Json], store: str, goods: list[tuple[Good, int]], method: str,
            **more: object) -> str:
    """A purchase at the till, paid and taken along; gives the order id, prefixed because tills count by themselves."""
    till = str(life.rng.randrange(1, 4))
    number = life.serial()
    order_id = f"till:{store}/{till}/{iso(now)[:10]}/{number}"
    life.tell(now, "pos", "order_placed", ids, source=f"till-{store.lower()}-{till}",
              place=place(store, terminal_id=till), staff={"id": f"cashier-{store}-{till}", "role": "cashier"},
              order=order(order_id, goods, receipt_id=number,
                          payments=[{"method": method, "amount": money(cost(goods))}],
                          delivery={"method": "carry_out"}), **more)
    return order_id


def groceries(life: Life) -> list[tuple[Good, int]]:
    """Weighed and counted goods, sometimes something bigger with them."""
    goods = [(good, life.rng.randrange(150, 2500) if good.unit == "kg" else 1000 * life.rng.randrange(1, 4))
             for good in life.rng.sample(FOOD, life.rng.randrange(1, 5))]
    return [*goods, (life.rng.choice(GOODS), 1000)] if life.chance(25) else goods


def card_purchase(life: Life) -> None:
    """With the loyalty card, as the till reads it, and the bank card's token where one paid by card.

    Now and then the loyalty card stays at home: the token alone then makes an anonymous receipt.
    """
    by_card = life.chance(70)
    forgot = by_card and life.chance(15)
    ids = ([] if forgot else [life.id("loyalty_card")]) + ([life.id("payment_token", 1)] if by_card else [])
    goods = groceries(life)
    receipt(life, life.day_time(8, 21), ids, life.store, goods, "card_terminal" if by_card else "cash",
            **({} if forgot else {"loyalty": {"programme": "thread", "points_earned": money(cost(goods) // 100)}}))


def token_purchase(life: Life) -> None:
    """No loyalty card, but the same bank card each time: one thread without a name."""
    receipt(life, life.day_time(8, 21), [life.id("payment_token", 1)], life.store, groceries(life), "card_terminal")


def cash_purchase(life: Life) -> None:
    """Nothing but a receipt."""
    receipt(life, life.day_time(8, 21), [], life.store, groceries(life), "cash")


def store_walk(life: Life) -> None:
    """Wi-Fi sees a phone come and go; the camera thinks it knows a face; a seller may help."""
    now = life.day_time(9, 20)
    where = place(life.store)
    mac = life.id("wifi_mac")
    if life.chance(35):  # most phones change their address in every network
        mac = named("wifi_mac", f"da:a1:19:{life.rng.randrange(256):02x}:{life.rng.randrange(256):02x}:11")
    life.tell(now, "wifi", "wifi_seen", [mac], place=where)
    if life.chance(40):
        now = life.soon(now, 0, 2)
        life.tell(now, "face", "face_seen", [life.id("face_id", confidence=0.9)], place=where)
    if life.chance(20):
        life.tell(life.soon(now), "wifi", "wifi_seen", [mac], place=where)


def portal_login(life: Life) -> None:
    """The store's Wi-Fi asks for a phone number: three such days tie the radio address to its owner."""
    for visit in range(3):
        life.tell(life.day_time(10, 20, (visit * 13, visit * 13 + 12)), "wifi", "identified",
                  [life.id("wifi_mac"), life.id("phone")], device="mobile", place=place(life.store))


def recognised(life: Life) -> None:
    """The camera sees a face while its owner shows the card: twice is enough, for each look is 0.9 sure."""
    for visit in range(2):
        life.tell(life.day_time(10, 20, (visit * 20, visit * 20 + 19)), "face", "card_shown",
                  [life.id("face_id", confidence=0.9), life.id("loyalty_card")], place=place(life.store))


def geofence(life: Life) -> None:
    now = life.day_time(9, 19)
    life.tell(now, "app", "store_entered", [life.id("device_id")], place=place(life.store))
    life.tell(life.soon(now, 8, 40), "app", "store_left", [life.id("device_id")], place=place(life.store))


def kiosk(life: Life) -> None:
    now = life.day_time(9, 20)
    where = place(life.store, terminal_id="kiosk-1")
    life.tell(now, "kiosk", "card_shown", [life.id("loyalty_card")], place=where)
    life.tell(life.soon(now), "kiosk", "stock_asked", [life.id("loyalty_card")], place=where,
              products=[{"sku": life.rng.choice(GOODS).sku, "available": life.chance(70)}])


def consultation(life: Life) -> None:
    life.tell(life.day_time(10, 20), "pos", "consulted", [life.id("loyalty_card")], place=place(life.store),
              staff={"id": f"seller-{life.store}-{life.rng.randrange(1, 5)}", "role": "seller"},
              products=[{"sku": life.rng.choice(GOODS).sku}], device="tablet")


def workshop(life: Life) -> None:
    life.tell(life.day_time(17, 19), "event", "event_attended", [life.id("email"), life.id("phone")],
              place=place(life.store), properties={"event": "light-workshop"})


def billboard(life: Life) -> None:
    """A screen in the street knows advertising ids near it; its QR code leads to the site."""
    now = life.day_time(8, 20)
    campaign = {"source": "outdoor", "medium": "screen", "name": "light-in-town"}
    life.tell(now, "outdoor", "ad_viewed", [life.id("advertising_id")], place=place(life.store), campaign=campaign)
    if life.chance(15):
        clicked = campaign | {"click_id": f"qr-{life.serial()}"}
        code = named("click_id", clicked["click_id"])
        now = life.soon(now)
        life.tell(now, "outdoor", "ad_clicked", [code], device="mobile", campaign=clicked)
        life.tell(now + 4000, "web", "page_viewed", [life.id("anonymous_id", 1), code], device="mobile",
                  campaign=clicked, properties={"url": "/light"})


def points(life: Life) -> None:
    life.tell(life.day_time(9, 20), "loyalty", "points_spent", [life.id("loyalty_card")],
              loyalty={"programme": "thread", "tier": life.rng.choice(("basic", "silver", "gold")),
                       "points_spent": str(life.rng.randrange(10, 200)), "balance": str(life.rng.randrange(0, 900))})


def survey(life: Life) -> None:
    life.tell(life.day_time(9, 22), "survey", "feedback_given", [life.id("email")],
              feedback={"score": life.rng.randrange(4, 11), "scale_max": 10, "text": "Thank you."})


def crm_record(life: Life) -> None:
    """The CRM's export: who somebody is, written down; nobody acted."""
    n = life.number
    digits = life.id("phone")["value"][6:]
    ids = [life.id("crm_id"), named("phone", f"067 {digits[:3]}-{digits[3:5]}-{digits[5:]}")]
    if life.chance(60):
        ids.append(named("email", life.id("email")["value"].upper()))
    elif life.chance(10):
        ids.append(named("email", "noemail@example.com"))  # what a clerk types into a field that must be filled
    if life.chance(50):
        ids.append(life.id("loyalty_card"))
    life.tell(life.day_time(2, 4, (0, 6)), "crm", "identified", ids, role="record",
              traits={"name": f"Sample Person {n}", "birthday": f"19{60 + n % 40}-{n % 12 + 1:02d}-{n % 28 + 1:02d}"},
              consent={"email_marketing": life.chance(70)})


def preference(life: Life) -> None:
    life.tell(life.day_time(9, 22), "web", "preference_set", [life.id("customer_id"), life.id("email")],
              device="desktop", preference={"contact_mode": life.rng.choice(("write", "call")),
                                            "contact_channel": life.rng.choice(("email", "viber"))})


