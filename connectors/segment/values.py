"""A value of a call as a field of the channel event holds it; None where it does not fit: then it stays where it was.

Amounts are decimal texts. SDKs in JavaScript know only binary fractions, so a number is rounded to four decimals:
0.1 + 0.2 is 0.3. A text is taken only as it is.
"""

import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import msgspec

from streams.core.money import AMOUNT_FIELDS, CURRENCIES, scaled
from streams.core.parts import NAME_LENGTH_MAX

_encode = msgspec.json.Encoder().encode

_LONG = frozenset({"message.text", "feedback.text", "query"})
"""Texts that may be longer than a name."""
_DOUBLES = frozenset({"feedback.score", "feedback.scale_max", "place.latitude", "place.longitude"})
_PLACES = Decimal("0.0001")


def text(value: Any) -> str:
    """Any value as text: a text as it is, everything else as its JSON."""
    return value if isinstance(value, str) else _encode(value).decode()


def name(value: Any) -> str | None:
    """A name or number of something: a text that is not empty, or a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = text(value)
    if not isinstance(value, str):
        return None
    stripped: str = value.strip()
    return stripped if 0 < len(stripped) <= NAME_LENGTH_MAX else None


def amount(value: Any) -> str | None:
    """A decimal text such as 12.50; None where it is negative or none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if not isinstance(value, str):
        if abs(value) >= 1e14 or not math.isfinite(value):
            return None
        value = _written(Decimal(str(value)).quantize(_PLACES))
    found: str = value
    try:
        scaled(found)
    except ValueError:
        return None
    return found


def number(value: Any) -> Decimal | None:
    """An amount to reckon with."""
    told = amount(value)
    return Decimal(told) if told is not None else None


def written(value: Decimal) -> str | None:
    """A sum as an amount."""
    return amount(_written(value))


def _written(value: Decimal) -> str:
    whole = f"{value:f}"
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def currency(value: Any) -> str | None:
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if code in CURRENCIES else None


def fit(target: str, value: Any) -> Any:
    """The value as the field `target` holds it; None where it does not fit."""
    return _fitter(target)(value) if value not in (None, "") else None


@cache
def _fitter(target: str) -> Callable[[Any], Any]:
    last = target.rpartition(".")[2]
    if last == "currency":
        return currency
    if target in _DOUBLES:
        return _double
    if last in AMOUNT_FIELDS:
        return amount
    if target.startswith("consent.") or last == "available":
        return _boolean
    if target.startswith(("traits.", "preference.", "properties.")) or target in _LONG:
        return text
    return name


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _double(value: Any) -> float | None:
    try:
        found = float(Decimal(text(value)))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
