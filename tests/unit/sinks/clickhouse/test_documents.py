"""The page about the views names all of them, and its query runs."""

import re
from pathlib import Path

from sinks.clickhouse.migrations import VIEWS
from tests.unit.sinks.clickhouse.conftest import Engine

PAGE = Path(__file__).parents[4].joinpath("docs", "sql", "README.md").read_text(encoding="utf-8")


def test_the_page_has_a_row_for_every_view() -> None:
    expected = {view for view in VIEWS if not view.startswith("facts_")} | {"settings", "channels", "policy"}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == expected


def test_its_queries_run(engine: Engine) -> None:
    queries = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert queries
    for query in queries:
        assert engine.rows(query) == []
