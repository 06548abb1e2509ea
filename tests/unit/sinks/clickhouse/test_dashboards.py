"""The SQL of dashboards and runbooks runs on the views, and gives Grafana what it can draw."""

import json
import re
from pathlib import Path

import pytest

from deploy.grafana.boards import BOARDS, DASHBOARDS
from tests.unit.sinks.clickhouse.conftest import Engine

RUNBOOKS = sorted((Path(__file__).parents[4] / "docs" / "runbooks").glob("*.md"))
MACROS = (
    (r"\$__timeFilter\(([\w.]+)\)", r"\1 >= toDateTime(1700000000) AND \1 <= toDateTime(1800000000)"),
    (r"\$__timeInterval\(([\w.]+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 86400 second)"),
    (r"\$\{channel:singlequote\}", "'web', 'pos'"),
    (r"\$model", "linear"),
)
"""As the plugin fills them in (grafana.com, "ClickHouse query editor", macros)."""


def asked(name: str) -> list[tuple[str, str]]:
    """(title, SQL) of every panel and variable of a dashboard."""
    made = json.loads(DASHBOARDS.joinpath(f"{name}.json").read_text())
    panels = [(panel["title"], target["rawSql"]) for panel in made["panels"] for target in panel.get("targets", ())
              if "rawSql" in target]
    return panels + [(one["name"], one["query"]) for one in made["templating"]["list"]
                     if one["type"] == "query" and isinstance(one["query"], str)]


@pytest.mark.parametrize("name", [name for name in BOARDS if asked(name)])
def test_sql_of_a_dashboard_runs_on_the_views(engine: Engine, name: str) -> None:
    for title, query in asked(name):
        for macro, text in MACROS:
            query = re.sub(macro, text, query)
        result = engine.client.query(query)
        kinds = dict(zip(result.column_names, result.column_types, strict=True))
        assert "time" not in kinds or kinds["time"].name.startswith("DateTime"), f"{title}: a graph needs a time"


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_sql_of_a_runbook_runs(engine: Engine, page: Path) -> None:
    for query in re.findall(r"`(SELECT [^`]*)`", page.read_text()):
        engine.client.query(query)
