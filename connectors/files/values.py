"""Texts of a file as values of an event: amounts, times, numbers, yes and no, each as the file writes them.

What cannot be read is refused with the path of the field; a detail never holds the value, which may be personal.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from streams.core.refusal import Reason, Refusal

DECIMALS_MAX = 4
ISO, EPOCH = "iso", "epoch"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_is_amount = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?").fullmatch
_is_epoch = re.compile(r"-?[0-9]{1,19}(\.[0-9]+)?").fullmatch
_YEAR_MIN, _YEAR_MAX = 1900, 2999
"""At the ends of the calendar another zone is a day that does not exist."""

_YES = frozenset({"true", "yes", "y", "1", "t", "так", "да", "ja", "si", "oui", "tak"})
_NO = frozenset({"false", "no", "n", "0", "f", "ні", "нет", "nein", "non", "nie"})


@dataclass(frozen=True)
class Ways:
    """How a file writes values."""

    decimal: str = "."
    thousands: str = ""
    times: tuple[str, ...] = (ISO, EPOCH)
    """Tried in turn: iso (ISO 8601, also with a space, also a day alone), epoch (seconds, milliseconds, microseconds
    or nanoseconds, told apart by their size), or a format of strptime."""
    zone: str = ""
    """Of times that name none, and local time of those that do; "": a time must name its own."""
    yes: frozenset[str] = _YES
    no: frozenset[str] = _NO


Read: TypeAlias = Callable[[str, str], object]
"""(text, path) -> value; raises Refusal."""


def amount(ways: Ways) -> Read:
    """A decimal text with a point; zeros after the fourth decimal are cut off, other digits there are refused."""
    def read(value: str, path: str) -> str:
        plain = value.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
        if ways.thousands:
            plain = plain.replace(ways.thousands, "")
        if ways.decimal != ".":
            plain = plain.replace(ways.decimal, ".") if "." not in plain else "?"
        if not _is_amount(plain):
            raise Refusal(Reason.BAD_AMOUNT, f"{path}: expected a number with the decimal {ways.decimal!r}")
        whole, _, fraction = plain.lstrip("+").partition(".")
        fraction = fraction.rstrip("0")
        if len(fraction) > DECIMALS_MAX:
            raise Refusal(Reason.BAD_AMOUNT, f"{path}: expected at most {DECIMALS_MAX} decimals; |round:2 rounds")
        return f"{whole}.{fraction}" if fraction else whole

    return read


def instant(ways: Ways) -> Read:
    """An ISO text with the offset of the place where it is known, so that the local hour is kept."""
    zone = ZoneInfo(ways.zone) if ways.zone else None

    def read(value: str, path: str) -> str:
        at = _parsed(value, ways.times, path)
        if not _YEAR_MIN <= at.year <= _YEAR_MAX:
            raise Refusal(Reason.BAD_TIME, f"{path}: expected a time of this age")
        if at.tzinfo is None:
            if zone is None:
                raise Refusal(Reason.BAD_TIME, f"{path}: a time without a zone: the mapping needs [file] zone")
            at = at.replace(tzinfo=zone)
        elif zone is not None:
            at = at.astimezone(zone)
        if at.tzinfo is UTC:
            return at.replace(tzinfo=None).isoformat() + "Z"  # the local offset is not told (RFC 9557, section 2)
        return at.isoformat()

    return read


def day(ways: Ways) -> Read:
    """A day as 2026-03-01."""
    def read(value: str, path: str) -> str:
        return _parsed(value, ways.times, path).date().isoformat()

    return read


def _parsed(value: str, times: tuple[str, ...], path: str) -> datetime:
    for form in times:
        at = _iso(value) if form == ISO else _from_epoch(value) if form == EPOCH else _formatted(value, form)
        if at is not None:
            return at
    raise Refusal(Reason.BAD_TIME, f"{path}: expected a time as {' or '.join(times)}")


def _iso(value: str) -> datetime | None:
    if value.isdecimal() and len(value) != len("20260301"):
        return None  # a number; Python would read 2026 and more of them as days
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        pass
    try:
        return datetime.combine(date.fromisoformat(value), datetime.min.time())
    except ValueError:
        return None


def _formatted(value: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(value, form)
    except ValueError:
        return None


_UNITS = ((10**17, 1000), (10**14, 1), (10**11, 10**-3), (0, 10**-6))
"""Least size of a number -> how many of its units are a microsecond. Until the year 5000 the four do not overlap."""


def _from_epoch(value: str) -> datetime | None:
    if not _is_epoch(value):
        return None
    whole = abs(int(value.partition(".")[0]))
    unit = next(unit for least, unit in _UNITS if whole >= least)
    try:
        return _EPOCH + timedelta(microseconds=float(value) / unit)
    except OverflowError:
        return None


def whole(ways: Ways) -> Read:
    to_text = amount(ways)

    def read(value: str, path: str) -> int:
        try:
            return int(str(to_text(value, path)))
        except (Refusal, ValueError):
            raise Refusal(Reason.BAD_VALUE, f"{path}: expected a whole number") from None

    return read


def real(ways: Ways) -> Read:
    decimal = ways.decimal

    def read(value: str, path: str) -> float:
        try:
            return float(value.replace(" ", "").replace(decimal, "."))
        except ValueError:
            raise Refusal(Reason.BAD_VALUE, f"{path}: expected a number with the decimal {decimal!r}") from None

    return read


def boolean(ways: Ways) -> Read:
    def read(value: str, path: str) -> bool:
        told = value.lower()
        if told in ways.yes:
            return True
        if told in ways.no:
            return False
        raise Refusal(Reason.BAD_VALUE, f"{path}: expected yes or no, as [file] yes and no have them")

    return read
