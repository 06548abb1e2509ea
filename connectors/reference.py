"""Files of reference records to their compacted topics: CSV or JSON lines, the whole file checked before anything goes.

A file is sent all or nothing as far as its content goes: one wrong line, and nothing is sent. A line of a file that
names a key again stands in place of the earlier one, as a later file does.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.delivery import Delivery
from schemas.records import REFERENCE
from streams.core import reference
from streams.core.facts import Table
from streams.core.refusal import Reason, Refusal
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.topics import Topics

Given = Mapping[str, Any] | Refusal
"""A line's values by column, or why it has none."""


@dataclass(frozen=True)
class Problem:
    """A line that cannot be loaded."""

    line: int
    detail: str


def records(table: Table, path: Path) -> Iterator[tuple[int, bytes, dict[str, Any]] | Problem]:
    """Every record of a file, with its line and its key, or what is wrong with it.

    Errors: OneThreadError where the file is no text in UTF-8, or a CSV file has no header of its columns.
    """
    try:
        for number, given in _lines(table, path):
            try:
                if isinstance(given, Refusal):
                    raise given
                record = reference.record(table, given)
                yield number, reference.key(table, reference.row(table, record)), record
            except Refusal as refusal:
                yield Problem(number, refusal.detail)
    except UnicodeDecodeError:
        raise OneThreadError(f"{path}: expected text in UTF-8") from None
    except csv.Error as error:
        raise OneThreadError(f"{path}: not valid CSV: {error}") from None


class Loader(Delivery):
    """Sends the records of one table."""

    def __init__(self, bootstrap: str, registry_url: str, settings: Settings, name: str) -> None:
        # Java's partitioner: a key goes to one partition, whoever produces it.
        super().__init__(bootstrap, registry_url, "a record", {"partitioner": "murmur2_random"})
        self._record, self._topic = REFERENCE[name], Topics(settings.topic_prefix).reference(name)
        self._id(self._topic, self._record)  # before the first line: whether there is a registry

    def send(self, key: bytes, record: dict[str, Any]) -> None:
        self._produce(self._topic, self._record, self._record.encode(record), key)


def _lines(table: Table, path: Path) -> Iterator[tuple[int, Given]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        yield from _json_lines(file) if first.lstrip().startswith("{") else _csv_lines(table, path, first, file)


def _json_lines(file: Iterator[str]) -> Iterator[tuple[int, Given]]:
    """Numbers keep their text, so that 12.50 is no float on its way."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_float=str, parse_int=str)
        except (ValueError, RecursionError):
            value = None
        is_object = isinstance(value, dict)
        yield number, value if is_object else Refusal(Reason.BAD_JSON, "expected one JSON object a line")


def _csv_lines(table: Table, path: Path, first: str, file: Iterator[str]) -> Iterator[tuple[int, Given]]:
    """Columns by name, in any order; separated by commas, by semicolons or by tabs, as the header is."""
    separator = max(",;\t", key=first.count)
    reader = csv.reader(file, delimiter=separator, strict=True)
    header = [name.strip() for name in next(reader, [])]
    _check_header(table, path, header)
    for cells in reader:
        if not any(cells):
            continue
        if len(cells) != len(header):
            detail = f"expected {len(header)} values, as the header has columns; came {len(cells)}"
            yield reader.line_num, Refusal(Reason.BAD_VALUE, detail)
        else:
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _check_header(table: Table, path: Path, header: list[str]) -> None:
    names = [column.name for column in table.columns]
    unknown = [name for name in header if name not in names]
    if unknown or len(set(header)) < len(header) or not header:
        came = ", ".join(name[:60] for name in header) or "nothing"
        raise OneThreadError(f"{path}:1: expected a header of columns of {table.name}: {', '.join(names)}; came {came}")


Check = Callable[[int], None]
"""Told how many lines were looked at."""


def checked(table: Table, path: Path, tell: Check, problems_max: int) -> tuple[int, list[Problem], int]:
    """Look at a whole file: how many records it has, the first problems, and how many problems there are."""
    good, found, bad = 0, list[Problem](), 0
    for one in records(table, path):
        if isinstance(one, Problem):
            bad += 1
            found += [one] if bad <= problems_max else []
        else:
            good += 1
        tell(good + bad)
    return good, found, bad
