"""What lines of goods are worth: whole numbers of 1/10,000, rounded half to even, kept within the sinks' decimals."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from streams.core.event import SCALE

Record: TypeAlias = Mapping[str, Any]
"""An Avro record as Event.order holds it: absent values left out."""

AMOUNT_MAX = 10**18 - 1
"""The largest value of Decimal(18, 4)."""


def ratio(a: int, b: int, c: int) -> int:
    """a × b / c to the nearest whole number, a half to the even one; c > 0."""
    quotient, rest = divmod(a * b, c)
    return quotient + (2 * rest > c or (2 * rest == c and quotient & 1))


def worth(lines: Iterable[Record]) -> int | None:
    """Σ quantity × price of the lines that have a price, rounded once; None where none has."""
    costs = [line.get("quantity", SCALE) * line["price"] for line in lines if line.get("price") is not None]
    return min(ratio(sum(costs), 1, SCALE), AMOUNT_MAX) if costs else None
