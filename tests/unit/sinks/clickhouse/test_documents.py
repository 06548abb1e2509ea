"""The page about the views names all of them, and the queries of every page run.

Those of the page `questions` answer something even without data; test_ready_views.py runs them on the sample.
"""

import re
from pathlib import Path

import pytest

from sinks.clickhouse.migrations import VIEWS
from tests.unit.sinks.clickhouse.conftest import Engine

PAGES = sorted(Path(__file__).parents[4].joinpath("docs", "sql").glob("*.md"))
PAGE = next(page for page in PAGES if page.name == "README.md").read_text(encoding="utf-8")


def test_the_page_has_a_row_for_every_view() -> None:
    expected = {view for view in VIEWS if not view.startswith("facts_")} | {"settings", "channels", "policy"}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == expected


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "questions"], ids=lambda page: page.stem)
def test_its_queries_run(engine: Engine, page: Path) -> None:
    queries = re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert queries
    for query in queries:
        assert engine.rows(query) == []
