"""Dashboards as data: panels, rows and boards, and the JSON that Grafana provisions from them.

Rules kept: every panel says its unit and what it tells; one that an alert watches links to the alert's runbook. Places
are given out from left to right, 24 columns a row. The JSON is Grafana's dashboard model of schema version 39 (Grafana
11 and later; "Dashboard JSON model" in its documentation), queries of ClickHouse are those of the plugin
grafana-clickhouse-datasource 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

COLUMNS = 24
SCHEMA = 39

Json = dict[str, Any]
Kind = Literal["timeseries", "stat", "bargauge", "table", "barchart", "state-timeline"]

PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}
CLICKHOUSE = {"type": "grafana-clickhouse-datasource", "uid": "${clickhouse}"}
TIMESERIES, TABLE = 0, 1
"""Formats of the ClickHouse plugin."""

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


@dataclass(frozen=True)
class Query:
    """PromQL, with the legend of each of its series."""

    expr: str
    legend: str = "__auto"
    instant: bool = False


@dataclass(frozen=True)
class Panel:
    """One picture. `queries` are PromQL; `sql` is asked of ClickHouse instead.

    `steps` are (from this value on, colour), the first from -infinity; `alerts` name the runbooks to link.
    """

    title: str
    says: str
    unit: str
    queries: Sequence[Query] = ()
    sql: str = ""
    kind: Kind = "timeseries"
    width: int = 8
    height: int = 8
    steps: Sequence[tuple[float | None, str]] = ((None, BLUE),)
    alerts: Sequence[str] = ()
    stack: bool = False
    bars: bool = False
    low: float | None = 0
    high: float | None = None
    decimals: int | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of single columns or series, by name."""


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Variable:
    """What a reader chooses. `label` of Prometheus' `series`, or the result of `sql`."""

    name: str
    label: str
    series: str = ""
    of: str = ""
    sql: str = ""
    multi: bool = True


@dataclass(frozen=True)
class Board:
    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    variables: Sequence[Variable] = ()
    sources: Sequence[Literal["prometheus", "clickhouse"]] = ("prometheus",)
    since: str = "now-6h"
    refresh: str = "10s"


def board(chosen: Board) -> Json:
    """The dashboard as Grafana stores it."""
    return {
        "uid": chosen.uid, "title": chosen.title, "description": chosen.says, "tags": ["onethread"],
        "schemaVersion": SCHEMA, "version": 1, "editable": True, "graphTooltip": 1, "timezone": "browser",
        "refresh": chosen.refresh, "time": {"from": chosen.since, "to": "now"},
        "links": [{
            "type": "dashboards", "title": "onethread", "tags": ["onethread"], "asDropdown": True, "includeVars": True,
            "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "", "url": "",
        }],
        "annotations": {"list": [_pages()] if "prometheus" in chosen.sources else []},
        "templating": {"list": [*_sources(chosen), *map(_variable, chosen.variables), _RUNBOOKS]},
        "panels": _placed(chosen.rows),
    }


def _placed(rows: Sequence[Row]) -> list[Json]:
    """Rows and panels with ids and places."""
    found: list[Json] = []
    top = 0
    for row in rows:
        found.append({"type": "row", "id": len(found) + 1, "title": row.title, "collapsed": False, "panels": [],
                      "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}})
        top, left, height = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left, height = top + height, 0, 0
            place = {"h": panel.height, "w": panel.width, "x": left, "y": top}
            found.append({**_panel(panel), "id": len(found) + 1, "gridPos": place})
            left, height = left + panel.width, max(height, panel.height)
        top += height
    return found


def _panel(panel: Panel) -> Json:
    source = CLICKHOUSE if panel.sql else PROMETHEUS
    made: Json = {
        "type": panel.kind, "title": panel.title, "description": panel.says, "datasource": source,
        "targets": [_asks_clickhouse(panel)] if panel.sql else [
            _asks_prometheus(query, chr(ord("A") + index)) for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": [_unit(*one) for one in panel.units.items()]},
        "options": _options(panel),
        "links": [{"title": f"Runbook: {alert}", "url": f"${{runbooks}}/{alert}.md", "targetBlank": True}
                  for alert in panel.alerts],
    }
    if panel.kind == "table" and not panel.sql:
        made["transformations"] = [{"id": "organize", "options": {
            "excludeByName": {"Time": True, "Value": True, "__name__": True, "alertstate": True},
        }}]
    return made


def _asks_prometheus(query: Query, letter: str) -> Json:
    return {
        "refId": letter, "datasource": PROMETHEUS, "expr": query.expr, "legendFormat": query.legend,
        "instant": query.instant, "range": not query.instant, "format": "table" if query.instant else "time_series",
        "editorMode": "code",
    }


def _asks_clickhouse(panel: Panel) -> Json:
    over_time = panel.kind == "timeseries"
    return {
        "refId": "A", "datasource": CLICKHOUSE, "editorType": "sql", "rawSql": panel.sql.strip(),
        "queryType": "timeseries" if over_time else "table", "format": TIMESERIES if over_time else TABLE,
        "pluginVersion": "4.0.0",
    }


def _defaults(panel: Panel) -> Json:
    made: Json = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in panel.steps]},
        "color": {"mode": "palette-classic" if panel.kind in ("timeseries", "barchart") else "thresholds"},
        "custom": _custom(panel), "mappings": [], "noValue": "none",
    }
    for name, value in (("min", panel.low), ("max", panel.high), ("decimals", panel.decimals)):
        if value is not None:
            made[name] = value
    return made


def _custom(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "drawStyle": "bars" if panel.bars else "line", "lineWidth": 1, "showPoints": "never", "spanNulls": False,
            "fillOpacity": 60 if panel.bars else 20 if panel.stack else 8,
            "stacking": {"mode": "normal" if panel.stack else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if len(panel.steps) > 1 else "off"},
        }
    return {"fillOpacity": 70} if panel.kind in ("barchart", "state-timeline") else {}


def _options(panel: Panel) -> Json:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "timeseries":
        legend = {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "stat":
        return {"reduceOptions": last, "colorMode": "background", "graphMode": "area", "textMode": "auto",
                "justifyMode": "auto", "orientation": "auto"}
    if panel.kind == "bargauge":
        return {"reduceOptions": {**last, "values": bool(panel.sql)}, "orientation": "horizontal",
                "displayMode": "basic", "showUnfilled": True}
    if panel.kind == "barchart":
        return {"orientation": "horizontal", "showValue": "auto", "stacking": "normal" if panel.stack else "none",
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
    if panel.kind == "state-timeline":
        return {"showValue": "never", "mergeValues": True, "legend": {"displayMode": "list", "placement": "bottom"}}
    return {"showHeader": True, "cellHeight": "sm"}


def _unit(name: str, unit: str) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}


def _sources(chosen: Board) -> list[Json]:
    kinds = {"prometheus": PROMETHEUS["type"], "clickhouse": CLICKHOUSE["type"]}
    return [{"name": name, "label": name.title(), "type": "datasource", "query": kinds[name], "hide": 0, "refresh": 1,
             "current": {"text": name, "value": name}, "regex": "", "multi": False, "includeAll": False, "options": []}
            for name in chosen.sources]


def _variable(one: Variable) -> Json:
    query: str | Json = one.sql or {"query": f"label_values({one.series}, {one.of})", "refId": "StandardVariableQuery"}
    return {
        "name": one.name, "label": one.label, "type": "query", "datasource": CLICKHOUSE if one.sql else PROMETHEUS,
        "query": query, "definition": one.sql or f"label_values({one.series}, {one.of})", "refresh": 2, "sort": 1,
        "hide": 0, "regex": "", "multi": one.multi, "includeAll": one.multi, "allValue": None if one.sql else ".*",
        "current": {"text": "All", "value": "$__all"} if one.multi else {}, "options": [],
    }


_RUNBOOKS: Json = {
    "name": "runbooks", "label": "Runbooks at", "type": "textbox", "query": "/public/runbooks", "hide": 0,
    "current": {"text": "/public/runbooks", "value": "/public/runbooks"}, "options": [],
}
"""Where docs/runbooks is served; deploy/grafana/README.md."""


def _pages() -> Json:
    """Alerts that page, drawn into every graph."""
    return {
        "name": "Pages", "enable": True, "iconColor": RED, "datasource": PROMETHEUS, "step": "10s",
        "expr": 'max by (alertname) (ALERTS{alertstate="firing",severity="page",deployment=~"$deployment|"})',
        "titleFormat": "{{alertname}}",
    }


DEPLOYMENT = Variable("deployment", "Deployment", 'up{job=~"onethread-.*"}', "deployment", multi=False)
HERE = 'deployment="$deployment"'
"""The matcher that every PromQL of a board carries."""


def rate(metric: str, by: str, matchers: str = "") -> str:
    """PromQL: a counter a second, summed by labels."""
    return f"sum by ({by}) (rate({metric}{{{HERE}{matchers}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str, matchers: str = "") -> str:
    """PromQL: a quantile of a histogram by labels."""
    inner = ", ".join(filter(None, ("le", by)))
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', inner, matchers)})"
