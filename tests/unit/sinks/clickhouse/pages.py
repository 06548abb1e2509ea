"""Pages of docs/sql as tests read them: the query that a page shows, and its answer as the page prints it."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parents[4] / "docs" / "sql"


def shown(name: str) -> tuple[str, list[list[str]]]:
    """The first query of a page, and its first table with the head: cells as text."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    query = re.search(r"```sql\n(.*?)```", page, re.DOTALL)
    table = re.search(r"^(\|.*\|\n)\|[-|]+\|\n((?:\|.*\|\n)+)", page, re.MULTILINE)
    assert query
    assert table
    return query[1], [[cell.strip() for cell in line.strip("|\n").split("|")]
                      for line in (table[1] + table[2]).splitlines()]


def printed(result: Any) -> list[list[str]]:
    """The answer to a query as pages show it, head and rows."""
    return [list(result.column_names), *([_told(cell) for cell in one] for one in result.result_rows)]


def _told(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(_told, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_told(one)}" for key, one in value.items())
    return "" if value is None else str(value)
