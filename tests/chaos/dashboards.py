"""Whether a Prometheus over the stack, and the overview of the dashboards, show what the checker counted.

Rates, latencies and what has fired are nobody's count; every panel of the overview that states a total is in `totals`.
"""

import contextlib
import re
import time
from collections.abc import Mapping

import httpx

from deploy.grafana.overview import BOARD
from deploy.grafana.panels import HERE, Panel, Query
from deploy.local.ports import PORTS, Addresses
from tests.large.alarms import Prometheus, watched

SHOWN_S_MAX = 300.0
"""Scrapes and rules take half a minute; the books are asked anew after twenty times what the last answer took."""
LOOK_S = 2.0
BOOKS = Panel("onethread_books", "Every entry, as it is scraped.", "none",
              [Query(f"onethread_books{{{HERE}}}", "{{entry}}")])
PANELS = {panel.title: panel for panel in (BOOKS, *(panel for row in BOARD.rows for panel in row.panels))}

Figures = dict[str, float]


def totals(books: Mapping[str, int], workers: int) -> dict[str, Figures]:
    """What each panel must show, by legend, at rest; what is not named must be 0."""
    return {
        BOOKS.title: dict(books),
        "Books": {entry: count for entry, count in books.items() if entry not in ("in", "difference")},
        "Books: difference": {},
        "Lag": {},
        "Workers ready": {"ready": workers},
        "Partitions without owner": {},
    }


def check(addresses: Addresses, books: Mapping[str, int], workers: int) -> dict[str, list[str]]:
    """A line for each figure that is another one, by panel."""
    found = {"dashboards": ["Prometheus does not answer"]}
    deadline = time.monotonic() + SHOWN_S_MAX
    with watched(addresses, addresses.base + PORTS) as prometheus:
        while any(found.values()) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
            with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):  # of a Prometheus that has just started
                found = {f"board: {title}": differing(shown(prometheus, PANELS[title]), figures)
                         for title, figures in totals(books, workers).items()}
    return found


def shown(prometheus: Prometheus, panel: Panel) -> Figures:
    """The figures of a panel at this moment, by legend."""
    return {
        _legend(query.legend, series["metric"]): float(series["value"][1])
        for query in panel.queries
        for series in prometheus.query(query.expr.replace("$deployment", "local"))
    }


def _legend(template: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda label: labels.get(label[1], ""), template)


def differing(found: Figures, want: Figures) -> list[str]:
    """A line for each figure that is not the one counted; a panel without any shows nothing of what it should."""
    if not found:
        return ["nothing is shown"]
    return [f"{name}: {found.get(name, 0):.0f} shown, {want.get(name, 0):.0f} counted"
            for name in sorted(found.keys() | want.keys()) if found.get(name, 0) != want.get(name, 0)]
