"""What a dashboard shows is held against the checker's counts, panel by panel."""

import re

import pytest

from deploy.grafana.overview import BOARD
from tests.chaos.dashboards import PANELS, differing, shown, totals

BOOKS = {"in": 12, "touchpoints": 10, "duplicates": 2, "difference": 0}


class Told:
    """A Prometheus that tells the same to every question."""

    def __init__(self, **by_entry):
        self.asked = []
        self._series = [{"metric": {"entry": entry}, "value": [0, str(n)]} for entry, n in by_entry.items()]

    def query(self, promql):
        self.asked.append(promql)
        return self._series


def test_a_panel_shows_the_figures_of_its_queries_by_legend():
    prometheus = Told(touchpoints=10, duplicates=2)
    assert shown(prometheus, PANELS["Books"]) == {"touchpoints": 10, "duplicates": 2}
    assert prometheus.asked == ['onethread_books{deployment="local",entry!~"in|difference"}']


@pytest.mark.parametrize(("found", "said"), [
    ({"a": 1, "b": 2, "c": 0}, []),
    ({"a": 1, "b": 3}, ["b: 3 shown, 2 counted"]),
    ({"a": 1}, ["b: 0 shown, 2 counted"]),
    ({"a": 1, "b": 2, "d": 4}, ["d: 4 shown, 0 counted"]),
    ({}, ["nothing is shown"]),
])
def test_a_figure_that_is_another_too_many_or_not_there_is_noticed(found, said):
    assert differing(found, {"a": 1, "b": 2}) == said


def test_every_panel_of_the_overview_that_states_a_total_is_compared():
    """Asked at one moment and not over a time: totals, but for what fires and for the parts, which are states."""
    asked = {panel.title: " ".join(query.expr for query in panel.queries)
             for row in BOARD.rows for panel in row.panels if panel.kind in ("stat", "timeseries")}
    stated = {title for title, exprs in asked.items() if not re.search(r"rate|changes|ALERTS|budget_left", exprs)}
    assert totals(BOOKS, 3).keys() == stated | {"onethread_books"}
