"""Texts with columns in them: `till:{store}/{number}`, `{mobile|digits}`, `{name?}`.

A text gives nothing where one of its columns is empty, so that no id is ever made of half of its parts; a column
written with ? may be empty. Braces are doubled to stand for themselves. A column is a name of the row, or a path into
nested JSON, `{customer.phones.0}`; `{#hash}` is the hash of the whole row, `{#each}` the element that `each` is at.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

import msgspec

from connectors.files.errors import MappingError
from streams.core.refusal import Reason, Refusal

Row: TypeAlias = Mapping[str, Any]
"""A row as texts by column, or a JSON object."""

Ask: TypeAlias = Callable[[Row], str]
"""The text of a row; "" for nothing."""

HASH = "#hash"
EACH = "#each"

_piece = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[{}]")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True)
class Words:
    """What a file means by its texts."""

    missing: frozenset[str] = frozenset({""})
    """Texts that stand for nothing, as NULL."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Tables of translation, by name, from texts in lower case; `*` is every other text."""


class Text(NamedTuple):
    """A compiled text. `columns` are those it asks for, `needed` those of them that must be there."""

    ask: Ask
    columns: frozenset[str]
    needed: frozenset[str]


def text(source: str, words: Words, where: str) -> Text:
    """Compile a text. Errors: MappingError naming `where`."""
    pieces: list[str | Ask | _Optional] = []
    columns, needed = set(), set()
    end = 0
    for found in _piece.finditer(source):
        pieces.append(source[end : found.start()])
        end = found.end()
        if found[1] is None:
            if len(found[0]) == 1:
                raise MappingError(f"{where}: a brace without its other half; a brace itself is written twice")
            pieces.append(found[0][0])
            continue
        name, optional, ask = _column(found[1], words, where)
        columns.add(name)
        if not optional:
            needed.add(name)
        pieces.append(ask if not optional else _Optional(ask))
    pieces.append(source[end:])
    return Text(_join([piece for piece in pieces if piece != ""]), frozenset(columns), frozenset(needed))


class _Optional:
    """A column that may be empty."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask


def _join(pieces: "list[str | Ask | _Optional]") -> Ask:
    if len(pieces) == 1 and callable(pieces[0]):
        return pieces[0]
    plan = [(piece, None, True) if isinstance(piece, str) else
            ("", piece.ask, False) if isinstance(piece, _Optional) else ("", piece, True) for piece in pieces]

    def ask(row: Row) -> str:
        told = []
        for constant, of, is_needed in plan:
            value = of(row) if of else constant
            if not value and is_needed:
                return ""
            told.append(value)
        return "".join(told).strip()

    return ask


def _column(source: str, words: Words, where: str) -> tuple[str, bool, Ask]:
    """Name, whether it may be empty, and how it is asked for."""
    head, *filters = source.split("|")
    name = head.strip()
    optional = name.endswith("?")
    name = name.removesuffix("?").strip()
    if not name:
        raise MappingError(f"{where}: {{{source}}}: expected the name of a column")
    ask = column(name, words)
    for written in filters:
        ask = _filtered(ask, written.strip(), words, where)
    return name, optional, ask


def column(name: str, words: Words) -> Ask:
    """The text of one column; "" where it is absent, null or a text that stands for nothing."""
    path, missing = name.split("."), words.missing

    def ask(row: Row) -> str:
        value = row.get(name)
        if value is None and len(path) > 1:
            value = walk(row, path)
        told = value.strip() if isinstance(value, str) else plain(value)
        return "" if told in missing else told

    return ask


def walk(row: Any, path: list[str]) -> Any:
    """What lies at a path of names and numbers of elements; None where nothing does."""
    for name in path:
        if isinstance(row, Mapping):
            row = row.get(name)
        elif isinstance(row, list) and name.isdecimal() and int(name) < len(row):
            row = row[int(name)]
        else:
            return None
    return row


def plain(value: Any) -> str:
    """A JSON value as a text: numbers as they stand, lists and objects as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else _encode(value).decode()


def digest(row: Row) -> str:
    """The hash of a row: 32 hexadecimal digits, equal for equal rows."""
    return hashlib.blake2b(_encode(row), digest_size=16).hexdigest()


def _filtered(ask: Ask, written: str, words: Words, where: str) -> Ask:
    if written in words.values:
        return _translated(ask, words.values[written], written)
    name, colon, rest = written.partition(":")
    if name in _PLAIN and not colon:
        change = _PLAIN[name]
        return lambda row: change(ask(row))
    if name == "match" and rest:
        return _matched(ask, rest, where)
    if name == "round" and rest in ("0", "1", "2", "3", "4"):
        return lambda row: _rounded(ask(row), int(rest))
    if name == "minus" and rest:
        other = column(rest.strip(), words)
        return lambda row: _minus(ask(row), other(row))
    known = ", ".join([*_PLAIN, "match:REGEX", "round:0 to round:4", "minus:COLUMN", *words.values])
    raise MappingError(f"{where}: no such filter: {written}; expected one of {known}")


def _translated(ask: Ask, table: Mapping[str, str], name: str) -> Ask:
    def translated(row: Row) -> str:
        value = ask(row)
        if not value:
            return ""
        found = table.get(value.lower(), table.get("*"))
        if found is None:
            raise Refusal(Reason.BAD_VALUE, f"a value that the table values.{name} of the mapping does not have")
        return found

    return translated


def _matched(ask: Ask, written: str, where: str) -> Ask:
    try:
        search = re.compile(written).search
    except re.error as error:
        raise MappingError(f"{where}: match:{written}: not a regular expression: {error}") from None

    def matched(row: Row) -> str:
        found = search(ask(row))
        return "" if found is None else (found[1] if found.re.groups else found[0]) or ""

    return matched


def number(value: str) -> Decimal | None:
    """The number that a text holds, with a point or a comma; None where it holds none, or one of too many digits."""
    plain_text = value.replace("\u00a0", "").replace(" ", "").replace(",", ".")
    return Decimal(plain_text) if _is_number(plain_text) else None


_is_number = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII).fullmatch
"""Few enough digits that nothing is rounded, and nothing overflows, in the 28 of a Decimal's arithmetic."""


def _rounded(value: str, decimals: int) -> str:
    found = number(value)
    return value if found is None else f"{round(found, decimals):f}"


def _minus(value: str, other: str) -> str:
    a, b = number(value), number(other)
    return "" if a is None or b is None else f"{a - b:f}"


def _milliseconds(value: str) -> str:
    found = number(value)
    return value if found is None else f"{found * 1000:.0f}"


_PLAIN: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "digits": lambda value: "".join(c for c in value if c.isdecimal()),
    "abs": lambda value: value.lstrip("-−+ "),
    "ms": _milliseconds,
    "hash": lambda value: hashlib.blake2b(value.encode(), digest_size=8).hexdigest() if value else "",
    "sha256": lambda value: hashlib.sha256(value.encode()).hexdigest() if value else "",
}
"""lower and upper case; digits only; without its sign; seconds as milliseconds; a text for ids that must not show it;
the hash of a text by which others know it."""
