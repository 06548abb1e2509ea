"""Dashboards are what the code makes, ask for what somebody tells, fit their places, and lead to runbooks."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.boards import BOARDS, DASHBOARDS
from deploy.grafana.panels import COLUMNS, board
from tests.unit.deploy.promql import faults
from tests.unit.deploy.test_prometheus import ALERTS, PAGES, RECORDED

ROOT = Path(__file__).parents[3]
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
BLANKS = {"$__rate_interval": "1m", "$deployment": "d", "$instance": ".*", "$topic": ".*"}


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARDS.joinpath(f"{name}.json").read_text())["panels"]
            if panel["type"] != "row"]


def questions(name: str) -> list[tuple[str, str]]:
    """(title, PromQL) of every panel and annotation."""
    annotations = json.loads(DASHBOARDS.joinpath(f"{name}.json").read_text())["annotations"]["list"]
    return [(panel["title"], target["expr"]) for panel in panels(name) for target in panel["targets"]
            if "expr" in target] + [(one["name"], one["expr"]) for one in annotations]


def filled(query: str) -> str:
    """PromQL with something in place of what Grafana fills in."""
    for blank, value in BLANKS.items():
        query = query.replace(blank, value)
    return query


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_what_the_code_makes(name: str) -> None:
    """Otherwise: make docs."""
    assert json.loads(DASHBOARDS.joinpath(f"{name}.json").read_text()) == board(BOARDS[name])


def test_no_dashboard_lies_about_without_code() -> None:
    assert {file.stem for file in DASHBOARDS.glob("*.json")} == set(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_promql_of_a_dashboard_asks_only_for_what_somebody_tells(name: str) -> None:
    found = {title: faults(filled(query), RECORDED) for title, query in questions(name)}
    assert {title: told for title, told in found.items() if told} == {}


@pytest.mark.parametrize("name", BOARDS)
def test_variables_read_labels_that_exist(name: str) -> None:
    for one in json.loads(DASHBOARDS.joinpath(f"{name}.json").read_text())["templating"]["list"]:
        if isinstance(one["query"], dict):
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", one["query"]["query"]).groups()
            assert faults(f"sum by ({label}) ({filled(series)})", RECORDED) == []


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_has_a_unit_a_text_and_known_columns(name: str) -> None:
    for panel in panels(name):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        asks = [target.get("expr") or target["rawSql"] for target in panel["targets"]]
        for one in panel["fieldConfig"]["overrides"]:
            assert re.search(rf"\b{one['matcher']['options']}\b", " ".join(asks)), panel["title"]
        many = [target for target in panel["targets"] if target.get("legendFormat") == "__auto"]
        assert not many or panel["type"] == "table", f"{panel['title']}: a legend that says what a line is"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    places = [panel["gridPos"] for panel in json.loads(DASHBOARDS.joinpath(f"{name}.json").read_text())["panels"]]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    for one, other in combinations(places, 2):
        apart = (one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                 or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"])
        assert apart, (one, other)


def test_panels_lead_to_runbooks_and_every_alert_has_a_panel() -> None:
    links = {link["url"] for name in BOARDS for panel in panels(name) for link in panel["links"]}
    linked = {re.fullmatch(r"\$\{runbooks\}/(\w+)\.md", url)[1] for url in links}
    assert {name for name in linked if not PAGES.joinpath(f"{name}.md").exists()} == set()
    assert set(ALERTS) - linked == {"Watchdog", "ConflictingDuplicates"} - linked


def test_dashboards_and_sources_are_provisioned_where_they_lie() -> None:
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "onethread.yaml").read_text())["providers"]
    sources = yaml.safe_load((PROVISIONING / "datasources" / "onethread.yaml").read_text())["datasources"]
    assert provider["options"]["path"] == "/etc/onethread/dashboards"
    assert {source["type"] for source in sources} == {"prometheus", "grafana-clickhouse-datasource"}
    assert all(source["uid"] for source in sources)
