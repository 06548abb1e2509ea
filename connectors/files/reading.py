"""The rows of a file: CSV or JSON lines, row by row, groups put together; what cannot be read is told with its line.

Memory is bounded: by a row, and by the rows of one group. A row that cannot be read never stops the file, but the
groups beside it may lack it and are refused with it: half a receipt would be a wrong one.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from connectors.files.errors import MappingError
from connectors.files.mapping import Mapping
from connectors.files.shapes import ROWS
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Reject

GROUP_ROWS_MAX = 10_000
"""A longer group is no receipt: the columns of `group` do not tell them apart."""

LINE_CHARACTERS_MAX = 4 * EVENT_BYTES_MAX
_DELIMITERS = ",;\t|"
_REPLACED = "�"

_decode = msgspec.json.Decoder(float_hook=str).decode


@dataclass(frozen=True, slots=True)
class Found:
    """A row, or a group of rows, and the line where it begins; `row` is None where it cannot be read."""

    line: int
    row: dict[str, Any] | None
    problem: Reject | None = None


def rows(path: Path, mapping: Mapping) -> Iterator[Found]:
    """Every row of a file, or group of rows, in order.

    Shape:  also of a file packed by gzip (.gz).
    Errors: MappingError where a CSV file has no header, or lacks columns that the mapping asks for.
    """
    with (gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as raw:
        yield from rows_in(raw, str(path), mapping)  # type: ignore[arg-type]  # a GzipFile is read as a file is


def rows_in(raw: IO[bytes], name: str, mapping: Mapping) -> Iterator[Found]:
    """Every row of an open file; `name` is how errors call it. Errors: as `rows`."""
    encoding = mapping.format.encoding
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    # Unreadable bytes are replaced, so that they are found in the row that has them.
    file = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
    is_json = mapping.format.format == "jsonl"
    if not mapping.format.format:
        is_json = file.read(64).lstrip().startswith("{")
        file.seek(0)
    for _ in range(mapping.format.skip_lines):
        file.readline()
    found = _json(file, mapping) if is_json else _csv(file, name, mapping)
    yield from _grouped(found, mapping.group) if mapping.group else found


def _json(file: IO[str], mapping: Mapping) -> Iterator[Found]:
    """One object a line; numbers with decimals keep their text, so that 12.50 is no float on its way."""
    skipped = mapping.format.skip_lines
    number = skipped
    while line := file.readline(LINE_CHARACTERS_MAX):
        number += 1
        whole = line
        while whole and not whole.endswith("\n") and len(whole) == LINE_CHARACTERS_MAX:
            whole = file.readline(LINE_CHARACTERS_MAX)
        if whole is not line:
            yield _lost(number, Reason.OVERSIZE, f"expected at most {LINE_CHARACTERS_MAX} characters a line")
            continue
        if not line.strip():
            continue
        try:
            value = _decode(line)
        except (msgspec.DecodeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            yield _lost(number, Reason.BAD_JSON, "expected one JSON object a line")
        elif _REPLACED in line:
            yield _misread(number, mapping)
        else:
            yield Found(number, value)


def _csv(file: IO[str], name: str, mapping: Mapping) -> Iterator[Found]:
    first = file.readline()
    delimiter = mapping.format.delimiter or max(_DELIMITERS, key=first.count)
    lines = _Lines(first, file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    skipped = mapping.format.skip_lines
    header = list(mapping.format.columns) or _header(reader, name)
    if absent := sorted(mapping.columns - set(header)):
        raise MappingError(
            f"{name}: the mapping {mapping.name} asks for {', '.join(absent)}; the file has {', '.join(header)[:500]}"
        )
    width = len(header)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _lost(line, Reason.BAD_VALUE, "expected CSV: a quotation mark is out of place, or never closed")
            continue
        if not any(cells):
            continue
        if len(cells) != width:
            yield _lost(line, Reason.BAD_VALUE, f"expected {width} values, as there are columns; came {len(cells)}")
        elif any(_REPLACED in cell for cell in cells if not cell.isascii()):
            yield _misread(line, mapping)
        else:
            yield Found(line, dict(zip(header, cells, strict=True)))


class _Lines:
    """The lines of a file, the first one read already; none longer than a row may be."""

    def __init__(self, first: str, file: IO[str]) -> None:
        self._first, self._file = first, file

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._first = self._first or self._file.readline(LINE_CHARACTERS_MAX), ""
        if not line:
            raise StopIteration
        return line.replace("\0", _REPLACED)  # the reader of CSV stops at them


def _header(reader: Any, where: str) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error:
        header = []
    if not any(header) or len(set(header)) < len(header):
        raise MappingError(f"{where}: expected a header with the names of columns, each once; or [file] columns")
    return header


def _lost(line: int, reason: Reason, detail: str) -> Found:
    return Found(line, None, Reject(reason, detail))


def _misread(line: int, mapping: Mapping) -> Found:
    detail = f"expected text in {mapping.format.encoding}, as [file] encoding says"
    return _lost(line, Reason.BAD_VALUE, detail)


def _grouped(found: Iterator[Found], names: tuple[str, ...]) -> Iterator[Found]:
    """Rows with equal values in the columns of a group, one after another, as the first of them with a list `rows`."""
    group: list[dict[str, Any]] = []
    first, key, beside = 0, None, 0
    for one in found:
        if one.row is None:
            if group:
                yield _whole(first, group, one.line)
            group, key, beside = [], None, one.line
            yield one
            continue
        its = [one.row.get(name) for name in names]
        if its != key:
            if group:
                yield _whole(first, group, beside)
                beside = 0
            group, first, key = [], one.line, its
        if len(group) < GROUP_ROWS_MAX + 1:
            group.append(one.row)
    if group:
        yield _whole(first, group, beside)


def _whole(line: int, group: list[dict[str, Any]], beside: int) -> Found:
    row = {**group[0], ROWS: group}
    if len(group) > GROUP_ROWS_MAX:
        detail = f"more than {GROUP_ROWS_MAX} rows with equal values in the columns of group"
        return Found(line, {**group[0], ROWS: group[:100]}, Reject(Reason.OVERSIZE, detail))
    if beside:
        detail = f"line {beside}, next to it, cannot be read and may belong to it"
        return Found(line, row, Reject(Reason.BAD_VALUE, detail))
    return Found(line, row)
