"""The page about facts describes what the streams make, column by column."""

import re
from pathlib import Path

import pytest

from streams.core.facts import CONTENT, TABLES, Table

PAGE = Path(__file__).parents[3] / "docs" / "facts.md"


def section(name: str) -> str:
    (found,) = re.findall(rf"^##+ {name}\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def columns(text: str) -> list[tuple[str, str, str]]:
    rows = re.findall(r"^\| (\w+) \| (\S+) \| (.+) \|$", text, re.MULTILINE)
    return [row for row in rows if row[0] != "column"]


def test_page_has_a_section_for_every_table_and_no_other() -> None:
    assert re.findall(r"^##+ (\w+)$", PAGE.read_text(), re.MULTILINE) == ["touchpoints", "content", *list(TABLES)[1:]]


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_column_is_described_with_its_type(table: Table) -> None:
    text = section(table.name)
    assert [(name, kind) for name, kind, _ in columns(text)] == [(c.name, c.type) for c in table.columns]
    assert f"Key: {', '.join(c.name for c in table.columns[: table.key])}." in text


def test_content_of_a_touchpoint_is_described() -> None:
    assert [(name, kind) for name, kind, _ in columns(section("content"))] == [(c.name, c.type) for c in CONTENT]
