"""One life: a person's identifiers and the events told about them.

Identifier values are functions of the person's number, so that two lives never meet by accident; only the stories
let them.
"""

from collections.abc import Iterable
from random import Random
from typing import Any, TypeAlias

from examples.sample.catalogue import (
    CURRENCY,
    DEVICES,
    HOUR_MS,
    MINUTE_MS,
    OFFSET_MIN,
    SOURCES,
    START_MS,
    STORES,
    ZONE,
    Good,
)

Json: TypeAlias = dict[str, Any]

_DOMAINS = ("example.com", "example.org", "example.net")
_FORMS = {
    "phone": "+38067{nth}{n:06d}",
    "email": "person{n:04d}@{domain}",
    "loyalty_card": "77{nth:02d}{n:06d}",
    "customer_id": "C1{n:05d}",
    "crm_id": "contact-{n:05d}",
    "telegram_id": "7{n:08d}",
    "viber_id": "viber-{n:06d}",
    "instagram_id": "17841400:5{n:06d}",
    "facebook_id": "10210000:6{n:06d}",
    "marketplace_id": "buyer-{n:06d}",
    "payment_token": "tok_{nth}{n:07x}",
    "device_id": "app-{n:05d}-{nth}",
    "advertising_id": "{n:08x}-5a5a-4a5a-8a5a-{nth:012x}",
    "push_token": "push-{n:05d}-{nth}",
    "anonymous_id": "ck-{n:05d}-{nth}",
    "face_id": "face-{n:05d}",
    "wifi_mac": "00:00:5e:{nth:02x}:{high:02x}:{low:02x}",
}


def identifier(kind: str, number: int, nth: int = 0, confidence: float | None = None) -> Json:
    """An identifier as a producer sends it: the `nth` of this kind that person `number` holds."""
    high, low = divmod(number, 256)
    value = _FORMS[kind].format(n=number, nth=nth, domain=_DOMAINS[number % 3], high=high, low=low)
    return named(kind, value, confidence)


def named(kind: str, value: str, confidence: float | None = None) -> Json:
    return {"kind": kind, "value": value} | ({} if confidence is None else {"confidence": confidence})


def iso(at_ms: int) -> str:
    """Local time of the sample with its offset, to the millisecond."""
    seconds, ms = divmod(at_ms - START_MS, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    month, of_month = (1, 18 + day) if day < 14 else (2, day - 13) if day < 42 else (3, day - 41)
    return (f"2026-{month:02d}-{of_month:02d}T{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}"
            f"+{OFFSET_MIN // 60:02d}:{OFFSET_MIN % 60:02d}")


def money(kopecks: int) -> str:
    return f"{kopecks // 100}.{kopecks % 100:02d}"


def place(store: str, **more: Any) -> Json:
    return {"store_id": store, "zone": ZONE, "country": "UA", "city": STORES[store]} | more


def line(ordinal: int, good: Good, thousandths: int = 1000) -> Json:
    """A line of a cart, order or receipt; quantities are in 1/1000 of the unit."""
    quantity = str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths / 1000:.3f}"
    return {"line_id": str(ordinal), "sku": good.sku, "name": good.name, "category": good.category,
            "quantity": quantity, "unit": good.unit, "price": money(good.price)}


def cost(lines: Iterable[tuple[Good, int]]) -> int:
    """Kopecks of (good, thousandths) lines, each rounded half up."""
    return sum((good.price * thousandths + 500) // 1000 for good, thousandths in lines)


class Life:
    """What happened to one person; scenarios tell it, event by event."""

    def __init__(self, number: int, rng: Random, out: list[Json], name: str = "") -> None:
        self.number, self.rng = number, rng
        self.name = name or f"p{number:04d}"
        self._out, self._told = out, 0
        self.store = rng.choice(tuple(STORES))
        self.phone_device = rng.choice(("mobile", "mobile", "tablet"))
        self.language = rng.choice(("uk", "uk", "uk", "en"))

    def id(self, kind: str, nth: int = 0, confidence: float | None = None) -> Json:
        return identifier(kind, self.number, nth, confidence)

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def serial(self) -> str:
        """A number that nobody else's events carry: for orders, messages, clicks."""
        return f"{self.name}-{self._told + 1}"

    def tell(self, at_ms: int, channel: str, kind: str, ids: Iterable[Json], **fields: Any) -> None:
        """Add one event. `device`, `source` and the like override what the channel implies; None leaves a field out."""
        self._told += 1
        source = fields.pop("source", SOURCES[channel])
        event = {"event_id": f"{source}:{self.name}-{self._told}", "channel": channel, "type": kind,
                 "occurred_at": iso(at_ms), "source": source, "identifiers": list(ids),
                 "device": DEVICES.get(channel)} | fields
        self._out.append({name: value for name, value in event.items() if value is not None})

    def soon(self, at_ms: int, least: int = 1, most: int = 4) -> int:
        """A moment some minutes later, with odd seconds."""
        return at_ms + self.rng.randrange(least * MINUTE_MS, most * MINUTE_MS)

    def day_time(self, first: int = 9, last: int = 20, days: tuple[int, int] = (0, 40)) -> int:
        """A moment on one of the days, between two hours."""
        day = self.rng.randrange(days[0], days[1] + 1)
        return START_MS + (day * 24 + first) * HOUR_MS + self.rng.randrange((last - first) * HOUR_MS)


def paid(order_id: str, kopecks: int, method: str, provider: str | None = None) -> Json:
    """An order as a payment tells of it: its number and the money."""
    payment = {"method": method, "provider": provider, "amount": money(kopecks)}
    return {"order_id": order_id, "currency": CURRENCY,
            "payments": [{name: value for name, value in payment.items() if value is not None}]}


def order(order_id: str, lines: list[tuple[Good, int]], **more: Any) -> Json:
    """An order of (good, thousandths) lines with their total."""
    return {"order_id": order_id, "total": money(cost(lines)), "currency": CURRENCY,
            "items": [line(i, good, q) for i, (good, q) in enumerate(lines, 1)]} | more
