"""The shape of what a row becomes, as a mapping file writes it: a tree like the event's own, with texts for leaves.

Built once by the Avro schema, so that a wrong name is found before the first row and each text becomes the type of its
field. A part that asks for columns, and gets nothing from any of them, is left out, whatever constants stand beside.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.files import values
from connectors.files.conditions import Condition, condition
from connectors.files.errors import MappingError
from connectors.files.texts import EACH, Row, Text, Words, plain, text, walk
from connectors.files.values import Read, Ways
from schemas.records import CHANNEL_EVENT
from streams.core.money import AMOUNT_FIELDS
from streams.core.refusal import Refusal

Build = Callable[[Row], Any]
"""What a row gives; None for nothing."""

WHEN = "when"


SCHEMA = json.loads(CHANNEL_EVENT.text)


def _records(schema: Any) -> dict[str, Any]:
    """The records within a schema, by name: Avro defines each where it first stands, and names it later."""
    found: dict[str, Any] = {}
    if isinstance(schema, list):
        for part in schema:
            found |= _records(part)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            found[schema["name"]] = schema
        for inner in [schema.get("items"), *(field["type"] for field in schema.get("fields", ()))]:
            found |= _records(inner)
    return found


_NAMED = _records(SCHEMA)


class Shape(NamedTuple):
    build: Build
    columns: frozenset[str]
    needed: frozenset[str]

    @property
    def asks(self) -> bool:
        return bool(self.columns)


class Shapes:
    """Compiles shapes for one mapping file."""

    def __init__(self, words: Words, ways: Ways) -> None:
        self.words, self.ways = words, ways

    def of(self, written: Any, schema: Any, name: str, where: str) -> Shape:
        """The shape of a value in the field `name`. Errors: MappingError naming `where`."""
        if isinstance(schema, list):
            return self.of(written, schema[1], name, where)
        if isinstance(schema, str):
            schema = _NAMED.get(schema, schema)
        if isinstance(schema, dict) and schema["type"] == "record":
            return self._record(written, schema, where)
        if isinstance(schema, dict) and schema["type"] == "array":
            return self._list(written, schema["items"], where)
        if isinstance(schema, dict) and schema["type"] == "map":
            return self._map(written, schema["values"], where)
        if isinstance(schema, dict):
            return self.leaf(written, "instant" if "logicalType" in schema else schema["type"], where)
        return self.leaf(written, "amount" if schema == "string" and name in AMOUNT_FIELDS else schema, where)

    def leaf(self, written: Any, kind: str, where: str) -> Shape:
        """One value: a text, texts of which the first that gives something counts, a constant, or a sum."""
        if isinstance(written, Mapping) and kind == "amount":
            return self._sum(written, where)
        if kind in _CONSTANTS and isinstance(written, _CONSTANTS[kind]):
            return Shape(lambda _row: written, _NO, _NO)
        given = written if isinstance(written, list) else [written]
        if not given or not all(isinstance(one, str) for one in given):
            raise MappingError(f"{where}: expected a text; came {type(written).__name__}")
        read = _READERS[kind](self.ways)
        texts = [text(one, self.words, where) for one in given]
        build = _first(texts, read, where)
        if not any(one.columns for one in texts):
            _check_constant(build, where)
        # Of alternatives each may be absent.
        return Shape(build, _joined(t.columns for t in texts), texts[0].needed if len(texts) == 1 else _NO)

    def condition(self, written: Mapping[str, Any], where: str) -> Condition | None:
        return condition(written[WHEN], self.words, f"{where}.{WHEN}") if WHEN in written else None

    def _record(self, written: Any, schema: Any, where: str) -> Shape:
        if not isinstance(written, Mapping):
            raise MappingError(f"{where}: expected a table; came {type(written).__name__}")
        fields = {field["name"]: field["type"] for field in schema["fields"]}
        for key in written:
            if key not in fields and key != WHEN:
                raise MappingError(f"{where}.{key}: no such field; expected one of {', '.join(fields)}")
        parts = {key: self.of(value, fields[key], key, f"{where}.{key}".lstrip("."))
                 for key, value in written.items() if key != WHEN}
        return _whole(parts, self.condition(written, where))

    def _map(self, written: Any, schema: Any, where: str) -> Shape:
        if not isinstance(written, Mapping):
            raise MappingError(f"{where}: expected a table; came {type(written).__name__}")
        return _whole({key: self.of(value, schema, key, f"{where}.{key}") for key, value in written.items()}, None)

    def _list(self, written: Any, schema: Any, where: str) -> Shape:
        if isinstance(written, Mapping):
            return self._each(written, where, lambda item, at: self.of(item, schema, "", at), "item")
        if not isinstance(written, list):
            raise MappingError(f"{where}: expected a list, or a table with each and item")
        items = [self._item(one, schema, f"{where}[{number}]") for number, one in enumerate(written)]

        def build(row: Row) -> list[Any] | None:
            told = [part for item in items for part in item.build(row)]
            return told or None

        return Shape(build, _joined(i.columns for i in items), _joined(i.needed for i in items))

    def _item(self, written: Any, schema: Any, where: str) -> Shape:
        """An item of a list, as the list of what it gives."""
        if isinstance(written, Mapping) and "each" in written:
            shape = self._each(written, where, lambda item, at: self.of(item, schema, "", at), "item")
            return Shape(lambda row: shape.build(row) or [], shape.columns, shape.needed)
        shape = self.of(written, schema, "", where)

        def build(row: Row) -> list[Any]:
            told = shape.build(row)
            return [] if told is None else [told]

        return Shape(build, shape.columns, shape.needed)

    def _each(
        self, written: Mapping[str, Any], where: str, compile_item: Callable[[Any, str], Shape], name: str,
    ) -> Shape:
        """A list from a list: each = path, split = separator (of a text), item = shape, when = condition."""
        _only(written, ("each", "split", name, WHEN), ("each", name), where)
        item = compile_item(written[name], f"{where}.{name}")
        when = self.condition(written, where)
        unroll = _unroller(written["each"], written.get("split"), self.words, where)

        def build(row: Row) -> list[Any] | None:
            told = [item.build(one) for one in unroll(row) if when is None or when.holds(one)]
            return [one for one in told if one is not None] or None

        # Columns inside are those of the rows of a group, or of objects within the row.
        inside = item.columns | (when.columns if when else _NO)
        return Shape(build, inside | {written["each"]}, _inner(written, item, when))

    def _sum(self, written: Mapping[str, Any], where: str) -> Shape:
        listed = self._each(written, where, lambda one, at: self.leaf(one, "amount", at), "sum")

        def build(row: Row) -> str | None:
            told = listed.build(row)
            return None if told is None else f"{sum(map(Decimal, told)):f}"

        return Shape(build, listed.columns, listed.needed)


_NO: frozenset[str] = frozenset()
ROWS = "rows"
"""The path of a group's rows."""

_READERS: dict[str, Callable[[Ways], Read]] = {
    "string": lambda _ways: lambda value, _path: value,
    "amount": values.amount, "instant": values.instant, "day": values.day, "int": values.whole,
    "long": values.whole, "double": values.real, "boolean": values.boolean,
}
_CONSTANTS: dict[str, type | tuple[type, ...]] = {"boolean": bool, "double": (int, float), "int": int, "long": int}


def _first(texts: list[Text], read: Read, where: str) -> Build:
    path = where.partition("].")[2] or where
    if len(texts) == 1:
        ask = texts[0].ask

        def build(row: Row) -> Any:
            value = ask(row)
            return read(value, path) if value else None

        return build

    def build_first(row: Row) -> Any:
        value = next((told for one in texts if (told := one.ask(row))), "")
        return read(value, path) if value else None

    return build_first


def _check_constant(build: Build, where: str) -> None:
    try:
        build({})
    except Refusal as refusal:
        raise MappingError(f"{where}: {refusal.detail}") from None


def _whole(parts: Mapping[str, Shape], when: Condition | None) -> Shape:
    """A record or a map of its parts; nothing where `when` does not hold, or no asked column gave anything."""
    asking = any(part.asks for part in parts.values())
    plan = [(name, part.build, part.asks) for name, part in parts.items()]

    def build(row: Row) -> dict[str, Any] | None:
        if when is not None and not when.holds(row):
            return None
        told, answered = {}, not asking
        for name, of, asks in plan:
            value = of(row)
            if value is not None:
                told[name] = value
                answered = answered or asks
        return told if answered and told else None

    columns, needed = _joined(p.columns for p in parts.values()), _joined(p.needed for p in parts.values())
    if when is not None:
        columns, needed = columns | when.columns, needed | when.needed
    return Shape(build, columns, needed)


def _unroller(path: Any, split: Any, words: Words, where: str) -> Callable[[Row], Iterable[Row]]:
    if not isinstance(path, str) or not path or not (split is None or (isinstance(split, str) and split)):
        raise MappingError(f"{where}: expected each, the path of a list, and for a text split, its separator")
    names = path.split(".")
    ask = text(f"{{{path}}}", words, where).ask

    def unroll(row: Row) -> Iterable[Row]:
        if split is not None:
            found: Any = [part.strip() for part in ask(row).split(split)]
        else:
            found = row.get(path)
            if found is None:
                found = walk(row, names)
        for one in found if isinstance(found, list) else ():
            yield {**row, **one} if isinstance(one, Mapping) else {**row, EACH: plain(one)}

    return unroll


def _inner(written: Mapping[str, Any], item: Shape, when: Condition | None) -> frozenset[str]:
    """What a file must have as columns: all of a group's rows; of objects within a row nothing can be said."""
    if written["each"] == ROWS:
        return item.needed | (when.needed if when else _NO)
    return frozenset({written["each"]}) if written.get("split") else _NO


def _only(written: Mapping[str, Any], allowed: tuple[str, ...], needed: tuple[str, ...], where: str) -> None:
    for key in written:
        if key not in allowed:
            raise MappingError(f"{where}.{key}: expected one of {', '.join(allowed)}")
    for key in needed:
        if key not in written:
            raise MappingError(f"{where}: expected {key}")


def _joined(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*parts)
