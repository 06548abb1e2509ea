"""Reference records: facts without a customer, such as stores, stock and rates of exchange.

The last value of a key wins. `record` reads what somebody wrote in a file, `row` what is in the topic: every record is
checked by `row`, whoever produced it, so that a table never holds what a file would have been refused for. Amounts
are decimal texts; a day is a day of the reporting zone, in rows and records the number of days since 1970.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from streams.core.facts import Column, Key, Row, Table
from streams.core.money import CURRENCIES, scaled
from streams.core.parts import instant, is_zone, limited
from streams.core.refusal import Reason, Refusal


def _table(name: str, key: int, columns: str) -> Table:
    return Table(name, key, tuple(Column(*c.split(":")) for c in columns.split()))


TABLES: dict[str, Table] = {t.name: t for t in (
    _table("stores", 1, "store_id:str name:str? city:str? region:str? country:str? zone:str? opening_hours:str?"),
    _table("products", 1, "sku:str name:str? category:str? brand:str? cost:money? currency:str?"),
    _table("stock", 2,
        "sku:str store_id:str available:money reserved:money incoming:money expected_at:ms? price:money? "
        "currency:str? at:ms?"),
    _table("campaign_costs", 4,
        "day:day source:str medium:str name:str impressions:int? clicks:int? cost:money currency:str"),
    _table("rates", 2, "day:day currency:str rate:rate"),
    _table("staff", 1, "id:str name:str? role:str? team:str? skills:strs"),
)}
"""Every table of reference records. Column types are those of `facts`, and: day · rate a Decimal of 12 decimals."""

_DEFAULTS: Mapping[tuple[str, str], Any] = {
    ("stock", "store_id"): "", ("stock", "reserved"): "0", ("stock", "incoming"): "0",
    ("campaign_costs", "medium"): "", ("campaign_costs", "name"): "", ("staff", "skills"): [],
}
"""What stands for an absent value where NULL may not; the same as in the Avro records."""

_PRICED = {"cost": "currency", "price": "currency"}
"""Amounts that need a currency."""

_EPOCH, _FIRST, _LAST = date(1970, 1, 1), date(2000, 1, 1), date(2148, 12, 31)
_INT_MAX = 2**63 - 1

RATE_DECIMALS = 12
_is_rate = re.compile(rf"[0-9]{{1,8}}(?:\.[0-9]{{1,{RATE_DECIMALS}}})?").fullmatch
"""Below 10**8, so that a rate times the largest amount fits 38 digits, 16 of them decimals."""


def record(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """The Avro record of one line of a file.

    Shape:  texts by column, as a line of CSV gives them, lists of texts for `strs`; absent, None and "" are the same.
    Errors: Refusal with the column, what was expected and what came.
    """
    names = [column.name for column in table.columns]
    for name in given:
        if name not in names:
            raise Refusal(Reason.UNKNOWN_FIELD, f"{str(name)[:60]}: no such column; expected {', '.join(names)}")
    return {column.name: _given(table, column, given.get(column.name)) for column in table.columns}


def row(table: Table, told: Mapping[str, Any]) -> Row:
    """The row of an Avro record: its values in the order of the columns, amounts scaled.

    Errors: Refusal, as `record`.
    """
    for amount, currency in _PRICED.items():
        if told.get(amount) is not None and not told.get(currency):
            raise Refusal(Reason.MISSING_FIELD, f"{currency}: expected one, as there is a {amount}")
    return tuple(_value(table, column, told) for column in table.columns)


def key(table: Table, values: Row) -> bytes:
    """The key of a row's record in its topic: a JSON list of the key's columns, days as ISO texts."""
    parts = [
        (_EPOCH + timedelta(value)).isoformat() if column.type == "day" else value
        for column, value in zip(table.columns[: table.key], values, strict=False)
    ]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()


def key_of(table: Table, data: bytes | None) -> Key:
    """The key's columns of a record's key. Errors: Refusal where it is not one that `key` makes."""
    try:
        parts = json.loads(data or b"")
        assert isinstance(parts, list)
        assert len(parts) == table.key
        assert all(isinstance(part, str) for part in parts)
    except (ValueError, AssertionError):
        raise Refusal(Reason.BAD_VALUE, f"key: expected a JSON list of {table.key} texts") from None
    return tuple(_day(part, column.name) if column.type == "day" else part
                 for column, part in zip(table.columns, parts, strict=False))


def _given(table: Table, column: Column, value: Any) -> Any:
    name, kind = column.name, column.type.removesuffix("?")
    if value is None or value == "" or value == []:
        if column.type.endswith("?"):
            return None
        if (table.name, name) in _DEFAULTS:
            return _DEFAULTS[table.name, name]
        raise Refusal(Reason.MISSING_FIELD, f"{name}: expected a value")
    if kind == "strs":
        return _texts(value, name)
    if not isinstance(value, str):
        raise Refusal(Reason.BAD_VALUE, f"{name}: expected a text or a number; came a {type(value).__name__}")
    if kind == "int":
        if not value.isdecimal():
            raise Refusal(Reason.BAD_VALUE, f"{name}: expected a whole number; came {value[:60]!r}")
        return int(value)
    return {"day": _day, "ms": _instant}.get(kind, lambda text, _: text)(value, name)


def _texts(value: Any, name: str) -> list[str]:
    """A list of texts; in a file of CSV they are separated by semicolons."""
    parts = [part.strip() for part in value.split(";")] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise Refusal(Reason.BAD_VALUE, f"{name}: expected a list of texts")
    return list(dict.fromkeys(part for part in parts if part))


def _day(text: str, name: str) -> int:
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        raise Refusal(Reason.BAD_TIME, f"{name}: expected a day such as 2026-03-01; came {text[:60]!r}") from None


def _instant(text: str, name: str) -> int:
    if text.isdecimal():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refusal(
            Reason.BAD_TIME, f"{name}: expected ISO 8601 with a zone, or epoch milliseconds; came {text[:60]!r}",
        )
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _value(table: Table, column: Column, told: Mapping[str, Any]) -> Any:
    name, kind, value = column.name, column.type.removesuffix("?"), told[column.name]
    if value is None:
        return None
    if kind == "str":
        return _text(table, name, value)
    if kind == "strs":
        return _limited_texts(value, name)
    if kind == "ms":
        return instant(told, name, table.name)
    if kind == "day":
        if not (_FIRST - _EPOCH).days <= value <= (_LAST - _EPOCH).days:
            raise Refusal(Reason.BAD_TIME, f"{name}: expected a day from {_FIRST} to {_LAST}")
        return value
    if kind == "int":
        if not 0 <= value <= _INT_MAX:
            raise Refusal(Reason.BAD_VALUE, f"{name}: expected a number from 0 to 2^63 - 1")
        return value
    return _rate(value, name) if kind == "rate" else _amount(value, name)


def _text(table: Table, name: str, value: str) -> str:
    if not value and (table.name, name) not in _DEFAULTS:
        raise Refusal(Reason.MISSING_FIELD, f"{name}: expected a text")
    if name == "currency" and value not in CURRENCIES:
        raise Refusal(Reason.BAD_VALUE, f"{name}: expected an ISO 4217 code such as EUR; came {value[:60]!r}")
    if name == "zone" and not is_zone(value):
        raise Refusal(Reason.BAD_VALUE, f"{name}: expected an IANA time zone such as Europe/Kyiv; came {value[:60]!r}")
    return limited(value, name)


def _limited_texts(values: Sequence[str], name: str) -> list[str]:
    limited(";".join(values), name)
    return list(values)


def _amount(text: str, name: str) -> int:
    try:
        return scaled(text)
    except ValueError as error:
        raise Refusal(Reason.BAD_AMOUNT, f"{name}: {error}; came {text[:60]!r}") from None


def _rate(text: str, name: str) -> Decimal:
    if not _is_rate(text) or not Decimal(text):
        raise Refusal(
            Reason.BAD_AMOUNT, f"{name}: expected a decimal text above 0 such as 0.0235, at most {RATE_DECIMALS} "
            f"decimals; came {text[:60]!r}",
        )
    return Decimal(text)
