"""What a PromQL expression asks for: its series, the labels it matches, the labels it groups by."""

from dataclasses import dataclass, field
from typing import Any

import promql_parser as parser

from deploy.prometheus.slo import RULES
from streams import metrics

TARGET = {"job", "instance", "deployment"}
"""What a scrape adds (`deploy/prometheus`)."""

OTHERS = {
    "up": set(),
    "process_resident_memory_bytes": set(), "process_start_time_seconds": set(), "process_cpu_seconds_total": set(),
    "process_open_fds": set(),  # of Python's Prometheus client
    "ClickHouseAsyncMetrics_MaxPartCountForPartition": set(), "ClickHouseMetrics_Query": set(),
    "ClickHouseMetrics_Merge": set(), "ClickHouseMetrics_MemoryTracking": set(),
    "ClickHouseProfileEvents_FailedQuery": set(), "ClickHouseProfileEvents_MergedRows": set(),
    "ClickHouseAsyncMetrics_TotalPartsOfMergeTreeTables": set(),  # of a ClickHouse server, at its port 9363
    "ALERTS": {"alertname", "alertstate", "severity", "slo"},
}
"""Series of others, with their labels."""


@dataclass
class Asked:
    """Series by name with the labels matched on them; and labels grouped or joined by, anywhere."""

    series: dict[str, set[str]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)


def asked(expression: str) -> Asked:
    """Errors: ValueError where it is no PromQL."""
    found = Asked()
    promql = parser.parse(expression)

    def visit(node: Any) -> None:
        if isinstance(node, parser.MatrixSelector):
            visit(node.vector_selector)
        elif isinstance(node, parser.VectorSelector):
            assert node.name, f"a selector without a name: {expression}"
            found.series.setdefault(node.name, set()).update(one.name for one in node.matchers.matchers)
        elif isinstance(node, parser.AggregateExpr) and node.modifier:
            found.labels.update(node.modifier.labels)
        elif isinstance(node, parser.BinaryExpr) and node.modifier:
            found.labels.update(node.modifier.matching.labels if node.modifier.matching else ())
            found.labels.update(node.modifier.group_labels or ())

    parser.walk(promql, visit)
    return found


def known() -> dict[str, set[str]]:
    """Every series of ours and of others, with its labels."""
    series = {name: labels | TARGET for name, labels in OTHERS.items()}
    for metric in metrics.DEFINITIONS:
        labels = {*metric.labels, *TARGET}
        if metric.kind == "histogram":
            series |= {f"{metric.name}_{part}": labels for part in ("sum", "count")}
            series[f"{metric.name}_bucket"] = {*labels, "le"}
        else:
            series[metric.name] = labels
    return series


def faults(expression: str, recorded: dict[str, set[str]]) -> list[str]:
    """What an expression asks for that nobody tells; `recorded` are the labels of what rules record."""
    series = {**known(), **recorded}
    found = asked(expression)
    unknown = [f"no metric {name}" for name in found.series.keys() - series.keys()]
    there = {label for name in found.series.keys() & series.keys() for label in series[name]}
    return unknown + [
        f"{name} has no label {label}" for name, matched in found.series.items() if name in series
        for label in matched - series[name]
    ] + [f"nothing here has the label {label}" for label in found.labels - there]


def recorded_labels(name: str) -> set[str]:
    """Recorded series say their labels before the first colon."""
    return set(name.split(":")[0].split("_")) if ":" in name else set()


FILES = sorted(RULES.parent.glob("*.yml"))
