"""Helpers for reading foreign payloads strictly: a wrong type anywhere is a refusal with its path, never an exception.

Rules kept here: an event names only what was told; ids are functions of the payload; amounts are exact decimals.
"""

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import wraps
from hashlib import blake2b
from typing import Any, TypeAlias, TypeVar

import msgspec

from connectors.incoming import Decode, Decoded, Event, Incoming, Unreadable
from connectors.source import Source
from streams.core.accept import EVENT_ID_LENGTH_MAX
from streams.core.parts import NAME_LENGTH_MAX
from streams.core.refusal import Reason, Refusal

T = TypeVar("T")

Number: TypeAlias = int | float | str | None
"""An amount or an instant as systems write them: one sends 199, another 199.0, a third "199.00"."""

_CENT = Decimal("0.0001")


def decoder(read: Decode) -> Decode:
    """A `Decode` that never raises: a `Refusal` of the whole becomes its only outcome."""

    @wraps(read)
    def decode(incoming: Incoming, source: Source, received_ms: int) -> Decoded:
        try:
            return read(incoming, source, received_ms)
        except Refusal as refusal:
            return [Unreadable(refusal.reject())]

    return decode


def parsed(body: bytes, kind: type[T]) -> T:
    """The JSON document of a body as a `kind`; Refusal where it is none."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(Reason.BAD_JSON, "expected one JSON document in UTF-8") from None
    return converted(document, kind)


def converted(part: Any, kind: type[T]) -> T:
    """A part of a document as a `kind`, where null is as good as absent; Refusal where it is none."""
    try:
        return msgspec.convert(_told(part), kind)
    except msgspec.ValidationError as error:
        raise Refusal(Reason.BAD_VALUE, str(error)) from None
    except RecursionError:
        raise Refusal(Reason.BAD_JSON, "expected a document nested less deeply") from None


def _told(part: Any) -> Any:
    """The part without members that are null."""
    if isinstance(part, dict):
        return {key: _told(value) for key, value in part.items() if value is not None}
    return [_told(item) for item in part] if isinstance(part, list) else part


def each(
    parts: Iterable[Any], kind: type[T], read: Callable[[T], Iterable[Event | Unreadable]],
    around: Callable[[Any], Any],
) -> Decoded:
    """What `read` makes of every part; a part that cannot be read is refused by itself.

    Shape: around gives the document that holds a part and nothing else: what is refused can be read again.
    """
    found: Decoded = []
    for part in parts:
        try:
            made = [*read(converted(part, kind))]
        except Refusal as refusal:
            made = [Unreadable(refusal.reject(), msgspec.json.encode(part))]
        found += [one if isinstance(one, dict) else _within(one, around) for one in made]
    return found


def _within(one: Unreadable, around: Callable[[Any], Any]) -> Unreadable:
    assert one.raw is not None, "a part has its bytes"
    return Unreadable(one.reject, msgspec.json.encode(around(msgspec.Raw(one.raw))))


def event(**fields: Any) -> Event:
    """An event with what was told: fields that are None or empty are left out, also within records and maps."""
    lean = ((name, _lean(value)) for name, value in fields.items())
    return {name: value for name, value in lean if value not in _NOTHING}


_NOTHING: tuple[Any, ...] = (None, "", {}, [])


def _lean(value: Any) -> Any:
    if isinstance(value, dict):
        return event(**value)
    if isinstance(value, list):
        return [_lean(item) for item in value]
    return value


def who(kind: str, value: Any, confidence: float | None = None) -> list[Event]:
    """An identifier, as a list of one, or of none where there is no value."""
    return [event(kind=kind, value=str(value), confidence=confidence)] if value not in (None, "") else []


def phone(digits: str | None) -> list[Event]:
    """The identifier of a number that comes as its digits with country code, without the +."""
    return who("phone", f"+{digits.lstrip('+')}") if digits else []


def digest(*parts: object) -> str:
    """A short name of a value that is too long, or too telling, for an id."""
    return blake2b("\0".join(map(str, parts)).encode("utf-8", "replace"), digest_size=16).hexdigest()


def event_id(*parts: object) -> str:
    """The parts with colons between; where that is too long for an id, the first and a digest of all."""
    text = ":".join(map(str, parts))
    return text if len(text) <= EVENT_ID_LENGTH_MAX else f"{parts[0]}:{digest(*parts)}"


def ms_of_seconds(value: Number, path: str) -> int:
    """Epoch milliseconds of epoch seconds, told as a number or a text."""
    return _whole(value, path) * 1000


def ms(value: Number, path: str) -> int:
    """Epoch milliseconds, told as a number or a text."""
    return _whole(value, path)


def _whole(value: Number, path: str) -> int:
    try:
        return int(value or "")
    except (ValueError, OverflowError):
        raise Refusal(Reason.BAD_TIME, f"{path}: expected a time as a whole number") from None


def decimal(value: Number, path: str) -> Decimal | None:
    """An exact decimal, None where it is absent; Refusal where it is none."""
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value).strip())
        if found.is_finite() and abs(found) < 10**14:
            return found
    except InvalidOperation:
        pass
    raise Refusal(Reason.BAD_AMOUNT, f"{path}: expected a decimal number")


def amount(value: Number | Decimal, path: str = "an amount") -> str | None:
    """A decimal text of at most four decimals, as channel events write amounts; the sign goes."""
    found = decimal(value if not isinstance(value, Decimal) else str(value), path)
    if found is None:
        return None
    exact = abs(found).quantize(_CENT, ROUND_HALF_UP)
    text = f"{exact:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def short(text: str | None) -> str | None:
    """A text cut to what a name may have."""
    return text[:NAME_LENGTH_MAX] if text else None
