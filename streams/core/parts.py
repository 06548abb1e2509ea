"""The parts of an event's record, checked and packed: lines, cart, order, return, and what a touchpoint's row carries.

Every amount is checked wherever it stands; only what later stages read is packed. A part keeps its Avro name and the
names of its fields; absent values are left out, amounts and quantities are whole numbers of 1/10,000.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from streams.core.event import pack
from streams.core.money import CURRENCIES, scaled
from streams.core.refusal import Reason, Refusal

Record: TypeAlias = Mapping[str, Any]
Part: TypeAlias = dict[str, Any]

OUTCOMES = frozenset({"asked", "accepted", "refused"})

_LINE_TEXTS = ("line_id", "sku", "name", "category", "brand", "unit")
_LINE_AMOUNTS = ("price", "discount", "tax", "margin")
_ORDER_TEXTS = ("receipt_id", "promo_code")
_ORDER_AMOUNTS = ("total", "tax", "shipping", "discount", "margin")
_DELIVERY_TEXTS = ("shipment_id", "method", "carrier", "tracking_id", "status", "store_id")
_POINTS = ("points_earned", "points_spent", "balance")

_EARLIEST_MS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
_LATEST_MS = int(datetime(2300, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""From here on ClickHouse's DateTime64 has no values."""


NAME_LENGTH_MAX = 1000
"""Characters of a name, number or reason. Rows of persons, sessions and orders gather them over many events, and a row
has to fit a Kafka record."""


def amount(record: Record, name: str, path: str) -> int | None:
    """The scaled amount of a field, None where it is absent; Refusal where it is none."""
    text = record[name]
    if text is None:
        return None
    try:
        return scaled(text)
    except ValueError as error:
        raise Refusal(Reason.BAD_AMOUNT, f"{path}.{name}: {error}") from None


def currency(record: Record, path: str) -> str | None:
    """The currency of a record, None where it is absent; Refusal where ISO 4217 does not know it."""
    code = record["currency"]
    if code is None or code in CURRENCIES:
        return code  # type: ignore[no-any-return]
    raise Refusal(Reason.BAD_VALUE, f"{path}.currency: expected an ISO 4217 code such as EUR")


def instant(record: Record, name: str, path: str) -> int | None:
    """An instant other than occurred_at; Refusal outside 2000 to 2299."""
    ms: int | None = record[name]
    if ms is not None and not _EARLIEST_MS <= ms < _LATEST_MS:
        raise Refusal(Reason.BAD_TIME, f"{path}.{name}: expected a time from 2000 to 2299")
    return ms


def limited(text: str, path: str) -> str:
    """A text that names something; Refusal where it is too long for that."""
    if len(text) > NAME_LENGTH_MAX:
        raise Refusal(Reason.BAD_VALUE, f"{path}: expected at most {NAME_LENGTH_MAX} characters; came {len(text)}")
    return text


def _required(record: Record, name: str, path: str) -> str:
    if not record[name]:
        raise Refusal(Reason.MISSING_FIELD, f"{path}.{name}: expected a text")
    return limited(str(record[name]), f"{path}.{name}")


def _amounts(record: Record, names: Sequence[str], path: str, money: str | None, packed: Part) -> None:
    """Adds the amounts of `names` to `packed`; Refusal where there is one without a currency."""
    for name in names:
        value = amount(record, name, path)
        if value is not None:
            if money is None:
                raise Refusal(Reason.MISSING_FIELD, f"{path}.currency: expected one, as there is {path}.{name}")
            packed[name] = value


def _texts(record: Record, names: Sequence[str], packed: Part) -> None:
    for name in names:
        if value := record[name]:
            packed[name] = limited(value, name)


def lines(items: Sequence[Record], path: str, money: str | None, needs_currency: bool = True) -> list[Part]:
    """Product lines, with the currency of what holds them where they name none."""
    packed = []
    for number, item in enumerate(items):
        where = f"{path}[{number}]"
        _required(item, "sku", where)
        own = currency(item, where) or money
        line: Part = {}
        _texts(item, _LINE_TEXTS, line)
        line["quantity"] = amount(item, "quantity", where)
        _amounts(item, _LINE_AMOUNTS, where, own if needs_currency else "", line)
        if own:
            line["currency"] = own
        packed.append(line)
    return packed


def products(record: Record) -> list[Part]:
    """The lines of a view, review or message: a price in a catalogue may stand without a currency."""
    own = next((r["currency"] for r in (record["order"], record["cart"], record["return"]) if r is not None), None)
    return lines(record["products"], "products", own, needs_currency=False)


def unavailable(record: Record) -> list[str]:
    """The skus of lines of products, cart or order that are told as not available."""
    held = (record[name]["items"] or () for name in ("cart", "order") if record[name] is not None)
    found = [line["sku"] for lines_ in (record["products"], *held) for line in lines_ if line["available"] is False]
    return list(dict.fromkeys(found)) if found else found


def cart(record: Record) -> Part | None:
    row = record["cart"]
    if row is None:
        return None
    money = currency(row, "cart")
    packed: Part = {"currency": money, "items": lines(row["items"], "cart.items", money)}
    _amounts(row, ("total",), "cart", money, packed)
    return packed


def order(record: Record, order_id: str | None) -> Part | None:
    """The record `order`; order_id is its normal form."""
    row = record["order"]
    if row is None:
        return None
    money = currency(row, "order")
    packed: Part = {"order_id": order_id}
    _texts(row, _ORDER_TEXTS, packed)
    _amounts(row, _ORDER_AMOUNTS, "order", money, packed)
    if money:
        packed["currency"] = money
    if row["items"] is not None:
        packed["items"] = lines(row["items"], "order.items", money)
        for number, line in enumerate(packed["items"], 1):
            line.setdefault("line_id", str(number))
    if row["payments"]:
        packed["payments"] = [_payment(p, f"order.payments[{n}]", money) for n, p in enumerate(row["payments"])]
    if row["delivery"] is not None:
        packed["delivery"] = _delivery(row["delivery"], money)
    return packed


def _payment(row: Record, path: str, money: str | None) -> Part:
    packed: Part = {"method": _required(row, "method", path)}
    _texts(row, ("provider",), packed)
    _amounts(row, ("amount",), path, money, packed)
    return packed


def _delivery(row: Record, money: str | None) -> Part:
    packed: Part = {}
    _texts(row, _DELIVERY_TEXTS, packed)
    _amounts(row, ("cost",), "order.delivery", money, packed)
    if (promised_ms := instant(row, "promised_at", "order.delivery")) is not None:
        packed["promised_at"] = promised_ms
    return packed


def returned(record: Record) -> Part | None:
    """The record `return`, with its defaults: return_id is the event_id, outcome accepted unless asked for.

    An amount without a currency of its own is in the order's.
    """
    row = record["return"]
    if row is None:
        return None
    outcome = row["outcome"] or ("asked" if record["type"] == "return_asked" else "accepted")
    if outcome not in OUTCOMES:
        raise Refusal(Reason.BAD_VALUE, f"return.outcome: expected one of {', '.join(sorted(OUTCOMES))}")
    money = currency(row, "return") or (record["order"] or {}).get("currency")
    packed: Part = {"return_id": row["return_id"] or record["event_id"], "outcome": outcome}
    _texts(row, ("reason",), packed)
    _amounts(row, ("amount",), "return", money, packed)
    if money:
        packed["currency"] = money
    if row["items"]:
        packed["items"] = lines(row["items"], "return.items", money)
    return packed


def points(record: Record) -> Part:
    """The amounts of `loyalty`; points have no currency."""
    packed: Part = {}
    if record["loyalty"] is not None:
        _amounts(record["loyalty"], _POINTS, "loyalty", "", packed)
    return packed


def cost(record: Record, name: str) -> Part:
    """cost and currency of `campaign` or `message`; empty where it tells none."""
    packed: Part = {}
    if (row := record[name]) is not None:
        money = currency(row, name)
        _amounts(row, ("cost",), name, money, packed)
        if packed:
            packed["currency"] = money
    return packed


def pack_order(order_part: Part | None, return_part: Part | None, loyalty: Part) -> bytes:
    """`Event.order`: {"order": …, "return": …, "points_spent": …}; empty where the event is about no order."""
    if order_part is None and return_part is None:
        return b""
    packed: Part = {}
    if order_part is not None:
        packed["order"] = order_part
    if return_part is not None:
        packed["return"] = return_part
    if "points_spent" in loyalty:
        packed["points_spent"] = loyalty["points_spent"]
    return pack(packed)


def pack_content(
    record: Record, local_ms: int, lines_shown: Sequence[Part], money: Part, spent: Part, lacking: Sequence[str],
) -> bytes:
    """`Event.content`, in the order of `facts.CONTENT`.

    Shape:  lines_shown, whose skus are kept; money holds amount and currency, spent cost and currency; lacking are
            the skus that were not available.
    """
    campaign, feedback = record["campaign"] or {}, record["feedback"] or {}
    return pack((
        local_ms,
        record["source"],
        record["language"],
        list(dict.fromkeys(line["sku"] for line in lines_shown)),
        record["query"],
        campaign.get("source"),
        campaign.get("medium"),
        campaign.get("name"),
        campaign.get("term"),
        campaign.get("content"),
        spent.get("cost"),
        spent.get("currency"),
        money.get("amount"),
        money.get("currency"),
        record["properties"],
        lacking,
        feedback.get("score"),
        feedback.get("scale_max"),
    ))


def local_ms(at_ms: int, utc_offset_min: int | None, zone: str | None, reporting_zone: str) -> int:
    """Wall-clock time as epoch milliseconds: by the event's offset, else its place's zone, else the reporting one."""
    if utc_offset_min is not None:
        return at_ms + utc_offset_min * 60_000
    return at_ms + _offset_ms(zone or reporting_zone, at_ms // _QUARTER_MS)


_QUARTER_MS = 15 * 60_000
"""Zones change their offset on quarters of an hour only, since 2000."""


@lru_cache(maxsize=4096)
def _offset_ms(zone: str, quarter: int) -> int:
    offset = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() * 1000)


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, the name of a folder of zones
        return False
    return True
