"""The mapping of Segment's calls as data: `events.toml`, and what a deployment's `segment.toml` adds to it.

Rules kept here:
- A name of an event is compared by its letters and digits alone, so "Order Completed", "order_completed" and
  "orderCompleted" are one; a deployment's row takes the place of the row that has its name or alias.
- A path leads into the call: of the properties, unless it begins with `context.`. A field is one of the channel event,
  or `identifiers.<kind>`; a field that the schema does not know is refused when the file is read, not when calls come.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec

from schemas.records import CHANNEL_EVENT
from streams.core.event_types import ROLES
from streams.errors import UsageError

Path_: TypeAlias = tuple[str, ...]
"""Keys that lead to a value of a call."""

FILE = "segment.toml"
"""In the home of a deployment."""

_T = TypeVar("_T")

LINES = frozenset({"products", "cart.items", "order.items", "return.items"})
_MAPS = frozenset({"traits", "preference", "consent", "properties"})
_ALL = frozenset({"order.payments", "order.delivery", "query"})


@dataclass(frozen=True)
class Term:
    """A part of a sum: where it stands, and whether it is taken off."""

    path: Path_
    is_off: bool


@dataclass(frozen=True)
class Row:
    """What one event becomes; see the head of events.toml."""

    name: str
    type: str
    channel: str | None = None
    role: str | None = None
    use: tuple[str, ...] = ()
    """Groups whose lines are the first of `fields`."""
    fields: tuple[tuple[Path_, str], ...] = ()
    line: str | None = None
    lines: str | None = None
    sums: tuple[tuple[str, tuple[tuple[Term, ...], ...]], ...] = ()
    confidence: float = 1.0
    set: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class SegmentMapping:
    """All of it, ready to be looked up."""

    calls: Mapping[str, Row]
    events: Mapping[str, Row]
    """By every plain name; a row that has aliases stands several times."""
    identifiers: tuple[tuple[Path_, str], ...]
    traits: Mapping[str, str]
    line: tuple[tuple[str, tuple[str, ...]], ...]
    click_ids: Mapping[str, Mapping[str, str]]
    payments: Mapping[str, str]
    deliveries: Mapping[str, str]
    groups: Mapping[str, Mapping[str, str]]
    drop: tuple[Path_, ...] = ()
    """What a deployment does not want to hold, such as context.ip."""
    rows: tuple[Row, ...] = field(default=(), compare=False)
    """In the order of the files."""


def plain(name: str) -> str:
    """A name by which events are compared."""
    return "".join(character for character in name.lower() if character.isalnum())


@cache
def default() -> SegmentMapping:
    """What comes with the product."""
    return _build([_read(Path(__file__).with_name("events.toml"))])


def load(home: Path) -> SegmentMapping:
    """The mapping of the deployment in `home`.

    Source: events.toml, then `home/segment.toml` where there is one: its tables add to ours key by key.
    Errors: UsageError naming the file, the row and what was expected.
    """
    own = home / FILE
    if not own.exists():
        return default()
    try:
        return _build([_read(Path(__file__).with_name("events.toml")), _read(own)])
    except _MappingError as wrong:
        raise UsageError(f"{own}: {wrong}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{own}: not valid TOML: {error}") from None


class _MappingError(ValueError):
    pass


class _RawRow(msgspec.Struct, forbid_unknown_fields=True):
    """A row as it is written."""

    type: str
    aliases: list[str] = []
    channel: str | None = None
    role: str | None = None
    use: list[str] = []
    fields: dict[str, str] = {}
    line: str | None = None
    lines: str | None = None
    sums: dict[str, list[list[str]]] = {}
    confidence: float = 1.0
    set: dict[str, str | bool] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """A file as it is written; its rows are read one by one, so that what is wrong can be named."""

    calls: dict[str, Any] = {}
    events: dict[str, Any] = {}
    identifiers: dict[str, str] = {}
    traits: dict[str, str] = {}
    line: dict[str, list[str]] = {}
    click_ids: dict[str, dict[str, str]] = {}
    payments: dict[str, list[str]] = {}
    deliveries: dict[str, list[str]] = {}
    fields: dict[str, dict[str, str]] = {}
    drop: list[str] = []


def _read(path: Path) -> _File:
    return _converted(tomllib.loads(path.read_text()), _File, "the file")


def _converted(raw: Any, into: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(raw, into)
    except msgspec.ValidationError as error:
        raise _MappingError(f"{where}: {error}") from None


def _build(files: list[_File]) -> SegmentMapping:
    merged = _File()
    rows: list[tuple[Row, list[str]]] = []
    for file in files:
        merged = _File(**{
            name: getattr(merged, name) + own if name == "drop" else getattr(merged, name) | own
            for name, own in msgspec.structs.asdict(file).items()
        })
        for name, raw in file.events.items():
            where = f'events."{name}"'
            written = _converted(raw, _RawRow, where)
            rows.append((_row(where, name, written, merged.fields), written.aliases))
    return SegmentMapping(
        calls={
            name: _row(f"calls.{name}", name, _converted(raw, _RawRow, f"calls.{name}"), merged.fields)
            for name, raw in merged.calls.items()
        },
        events={plain(name): row for row, aliases in rows for name in (row.name, *aliases)},
        identifiers=tuple((tuple(path.split(".")), kind) for path, kind in merged.identifiers.items()),
        traits=merged.traits,
        line=tuple((name, tuple(names)) for name, names in merged.line.items()),
        click_ids=merged.click_ids,
        payments=_inverted(merged.payments),
        deliveries=_inverted(merged.deliveries),
        groups=merged.fields,
        drop=tuple(tuple(path.split(".")) for path in merged.drop),
        rows=tuple({plain(row.name): row for row, _ in rows}.values()),
    )


def _inverted(table: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {plain(name): method for method, names in table.items() for name in names}


_is_type = re.compile("[a-z][a-z0-9_]{0,99}").fullmatch


def _row(where: str, name: str, raw: _RawRow, groups: Mapping[str, Mapping[str, str]]) -> Row:
    _expect(bool(_is_type(raw.type)), f"{where}.type: expected a name such as page_viewed")
    for group in raw.use:
        _expect(group in groups, f"{where}.use: no group [fields.{group}]")
    fields = [pair for group in raw.use for pair in groups[group].items()] + [*raw.fields.items()]
    for target in [target for _, target in fields] + [*raw.sums] + [*raw.set]:
        _expect(is_field(target), f"{where}: no such field: {target}")
    for key, field_ in (("line", raw.line), ("lines", raw.lines)):
        _expect(field_ in {None, *LINES}, f"{where}.{key}: expected one of {', '.join(sorted(LINES))}")
    _expect(raw.role in {None, *ROLES}, f"{where}.role: expected one of {', '.join(sorted(ROLES))}")
    _expect(0 < raw.confidence <= 1, f"{where}.confidence: expected above 0, at most 1")
    _expect(all(way for ways in raw.sums.values() for way in ways), f"{where}.sums: expected a path in each way")
    return Row(
        name, raw.type, raw.channel, raw.role, use=tuple(raw.use), line=raw.line, lines=raw.lines,
        confidence=raw.confidence, set=tuple(raw.set.items()),
        fields=tuple((_path(path), target) for path, target in fields),
        sums=tuple((target, tuple(map(_terms, ways))) for target, ways in raw.sums.items()),
    )


def _terms(way: list[str]) -> tuple[Term, ...]:
    return tuple(Term(_path(part.removeprefix("-")), part.startswith("-")) for part in way)


def _path(text: str) -> Path_:
    keys = tuple(text.split("."))
    return keys if keys[0] == "context" else ("properties", *keys)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _MappingError(otherwise)


@cache
def _paths() -> frozenset[str]:
    """Every field of a channel event that holds one value."""
    found: set[str] = set()
    named: dict[str, Any] = {}

    def walk(schema: Any, path: str) -> None:
        if isinstance(schema, list):
            schema = schema[1]
        schema = named.get(schema, schema) if isinstance(schema, str) else schema
        if isinstance(schema, dict) and schema["type"] == "record":
            named[schema["name"]] = schema
            for part in schema["fields"]:
                walk(part["type"], f"{path}.{part['name']}" if path else part["name"])
        elif not isinstance(schema, dict) or schema["type"] not in ("array", "map"):
            found.add(path)

    walk(json.loads(CHANNEL_EVENT.text), "")
    return frozenset(found)


def is_field(target: str) -> bool:
    """Whether a row may name this as where a value goes."""
    head, _, key = target.partition(".")
    return target in _paths() or target in _ALL or (bool(key) and head in _MAPS | {"identifiers"})
