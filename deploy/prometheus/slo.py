"""The service level objectives as data, and the rules that are made from them: `python -m deploy.prometheus.slo`.

Rules kept: an objective is a share of good over all, for 30 days. Its error ratio is recorded over five windows, and
two alerts watch it, each over a long and a short window: the long one tells that much of the budget went, the short one
that it still goes. Windows and burn rates are those of the SRE Workbook (Google, 2018), chapter 5, "Alerting on SLOs",
table "Recommended parameters for an SLO-based alerting configuration". Where little comes, one bad event would be a
high share: below `events_min` in the long window nothing is said (same chapter, "Low-Traffic Services and Error
Budget Alerting").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RULES = Path(__file__).parent / "rules" / "slo.yml"
WINDOWS = ("5m", "30m", "1h", "6h", "3d")
PERIOD = "30d"

PAGE = ((14.4, "1h", "5m"), (6.0, "6h", "30m"))
TICKET = ((1.0, "3d", "6h"),)
"""(burn rate, long window, short window): 2 % of the budget in an hour, 5 % in six, 10 % in three days."""


@dataclass(frozen=True)
class Objective:
    """A promise. `total` and `bad` are PromQL with `{window}`; `total` counts events, "" where time is counted."""

    name: str
    alert: str
    target: float
    says: str
    total: str
    bad: str
    events_min: int = 100

    @property
    def budget(self) -> float:
        return round(1 - self.target, 6)

    def series(self, window: str) -> str:
        return f"deployment:{self.name}_errors:ratio_rate{window}"

    def error_ratio(self, window: str) -> str:
        """PromQL of the share that was bad in a window, by deployment."""
        bad = self.bad.format(window=window)
        return f"{bad} / {self.total.format(window=window)}" if self.total else bad


_ASKED = "sum by (deployment) (rate(onethread_collector_requests_total{{%s}}[{window}]))"
_WORK = 'route!~"/(metrics|healthz|readyz|docs)"'


def _slow(since: str, seconds: str) -> str:
    """Those that took longer; `le` is written as Python's Prometheus client writes it."""
    rate = "sum by (deployment) (rate(onethread_visible_seconds_bucket{{%s}}[{window}]))"
    quick = rate % f'since="{since}",le="{seconds}"'
    return f"({_seen(since)} - {quick})"


def _seen(since: str) -> str:
    return f'sum by (deployment) (rate(onethread_visible_seconds_count{{{{since="{since}"}}}}[{{window}}]))'


OBJECTIVES = (
    Objective(
        "ingest", "IngestBudgetBurns", 0.999,
        "99.9 % of requests to the collector are not answered with 5xx",
        _ASKED % _WORK, "(" + _ASKED % f'{_WORK},status=~"5.."' + " or 0 * " + _ASKED % _WORK + ")",
    ),
    Objective(
        "freshness", "FreshnessBudgetBurns", 0.99,
        "99 % of events are in ClickHouse at most 5 s after Kafka took them in",
        _seen("produced"), _slow("produced", "5.0"),
    ),
    Objective(
        "merge", "MergeBudgetBurns", 0.99,
        "99 % of merges are in ClickHouse at most 10 s after Kafka took in the event that caused them",
        _seen("merge"), _slow("merge", "10.0"),
    ),
    Objective(
        "processing", "ProcessingBudgetBurns", 0.999,
        "99.9 % of the time some worker is ready, every partition has an owner, and nothing waits for over 30 s",
        "", "(1 - avg_over_time(deployment:processing:bool[{window}]))", 0,
    ),
)


def _expression(objective: Objective, burns: tuple[tuple[float, str, str], ...]) -> str:
    return "\nor\n".join(_burning(objective, *burn) for burn in burns)


def _burning(objective: Objective, rate: float, long: str, short: str) -> str:
    limit = f"{rate:g} * {objective.budget:g}"
    parts = [f"{objective.series(long)} > {limit}", f"{objective.series(short)} > {limit}"]
    if objective.total:
        enough = objective.total.format(window=long).replace("(rate(", "(increase(")
        parts.append(f"{enough} >= {objective.events_min}")
    return "(\n  " + "\n  and on (deployment) ".join(parts) + "\n)"


_FIGURE = "Long window: {{ $value | humanizePercentage }} bad."


def _alert(objective: Objective, severity: str, burns: tuple[tuple[float, str, str], ...]) -> Iterator[str]:
    page = objective.alert
    told = " or ".join(f"{rate:g} times over {long}" for rate, long, _ in burns)
    yield f"      - alert: {page}"
    yield "        expr: |"
    yield from (f"          {line}" for line in _expression(objective, burns).splitlines())
    yield f"        labels: {{severity: {severity}, slo: {objective.name}}}"
    yield "        annotations:"
    yield f"          summary: 'The error budget of {objective.name} burns: {told} its even pace.'"
    yield f"          description: 'Objective: {objective.says}, over {PERIOD}. {_FIGURE}'"
    yield f"          runbook_url: docs/runbooks/{page}.md"


def text() -> str:
    """The file of rules."""
    lines = ["# Made by `python -m deploy.prometheus.slo`; change deploy/prometheus/slo.py instead.", "groups:"]
    for objective in OBJECTIVES:
        lines += [f"  - name: slo-{objective.name}", "    rules:"]
        for window in WINDOWS:
            lines += [f"      - record: {objective.series(window)}", f"        expr: {objective.error_ratio(window)}"]
        lines += _alert(objective, "page", PAGE)
        lines += _alert(objective, "ticket", TICKET)
    lines += ["  - name: slo-period", "    interval: 5m", "    rules:"]
    for objective in OBJECTIVES:
        lines += [f"      - record: deployment:{objective.name}_budget_left:ratio",
                  f"        expr: 1 - {objective.error_ratio(PERIOD)} / {objective.budget:g}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    RULES.write_text(text(), encoding="utf-8")
