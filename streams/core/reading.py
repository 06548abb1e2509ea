"""A channel event written as JSON, read into the Avro record with every field present.

The Avro schema leads: a field it does not know is refused at any depth, because a typing error must not lose data.
Beyond Avro's own JSON: instants may be ISO 8601 texts with a zone, absent and null mean the default, and what has no
text form in the maps of texts is kept as its JSON text.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from streams.core.money import AMOUNT_FIELDS
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Refusal, Reject

_Read: TypeAlias = Callable[[Any, str], Any]

_INT = (-(2**31), 2**31 - 1)
_LONG = (-(2**63), 2**63 - 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Reader:
    """Reads events by one Avro schema; build it once, it keeps a function for every type."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """`schema` is the parsed JSON of an .avsc file, logical types included."""
        self._named: dict[str, _Read] = {}
        self._read = self._reader(schema, "")

    def read(self, line: bytes) -> dict[str, Any] | Reject:
        """The record of one JSON object.

        Shape:  the bytes of one line, with or without its end -> the record, every field present.
        Errors: a `Reject` with the path of the first thing that is wrong.
        """
        line = line.strip()
        if not line:
            return Reject(Reason.EMPTY, "expected a JSON object")
        if len(line) > EVENT_BYTES_MAX:
            return Reject(Reason.OVERSIZE, f"expected at most {EVENT_BYTES_MAX} bytes; came {len(line)}")
        try:
            value = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Reject(Reason.BAD_JSON, "expected one JSON object a line, in UTF-8")
        if not isinstance(value, dict):
            return Reject(Reason.BAD_JSON, f"expected a JSON object; came {_name(value)}")
        return self.read_object(value)

    def read_object(self, value: dict[str, Any]) -> dict[str, Any] | Reject:
        """The record of a JSON object that is already read. Errors: as `read`."""
        event_id = value.get("event_id")
        try:
            return self._event(value)
        except Refusal as refusal:
            return refusal.reject(event_id[:200] if isinstance(event_id, str) and event_id else None)

    def _event(self, value: dict[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = self._read(value, "")
        if record["utc_offset_min"] is None and isinstance(text := value.get("occurred_at"), str):
            record["utc_offset_min"] = _offset_min(text)
        return record

    def _reader(self, schema: Any, name: str) -> _Read:
        """The function that reads a value of `schema` in a field called `name`."""
        if isinstance(schema, list):
            assert schema[0] == "null"
            assert len(schema) == 2
            return self._reader(schema[1], name)
        if isinstance(schema, str):
            return self._named[schema] if schema in self._named else _simple(schema, name)
        if schema["type"] == "record":
            return self._record(schema)
        if schema["type"] == "array":
            return _array(self._reader(schema["items"], name))
        if schema["type"] == "map":
            return _map(_text_of_any if schema["values"] == "string" else self._reader(schema["values"], name))
        return _instant if schema.get("logicalType") == "timestamp-millis" else _simple(schema["type"], name)

    def _record(self, schema: Mapping[str, Any]) -> _Read:
        fields: dict[str, _Read] = {}
        blank: dict[str, Any] = {}
        fresh: dict[str, type[list[Any]] | type[dict[str, Any]]] = {}
        required: list[str] = []

        def read(value: Any, path: str) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _bad(path, "an object", value)
            if not value.keys() <= fields.keys():
                key = next(key for key in value if key not in fields)
                raise Refusal(Reason.UNKNOWN_FIELD, f"{_join(path, key[:60])}: no such field")
            for key in required:
                if value.get(key) is None:
                    raise Refusal(Reason.MISSING_FIELD, f"{_join(path, key)}: expected a value")
            # Most fields are absent: their defaults are laid down at once.
            record = blank.copy()
            for key, empty in fresh.items():
                record[key] = empty()  # one for each record: nobody can change another's
            for key, given in value.items():
                if given is not None:
                    record[key] = fields[key](given, f"{path}.{key}" if path else key)
            return record

        self._named[schema["name"]] = read
        for field in schema["fields"]:
            key, default = field["name"], field.get("default")
            fields[key] = self._reader(field["type"], key)
            blank[key] = default
            if "default" not in field:
                required.append(key)
            elif isinstance(default, list | dict):
                assert not default, "only empty lists and maps are defaults"
                fresh[key] = type(default)
        return read


def _simple(kind: str, name: str) -> _Read:
    if kind == "string" and name in AMOUNT_FIELDS:
        return _amount
    return {"string": _text, "int": _int, "long": _long, "double": _double, "boolean": _boolean}[kind]


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _bad(path, "a text", value)
    return value


def _amount(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise Refusal(Reason.BAD_AMOUNT, f'{path}: expected a decimal text such as "12.50"; came {_name(value)}')
    return value


def _whole(value: Any, path: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _bad(path, "a whole number", value)
    return value


def _int(value: Any, path: str) -> int:
    return _whole(value, path, *_INT)


def _long(value: Any, path: str) -> int:
    return _whole(value, path, *_LONG)


def _double(value: Any, path: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _bad(path, "a number", value)
    try:
        return float(value)
    except OverflowError:  # a whole number of some hundred digits
        raise _bad(path, "a number that a double holds", value) from None


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _bad(path, "true or false", value)
    return value


def _instant(value: Any, path: str) -> int:
    """Epoch milliseconds of a number or of an ISO 8601 text with a zone; fractions of a millisecond are cut off."""
    if isinstance(value, int) and not isinstance(value, bool) and _LONG[0] <= value <= _LONG[1]:
        return value
    if isinstance(value, str):
        at = _parsed(value)
        if at is not None and at.tzinfo is not None:
            return (at - _EPOCH) // timedelta(milliseconds=1)
    raise Refusal(Reason.BAD_TIME, f"{path}: expected ISO 8601 with a zone, or epoch milliseconds")


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _offset_min(text: str) -> int | None:
    """The offset the text states. Z says that the local offset is not told (RFC 9557, section 2), so it keeps none."""
    at = _parsed(text)
    offset = at.utcoffset() if at is not None else None
    if offset is None or text[-1] in "zZ":
        return None
    return int(offset.total_seconds()) // 60


def _text_of_any(value: Any, _path: str) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _array(read_item: _Read) -> _Read:
    def read(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _bad(path, "a list", value)
        return [read_item(item, f"{path}[{number}]") for number, item in enumerate(value)]

    return read


def _map(read_value: _Read) -> _Read:
    def read(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _bad(path, "an object", value)
        return {key: read_value(item, _join(path, key[:60])) for key, item in value.items() if item is not None}

    return read


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _bad(path: str, expected: str, came: Any) -> Refusal:
    return Refusal(Reason.BAD_VALUE, f"{path}: expected {expected}; came {_name(came)}")


def _name(value: Any) -> str:
    """What a JSON value is, without what it holds."""
    return {
        dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number",
        type(None): "null",
    }[type(value)]
