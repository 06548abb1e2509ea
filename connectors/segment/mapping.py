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
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from schemas.records import CHANNEL_EVENT
from streams.core.event_types import ROLES
from streams.errors import UsageError

Path_: TypeAlias = tuple[str, ...]
"""Keys that lead to a value of a call."""

FILE = "segment.toml"
"""In the home of a deployment."""

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


_TABLES = frozenset(
    {"calls", "identifiers", "traits", "line", "click_ids", "payments", "deliveries", "fields", "events", "drop"},
)
_KEYS = frozenset({"type", "aliases", "channel", "role", "use", "fields", "line", "lines", "sums", "confidence", "set"})


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def _build(files: list[dict[str, Any]]) -> SegmentMapping:
    merged: dict[str, Any] = {name: {} for name in _TABLES} | {"drop": []}
    rows: list[tuple[Row, tuple[str, ...]]] = []
    for file in files:
        for name, table in file.items():
            _expect(name in _TABLES, f"[{name}]: expected one of {', '.join(sorted(_TABLES))}")
            _expect(isinstance(table, list if name == "drop" else dict), f"{name}: expected a table, drop a list")
            merged[name] = merged[name] + table if name == "drop" else merged[name] | table
        for name, raw in file.get("events", {}).items():
            rows.append((_row(f'events."{name}"', name, raw, merged["fields"]), tuple(raw.get("aliases", ()))))
    return SegmentMapping(
        calls={name: _row(f"calls.{name}", name, raw, merged["fields"]) for name, raw in merged["calls"].items()},
        events={plain(name): row for row, aliases in rows for name in (row.name, *aliases)},
        identifiers=tuple((tuple(path.split(".")), kind) for path, kind in merged["identifiers"].items()),
        traits=merged["traits"],
        line=tuple((name, tuple(names)) for name, names in merged["line"].items()),
        click_ids=merged["click_ids"],
        payments=_inverted(merged["payments"]),
        deliveries=_inverted(merged["deliveries"]),
        groups=merged["fields"],
        drop=tuple(tuple(path.split(".")) for path in merged["drop"]),
        rows=tuple({plain(row.name): row for row, _ in rows}.values()),
    )


def _inverted(table: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {plain(name): method for method, names in table.items() for name in names}


_is_type = re.compile("[a-z][a-z0-9_]{0,99}").fullmatch


def _row(where: str, name: str, raw: Any, groups: Mapping[str, Mapping[str, str]]) -> Row:
    _expect(isinstance(raw, dict), f"{where}: expected a table")
    for key in raw:
        _expect(key in _KEYS, f"{where}.{key}: expected one of {', '.join(sorted(_KEYS))}")
    _expect(bool(_is_type(str(raw.get("type")))), f"{where}.type: expected a name such as page_viewed")
    for group in raw.get("use", ()):
        _expect(group in groups, f"{where}.use: no group [fields.{group}]")
    fields = [pair for group in raw.get("use", ()) for pair in groups[group].items()] + [*raw.get("fields", {}).items()]
    for target in [target for _, target in fields] + [*raw.get("sums", {})] + [*raw.get("set", {})]:
        _expect(is_field(target), f"{where}: no such field: {target}")
    for key in ("line", "lines"):
        _expect(raw.get(key) in {None, *LINES}, f"{where}.{key}: expected one of {', '.join(sorted(LINES))}")
    _expect(raw.get("role") in {None, *ROLES}, f"{where}.role: expected one of {', '.join(sorted(ROLES))}")
    confidence = raw.get("confidence", 1.0)
    _expect(isinstance(confidence, int | float) and 0 < confidence <= 1, f"{where}.confidence: expected above 0, to 1")
    row = Row(name, raw["type"], raw.get("channel"), raw.get("role"), line=raw.get("line"), lines=raw.get("lines"))
    return replace(
        row, use=tuple(raw.get("use", ())), confidence=float(confidence), set=tuple(raw.get("set", {}).items()),
        fields=tuple((_path(path), target) for path, target in fields),
        sums=tuple((target, tuple(map(_terms, ways))) for target, ways in raw.get("sums", {}).items()),
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
