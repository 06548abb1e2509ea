"""A mapping file: how rows of a file, or records of a topic, become channel events. Data, read from TOML; pure.

A row gives the event of every `[[events]]` whose `when` holds; what all of them have is written once, in `[common]`.
A row for which none holds is refused, unless a `[[skip]]` says that such rows mean nothing.
"""

import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectors.files.conditions import Condition, condition
from connectors.files.errors import MappingError
from connectors.files.shapes import SCHEMA, WHEN, Shape, Shapes
from connectors.files.texts import EACH, HASH, Row, Words, digest
from connectors.files.values import Ways
from streams.core import reference
from streams.core.parts import is_zone
from streams.core.refusal import Reason, Refusal, Reject
from streams.topics import EVENTS, Topics

FOLDER = Path(__file__).parent / "mappings"
"""Mapping files that come with the product."""

_KEYS = ("title", "doc", "file", "group", "values", "skip", "common", "events", "reference", "row")
_FILE = ("format", "delimiter", "encoding", "columns", "skip_lines", "decimal", "thousands", "times", "zone", "yes",
         "no", "missing")
_PSEUDO = frozenset({HASH, EACH, "rows"})

_encode = msgspec.json.encode
_card_number = re.compile(r"(?<![0-9])[2-9](?:[ -]?[0-9]){12,18}(?![0-9])").search


@dataclass(frozen=True)
class Format:
    """How a file is read."""

    format: str = ""
    """csv or jsonl; "": told by the file's first character."""
    delimiter: str = ""
    """Of CSV; "": the one of , ; tab and | that the first line has most of."""
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    """Of CSV without a header."""
    skip_lines: int = 0
    """Before the header."""


@dataclass(frozen=True)
class Mapping:
    """A mapping, compiled.

    Shape:  `columns` are those a CSV file must have; `group` those whose rows, one after another and with equal values,
            are one record with a list `rows`; reference is a table's name where rows are reference records.
    """

    name: str
    title: str
    format: Format
    group: tuple[str, ...]
    columns: frozenset[str]
    reference: str
    _common_needs_hash: bool
    _skips: tuple[Condition, ...]
    _events: tuple[tuple[Condition | None, Shape], ...]
    _tokens: frozenset[str]

    def events(self, row: Row) -> list[dict[str, Any] | Reject]:
        """The events of a row, as JSON-like objects, each or why it has none; of reference rows the one record.

        Cost: 10 to 30 µs an event.
        """
        if any(skip.holds(row) for skip in self._skips):
            return []
        if self._common_needs_hash:
            row = {**row, HASH: digest(row)}
        found = [_built(shape, row) for when, shape in self._events if when is None or when.holds(row)]
        return found or [Reject(Reason.BAD_VALUE, "no event of the mapping holds for this row")]

    def holds_card(self, row: Row) -> bool:
        """Whether a column that payment tokens come from may hold the number of a card."""
        return bool(self._tokens) and _without_cards(row, self._tokens) != row

    def raw(self, row: Row) -> bytes:
        """A row as a dead letter keeps it: JSON, without what may be the number of a card."""
        return _encode(_without_cards(row, self._tokens)) if self._tokens else _encode(row)


def _built(shape: Shape, row: Row) -> dict[str, Any] | Reject:
    try:
        return shape.build(row) or {}
    except Refusal as refusal:
        return refusal.reject()


def _without_cards(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_without_cards(one, names) for one in value]
    if not isinstance(value, Table):
        return value
    return {
        key: None if key in names and _card_number(str(one)) else _without_cards(one, names)
        for key, one in value.items()
    }


def find(name: str, folder: Path = Path()) -> Path:
    """The file of a mapping: a path from `folder` on, or the name of one that comes with the product.

    Errors: MappingError where there is neither.
    """
    for path in (folder / name, FOLDER / f"{name}.toml"):
        if path.is_file():
            return path
    ready = ", ".join(sorted(path.stem for path in FOLDER.glob("*.toml")))
    raise MappingError(f"no such mapping: {name}; expected a file, or one of {ready}")


def of_topics(files: Table[str, str], home: Path, prefix: str) -> dict[str, Mapping]:
    """The mappings of a deployment's foreign topics, `[mappings.<topic>]` of its settings.

    Errors: MappingError, also where a topic is one of our own, or its rows are reference records.
    """
    found = {topic: load(find(file, home)) for topic, file in files.items()}
    for topic, mapping in found.items():
        if topic in _own_topics(Topics(prefix)) or topic.startswith(f"{prefix}{EVENTS}"):
            raise MappingError(f"mappings.{topic}: a topic of onethread itself")
        if mapping.reference:
            raise MappingError(f"mappings.{topic}: {mapping.name} is of reference records; they come by files")
    return found


def _own_topics(topics: Topics) -> set[str]:
    return {topics.identity, topics.facts, topics.history, topics.dead_letters, topics.persons, topics.merges,
            topics.commands, *(topics.reference(name) for name in reference.TABLES)}


def load(path: Path) -> Mapping:
    """Read a mapping file; its name is one that `find` knows from anywhere.

    Errors: MappingError with where, what was expected and what came.
    """
    try:
        name = path.stem if path.parent == FOLDER else str(path.absolute())
        return parse(path.read_text(encoding="utf-8"), name)
    except UnicodeDecodeError:
        raise MappingError(f"{path}: expected text in UTF-8") from None
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from None


def parse(source: str, name: str) -> Mapping:
    """Compile a mapping from its text. Errors: MappingError, as `load`, without the path."""
    try:
        written = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"not valid TOML: {error}") from None
    _check_keys(written, _KEYS, "")
    ways, words, form = _file(written)
    group = _texts(written.get("group", []), "group")
    shapes = Shapes(words, ways)
    skips = tuple(condition(one, words, f"skip[{n}]") for n, one in enumerate(_tables(written, "skip")))
    events = _reference(written, shapes) if "reference" in written else _events(written, shapes)
    asked: list[Condition | Shape] = [*skips, *(when for when, _ in events if when), *(shape for _, shape in events)]
    columns = frozenset().union(group, *(one.needed for one in asked)) - _PSEUDO
    if form.columns and (absent := sorted(columns - set(form.columns))):
        raise MappingError(f"file.columns: lacks {', '.join(absent)}")
    return Mapping(
        name, written.get("title", name), form, group, columns, written.get("reference", ""),
        any(HASH in one.columns for one in asked), skips, events, _token_columns(written, words, ways),
    )


def _events(written: dict[str, Any], shapes: Shapes) -> tuple[tuple[Condition | None, Shape], ...]:
    common = written.get("common", {})
    tables = _tables(written, "events")
    if not tables:
        raise MappingError("events: expected at least one table [[events]]")
    for key in ("reference", "row"):
        if key in written:
            raise MappingError(f"{key}: for reference records, which are no events")
    found = []
    for number, table in enumerate(tables):
        where = f"events[{number}]"
        merged = _merged(common, table)
        when = shapes.condition(merged, where)
        body = {key: value for key, value in merged.items() if key != WHEN}
        for needed in ("channel", "type", "occurred_at", "event_id"):
            if needed not in body:
                raise MappingError(f"{where}: expected {needed}")
        found.append((when, shapes.of(body, SCHEMA, "", where)))
    return tuple(found)


def _reference(written: dict[str, Any], shapes: Shapes) -> tuple[tuple[Condition | None, Shape], ...]:
    name, row = written["reference"], written.get("row")
    if name not in reference.TABLES:
        raise MappingError(f"reference: expected one of {', '.join(reference.TABLES)}")
    if not isinstance(row, dict) or written.get("events") or written.get("common"):
        raise MappingError("row: expected a table [row] of columns of the reference records, and no events")
    kinds = {column.name: column.type.removesuffix("?") for column in reference.TABLES[name].columns}
    _check_keys(row, tuple(kinds), "row.")
    parts = {key: shapes.leaf(value, _REFERENCE_KINDS.get(kinds[key], "string"), f"row.{key}")
             for key, value in row.items()}

    def build(of: Row) -> dict[str, Any]:
        told = {key: part.build(of) for key, part in parts.items()}
        return {key: value for key, value in told.items() if value is not None}

    columns = frozenset().union(*(part.columns for part in parts.values()))
    return ((None, Shape(build, columns, frozenset().union(*(part.needed for part in parts.values())))),)


_REFERENCE_KINDS = {"money": "amount", "ms": "instant", "day": "day"}
"""Types of reference columns that a file writes in its own way; the rest is text there."""


def _file(written: dict[str, Any]) -> tuple[Ways, Words, Format]:
    given = written.get("file", {})
    _check_keys(given, _FILE, "file.")
    if given.get("format", "csv") not in ("csv", "jsonl"):
        raise MappingError("file.format: expected csv or jsonl")
    zone = given.get("zone", "")
    if zone and not is_zone(zone):
        raise MappingError("file.zone: expected an IANA time zone such as Europe/Kyiv")
    try:
        "".encode(given.get("encoding", "utf-8"))
    except LookupError:
        raise MappingError("file.encoding: expected an encoding such as utf-8 or windows-1251") from None
    ways = Ways(
        given.get("decimal", "."), given.get("thousands", ""), _texts(given.get("times", ["iso", "epoch"]), "times"),
        zone,
        **{key: frozenset(t.lower() for t in _texts(given[key], f"file.{key}")) for key in ("yes", "no")
           if key in given},
    )
    tables = written.get("values", {})
    for name, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
            raise MappingError(f"values.{name}: expected a table of texts")
    words = Words(
        frozenset({"", *_texts(given.get("missing", []), "file.missing")}),
        {name: {key.lower(): value for key, value in table.items()} for name, table in tables.items()},
    )
    form = Format(
        given.get("format", ""), given.get("delimiter", ""), given.get("encoding", "utf-8"),
        _texts(given.get("columns", []), "file.columns"), given.get("skip_lines", 0),
    )
    return ways, words, form


def _token_columns(written: dict[str, Any], words: Words, ways: Ways) -> frozenset[str]:
    """Columns that payment tokens come from: where one holds a card's number, no dead letter keeps it."""
    found: frozenset[str] = frozenset()
    for table in [written.get("common", {}), *written.get("events", [])]:
        for one in table.get("identifiers", []) if isinstance(table.get("identifiers"), list) else []:
            if isinstance(one, dict) and one.get("kind") == "payment_token":
                found |= Shapes(words, ways).leaf(one["value"], "string", "identifiers").columns
    return found


def _merged(common: Any, own: Any) -> Any:
    """Tables are joined key by key; anything else of the event's own stands in place of what is common."""
    if not isinstance(common, dict) or not isinstance(own, dict):
        return own
    return common | {key: _merged(common.get(key), value) for key, value in own.items()}


def _tables(written: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = written.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MappingError(f"{name}: expected tables [[{name}]]")
    return found


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise MappingError(f"{where}: expected a list of texts")
    return tuple(value)


def _check_keys(written: Any, allowed: tuple[str, ...], where: str) -> None:
    if not isinstance(written, dict):
        raise MappingError(f"{where.rstrip('.')}: expected a table")
    for key in written:
        if key not in allowed:
            raise MappingError(f"{where}{key}: expected one of {', '.join(allowed)}")
