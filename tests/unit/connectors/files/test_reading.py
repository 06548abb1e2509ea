"""Rows of files: every row with its line, groups put together, and what cannot be read beside them."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from connectors.files import reading
from connectors.files.errors import MappingError
from connectors.files.mapping import parse
from connectors.files.reading import rows

EVENT = """
[[events]]
channel = "pos"
type = "store_visited"
event_id = "{id}"
occurred_at = "{at?}"
"""


def read(tmp_path: Path, content: bytes | str, head: str = "", name: str = "file") -> list[tuple[int, Any]]:
    """(line, row, or the reason why there is none)."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = rows(file, parse(head + EVENT, "m"))
    return [(one.line, str(one.problem.reason) if one.problem else one.row) for one in found]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_with_a_header_whatever_separates(tmp_path: Path, separator: str) -> None:
    assert read(tmp_path, f"id{separator}at\r\n1{separator}x\r\n\r\n2{separator}\r\n") == [
        (2, {"id": "1", "at": "x"}), (4, {"id": "2", "at": ""}),
    ]


def test_values_in_quotation_marks_may_hold_lines_and_the_line_is_where_the_row_begins(tmp_path: Path) -> None:
    assert read(tmp_path, 'id,at\n"a\nb",1\nc,2\n') == [(2, {"id": "a\nb", "at": "1"}), (4, {"id": "c", "at": "2"})]


def test_json_lines_keep_the_text_of_numbers(tmp_path: Path) -> None:
    assert read(tmp_path, '{"id": 1, "at": 12.50}\n\n[1]\n{"id"\n') == [
        (1, {"id": 1, "at": "12.50"}), (3, "bad_json"), (4, "bad_json"),
    ]


def test_a_row_that_cannot_be_read_does_not_stop_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, 'id,at\n1\n"x"y,2\n2,3,4\n5,6\n') == [
        (2, "bad_value"), (3, "bad_value"), (4, "bad_value"), (5, {"id": "5", "at": "6"}),
    ]


def test_encodings_and_what_is_not_in_them(tmp_path: Path) -> None:
    text = "id,at\nКиїв,1\n"
    kyiv = [(2, {"id": "Київ", "at": "1"})]
    assert read(tmp_path, text.encode("cp1251"), '[file]\nencoding = "windows-1251"') == kyiv
    assert read(tmp_path, text.encode("utf-16"), '[file]\nencoding = "utf-16"') == kyiv
    assert read(tmp_path, b"\xef\xbb\xbf" + text.encode()) == kyiv
    assert read(tmp_path, text.encode("cp1251") + b"2,3\n") == [(2, "bad_value"), (3, {"id": "2", "at": "3"})]


def test_a_packed_file_and_lines_before_the_header(tmp_path: Path) -> None:
    packed = gzip.compress(b"Export of 5 February\n\nid,at\n1,2\n")
    assert read(tmp_path, packed, "[file]\nskip_lines = 2", "file.csv.gz") == [(4, {"id": "1", "at": "2"})]


def test_columns_of_a_file_without_a_header(tmp_path: Path) -> None:
    assert read(tmp_path, "1,2\n", '[file]\ncolumns = ["id", "at"]') == [(1, {"id": "1", "at": "2"})]


def test_a_file_that_does_not_fit_the_mapping_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="asks for id; the file has number, at"):
        read(tmp_path, "number,at\n1,2\n")
    with pytest.raises(MappingError, match="expected a header"):
        read(tmp_path, "id,id\n1,2\n")
    with pytest.raises(MappingError, match="expected a header"):
        read(tmp_path, "")


def test_a_line_too_long_is_refused_and_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINE_CHARACTERS_MAX", 20)
    assert read(tmp_path, '{"id": "' + "x" * 50 + '"}\n{"id": 2}\n') == [(1, "oversize"), (2, {"id": 2})]


def test_rows_with_equal_values_one_after_another_are_one(tmp_path: Path) -> None:
    group = 'group = ["id"]'
    found = read(tmp_path, "id,at\n1,a\n1,b\n2,c\n1,d\n", group)
    assert [(line, row["id"], [r["at"] for r in row["rows"]]) for line, row in found] == [
        (2, "1", ["a", "b"]), (4, "2", ["c"]), (5, "1", ["d"]),
    ]


def test_groups_beside_an_unreadable_row_are_refused_as_it_may_be_theirs(tmp_path: Path) -> None:
    found = read(tmp_path, "id,at\n1,a\n2,b\n2\n3,c\n4,d\n", 'group = ["id"]')
    assert [(line, row if isinstance(row, str) else row["id"]) for line, row in found] == [
        (2, "1"), (3, "bad_value"), (4, "bad_value"), (5, "bad_value"), (6, "4"),
    ]


def test_a_group_that_never_ends_is_refused_and_memory_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "GROUP_ROWS_MAX", 3)
    assert read(tmp_path, "id,at\n" + "1,a\n" * 4 + "2,b\n", 'group = ["id"]')[0] == (2, "oversize")
    assert read(tmp_path, "id,at\n" + "1,a\n" * 3, 'group = ["id"]')[0][1]["rows"] == [{"id": "1", "at": "a"}] * 3
