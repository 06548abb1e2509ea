"""Rules ask only for what somebody tells, each alert has a page and a case that fires, and promtool agrees."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.ports import Addresses
from deploy.prometheus import slo
from deploy.prometheus.local import program, targets, write
from streams import metrics
from tests.unit.deploy.promql import FILES, asked, faults, known, recorded_labels

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
CASES = sorted((FOLDER / "tests").glob("*.yml"))
PAGES = ROOT / "docs" / "runbooks"
HISTOGRAMS = {metric.name for metric in metrics.DEFINITIONS if metric.kind == "histogram"}
HEADINGS = ["## What it means", "## What to look at", "## What to do"]


def rules(kind: str) -> list[dict[str, Any]]:
    """Every rule that has this key: record or alert."""
    groups = [group for file in FILES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


RECORDED = {rule["record"]: recorded_labels(rule["record"]) for rule in rules("record")}
ALERTS = sorted({rule["alert"] for rule in rules("alert")})


def test_what_an_expression_asks_for_is_read_from_its_tree() -> None:
    found = asked('sum by (topic) (rate(a_total{reason="x",job!="y"}[5m])) '
                  '> on (topic) group_left (job) max_over_time(b[1h:1m])')
    assert found.series == {"a_total": {"reason", "job"}, "b": set()}
    assert found.labels == {"topic", "job"}


def test_a_misspelt_metric_and_a_label_it_does_not_have_are_faults() -> None:
    assert faults("onethread_worker_redy > 0", {}) == ["no metric onethread_worker_redy"]
    assert faults('onethread_worker_ready{topic="x"}', {}) == ["onethread_worker_ready has no label topic"]
    assert faults("sum by (topic) (onethread_worker_ready)", {}) == ["nothing here has the label topic"]
    assert faults('rate(onethread_visible_seconds_bucket{since="merge",le="5.0"}[5m])', {}) == []


def test_rules_ask_only_for_what_somebody_tells() -> None:
    found = {rule.get("record") or rule["alert"]: faults(rule["expr"], RECORDED) for rule in rules("expr")}
    assert {name: told for name, told in found.items() if told} == {}


def test_recorded_series_are_used() -> None:
    """Else they cost an evaluation every ten seconds for nobody."""
    boards = "".join(file.read_text() for file in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
    used = boards + "".join(rule["expr"] for rule in rules("expr"))
    assert [name for name in RECORDED if name not in used] == []


@pytest.mark.parametrize("rule", rules("alert"), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_how_urgent_it_is_what_happened_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket", "none")
    assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
    page = ROOT / rule["annotations"]["runbook_url"]
    assert page == PAGES / f"{rule['alert']}.md"
    assert page.exists()


@pytest.mark.parametrize("page", sorted(PAGES.glob("[A-Z]*.md")), ids=lambda page: page.stem)
def test_a_runbook_belongs_to_an_alert_and_says_what_it_means_what_to_look_at_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert page.stem in (*ALERTS, "README")
    if page.stem != "README":
        assert text.startswith(f"# {page.stem}\n")
        assert re.findall(r"^## .*", text, re.MULTILINE) == HEADINGS
        assert set(re.findall(r"onethread_(?!rebuild)[a-z_]+[a-z]", text)) <= known().keys() | HISTOGRAMS
        assert f"({page.name})" in (PAGES / "README.md").read_text()


@pytest.mark.parametrize("alert", ALERTS)
def test_a_case_shows_when_an_alert_fires(alert: str) -> None:
    told = "".join(file.read_text() for file in CASES)
    assert re.search(rf'alertname="{alert}"|alertname: {alert}\b', told)


def test_the_rules_of_objectives_are_what_the_code_makes() -> None:
    """Otherwise: make docs."""
    assert slo.RULES.read_text() == slo.text()


def test_objectives_use_bounds_that_the_histogram_has() -> None:
    """A bound that is none would make every event late."""
    bounds = set(re.findall(r'le="([^"]+)"', slo.text()))
    metrics.VISIBLE_SECONDS.labels("produced")
    told = metrics.page(metrics.WORKER).decode()
    assert bounds <= set(re.findall(r'onethread_visible_seconds_bucket{le="([^"]+)"', told))


@pytest.fixture(scope="session")
def promtool() -> Callable[..., None]:
    """Debian's, fetched where it is not there yet."""
    fetched = subprocess.run(["sh", str(FOLDER / "fetch.sh")], capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(fetched.stderr.strip())

    def run(*words: str) -> None:
        done = subprocess.run([str(program("promtool")), *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_promtool_takes_the_rules_and_the_configurations(promtool: Callable[..., None], tmp_path: Path) -> None:
    local = write(Addresses(tmp_path), ["worker-0", "worker-1", "collector", "kafka"])
    promtool("check", "rules", *map(str, FILES))
    for file in (local, FOLDER / "prometheus.yml"):
        promtool("check", "config", str(file))


@pytest.mark.parametrize("case", CASES, ids=lambda file: file.stem)
def test_every_alert_fires_when_it_should_and_only_then(promtool: Callable[..., None], case: Path) -> None:
    promtool("test", "rules", str(case))


def test_a_local_stack_is_scraped_where_its_parts_answer(tmp_path: Path) -> None:
    scraped = targets(Addresses(tmp_path, 21100), ["worker-0", "worker-1", "collector", "kafka"])
    assert {group["labels"]["job"]: group["targets"] for group in scraped} == {
        "onethread-worker": ["127.0.0.1:21110", "127.0.0.1:21111"], "onethread-collector": ["127.0.0.1:21100"],
        "onethread-supervisor": ["127.0.0.1:21105"],
    }
