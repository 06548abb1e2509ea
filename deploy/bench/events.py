"""Events as a retailer's systems send them, from one seed: what the measurements run on.

Rules: people come in sessions of 2 to 10 events on one of their 1 to 4 devices; some log in, some buy, some write or
call, some pay in a store. Events come in the order of their time, as producers send them. The same seed gives the same
bytes; nobody is real.
"""

import heapq
import random
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]

FIRST_MS = 1_767_225_600_000
"""2026-01-01: in the past wherever the clock is right, so that no event is from the future."""

DAYS = 30
DAY_MS = 86_400_000
EVENTS_OF_A_PERSON = 12
EVENTS_OF_A_SESSION = 5.5
"""The mean; it only spreads the sessions over the days."""

_ACCOUNTS = 0.6
_LOGIN = 0.3
_BUYS = 0.08
_SECOND_DEVICE = 0.15
_DEVICES = (
    ("web", "desktop", "anonymous_id"), ("app", "mobile", "device_id"),
    ("web", "mobile", "anonymous_id"), ("web", "tablet", "anonymous_id"),
)
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
_QUESTION = "A question about an order and when it will be here, and what else there is. "
_CATEGORIES = ("lamps", "kettles", "chairs", "carpets", "mirrors", "clocks", "shelves", "curtains")


def people_for(events: int) -> int:
    """How many people send so many events."""
    return max(1, events // EVENTS_OF_A_PERSON)


def generate(count: int, people: int, seed: int, part: int = 0) -> Iterator[Event]:
    """`count` events of `people` people in the order of their time.

    Shape: parts follow each other in time and are of the same people; each event fits the record ChannelEvent.
    """
    rng = random.Random(f"{seed}/{part}")
    crowd = _Crowd(people, seed)
    start_ms = FIRST_MS + part * (DAYS + 7) * DAY_MS
    step_ms = DAYS * DAY_MS * EVENTS_OF_A_SESSION / max(count, 1)
    waiting: list[tuple[int, int, Event]] = []
    sent = number = 0
    at_ms = float(start_ms)
    while True:
        at_ms += rng.expovariate(1 / step_ms)
        while waiting and waiting[0][0] <= at_ms:
            if sent == count:
                return
            yield heapq.heappop(waiting)[2]
            sent += 1
        for event in _session(crowd, rng, int(at_ms)):
            number += 1
            heapq.heappush(waiting, (event["occurred_at"], number, event))


def event(rng: random.Random, channel: str, kind: str, at_ms: int, ids: list[tuple[str, str]], **fields: Any) -> Event:
    """One event with a fresh id."""
    return {
        "event_id": f"{channel}:{rng.getrandbits(128):032x}", "channel": channel, "type": kind, "occurred_at": at_ms,
        "utc_offset_min": 120, "source": f"{channel}-producer",
        "identifiers": [{"kind": name, "value": value} for name, value in ids], **fields,
    }


class _Crowd:
    """Who there is: everything about person n follows from the seed and n."""

    def __init__(self, people: int, seed: int) -> None:
        self.people, self.seed = people, seed

    def draw(self, rng: random.Random) -> int:
        """A few people come often, most seldom."""
        return int(self.people * rng.random() ** 1.6)

    def has_account(self, n: int) -> bool:
        return n * 7919 % 100 < _ACCOUNTS * 100

    def devices(self, n: int) -> int:
        return (1, 1, 1, 2, 2, 3, 4)[n * 31 % 7]

    def own(self, kind: str, n: int, device: int = 0) -> tuple[str, str]:
        """An identifier of person n; devices have one each."""
        match kind:
            case "phone":
                return kind, f"+38067{(self.seed * 1_000_003 + n) % 10_000_000:07d}"
            case "email":
                return kind, f"person{n}.{self.seed}@example.com"
            case "loyalty_card":
                return kind, f"29{self.seed % 1000:03d}{n:08d}"
            case "anonymous_id" | "device_id":
                return kind, f"{kind[:2]}-{self.seed}-{n}-{device}"
        return kind, f"{kind}-{self.seed}-{n}"


def _session(crowd: _Crowd, rng: random.Random, at_ms: int) -> Iterator[Event]:
    n, what = crowd.draw(rng), rng.random()
    if what < 0.75:
        return _browse(crowd, rng, n, at_ms)
    if what < 0.87:
        return _talk(crowd, rng, n, at_ms)
    return _shop(crowd, rng, n, at_ms)


def _browse(crowd: _Crowd, rng: random.Random, n: int, at_ms: int) -> Iterator[Event]:
    number = rng.randrange(crowd.devices(n))
    logs_in = rng.choice((1, 2)) if crowd.has_account(n) and rng.random() < _LOGIN else -1
    for step in range(rng.randint(2, 10)):
        if step and crowd.devices(n) > 1 and rng.random() < _SECOND_DEVICE:
            number = rng.randrange(crowd.devices(n))
        channel, device, kind = _DEVICES[number]
        ids = [crowd.own(kind, n, number)]
        common: dict[str, Any] = {"device": device, "language": "en"}
        if step == logs_in:
            yield event(rng, channel, "logged_in", at_ms, [*ids, crowd.own("customer_id", n), crowd.own("email", n)],
                        properties=_page(rng, "account"), **common)
        elif step == 0 and rng.random() < 0.2:
            yield event(rng, channel, "page_viewed", at_ms, ids, properties=_page(rng, "home"),
                        campaign=_campaign(rng), **common)
        else:
            yield event(rng, channel, "product_viewed", at_ms, ids, properties=_page(rng, "product"),
                        products=_lines(rng, 1), **common)
        at_ms += rng.randint(3_000, 240_000)
    if crowd.has_account(n) and rng.random() < _BUYS:
        yield from _buy(crowd, rng, n, at_ms, channel, ids, common)


def _buy(
    crowd: _Crowd, rng: random.Random, n: int, at_ms: int, channel: str, ids: list[tuple[str, str]],
    common: dict[str, Any],
) -> Iterator[Event]:
    lines = _lines(rng, rng.randint(1, 4))
    order_id = f"W{rng.getrandbits(48):012x}"
    order = {"order_id": order_id, "currency": "EUR", "items": lines, "total": _total(lines),
             "shipping": "4.90", "delivery": {"method": "courier", "status": "reserved"}}
    known = [*ids, crowd.own("customer_id", n), crowd.own("phone", n)]
    cart = {"items": lines, "total": order["total"], "currency": "EUR"}
    yield event(rng, channel, "cart_updated", at_ms, ids, cart=cart, **common)
    yield event(rng, channel, "order_placed", at_ms + 90_000, known, order=order, properties=_page(rng, "done"),
                **common)
    short = {"order_id": order_id, "currency": "EUR"}
    delivered = {"method": "courier", "status": "delivered", "tracking_id": f"T{order_id}"}
    yield event(rng, "payment", "order_paid", at_ms + 95_000, [],
                order={**short, "payments": [{"method": "card_online", "amount": order["total"]}]})
    yield event(rng, "delivery", "order_fulfilled", at_ms + rng.randint(1, 4) * DAY_MS, [crowd.own("phone", n)],
                order={**short, "delivery": delivered})


def _talk(crowd: _Crowd, rng: random.Random, n: int, at_ms: int) -> Iterator[Event]:
    channel, kind = rng.choice((("telegram", "telegram_id"), ("call_centre", "phone"), ("email", "email")))
    ids = [crowd.own(kind, n)]
    conversation = f"c-{rng.getrandbits(40):010x}"
    theirs, ours = {"telegram": ("message_received", "message_sent"), "email": ("message_opened", "message_sent"),
                    "call_centre": ("call_answered", "call_made")}[channel]
    for step in range(rng.randint(2, 6)):
        message = {"message_id": f"m-{rng.getrandbits(64):016x}", "conversation_id": conversation, "topic": "delivery",
                   "text": _QUESTION * rng.randint(1, 3)}
        yield event(rng, channel, ours if step % 2 else theirs, at_ms, ids, message=message,
                    staff={"id": f"operator-{rng.randrange(20)}", "role": "operator"})
        at_ms += rng.randint(20_000, 400_000)


def _shop(crowd: _Crowd, rng: random.Random, n: int, at_ms: int) -> Iterator[Event]:
    store = f"S{n % 40}"
    place = {"store_id": store, "terminal_id": str(rng.randint(1, 6)), "zone": "Europe/Kyiv"}
    ids = [crowd.own("loyalty_card", n)] if rng.random() < 0.7 else [crowd.own("payment_token", n)]
    if crowd.has_account(n) and rng.random() < 0.3:
        ids.append(crowd.own("phone", n))
    yield event(rng, "pos", "card_shown", at_ms, ids, place=place, device="pos",
                staff={"id": f"cashier-{rng.randrange(200)}", "role": "cashier"})
    lines = _lines(rng, rng.randint(1, 5))
    order = {"order_id": f"till:{store}/{rng.getrandbits(48):012x}", "currency": "EUR", "items": lines,
             "total": _total(lines), "payments": [{"method": "card_terminal", "amount": _total(lines)}]}
    yield event(rng, "pos", "order_placed", at_ms + 60_000, ids, place=place, device="pos", order=order,
                staff={"id": f"cashier-{rng.randrange(200)}", "role": "cashier"})


def _lines(rng: random.Random, count: int) -> list[dict[str, Any]]:
    return [
        {"sku": f"sku-{(number := rng.randrange(5000)):05d}", "name": f"Article number {number} in oak and brass",
         "category": _CATEGORIES[number % 8], "brand": f"brand-{number % 60}", "quantity": "1",
         "price": f"{5 + number % 200}.90", "currency": "EUR"}
        for _ in range(count)
    ]


def _total(lines: list[dict[str, Any]]) -> str:
    cents = sum(int(line["price"].replace(".", "")) for line in lines)
    return f"{cents // 100}.{cents % 100:02d}"


def _page(rng: random.Random, page: str) -> dict[str, str]:
    return {
        "url": f"https://shop.example.com/en/{page}/{rng.getrandbits(32):08x}?variant={rng.randrange(9)}",
        "referrer": "https://search.example.org/results", "user_agent": _AGENT, "title": f"The {page} page of the shop",
        "screen": "1920x1080",
    }


def _campaign(rng: random.Random) -> dict[str, str]:
    return {"source": "search", "medium": "cpc", "name": f"campaign-{rng.randrange(30)}",
            "click_id": f"click-{rng.getrandbits(64):016x}"}
