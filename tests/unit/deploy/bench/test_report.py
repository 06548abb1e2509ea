"""The table of the benchmark: which figures, and their ratio to the floor."""

from typing import Any

import pytest

from deploy.bench.backlog import STAGES, Backlog
from deploy.bench.latency import quantile
from deploy.bench.report import figures, why_figures

DOCUMENT: dict[str, Any] = {
    "floor": {"cpu_us": 10.0, "events_s": 100_000.0, "bytes_mean": 476.0},
    "stitch": {"cpu_us": 40.0, "kiosk_cpu_us": 50.0, "kiosk_cluster": 40, "kiosk_person": 12},
    "pipeline": {
        "events_s": 8000.0, "sustained_s": 9000.0,
        "identifiers": 50_000, "cpu_us": {"worker": 110.0, "kafka": 20.0, "clickhouse": 30.0},
        "stages": {name: {"groups": 50, "records": 1500, "handle_ms": 90.4, "commit_ms": 12.0} for name in STAGES},
    },
    "latency": {"rate": 4000.0, "event": {"p50": 0.4, "p99": 1.5}, "merge": {"p50": 0.5, "p99": 1.75}},
    "memory_mib": {"worker": 300.0},
    "restore": {"records": 600_000, "seconds": 3.0, "cpu_s": 2.0, "start_s": 4.0},
}


def test_the_table_gives_each_figure_beside_its_goal_and_the_floor() -> None:
    table = {figure.name: figure for figure in figures(DOCUMENT)}
    assert table["stitch, decoded event to facts"].measured == "40 µs CPU an event"
    assert table["stitch, decoded event to facts"].of_floor == 0.25
    assert table["end to end, Kafka to rows in ClickHouse"].of_floor == pytest.approx(0.08)
    assert table["a group of load in the worker"].measured == "1,500 records: 90 ms work, 12 ms commit"
    assert table["restore of a lost store"].measured == "200,000 keys/s (600,000 in 3.0 s), 300,000 a CPU second"
    assert table["produced to visible in SQL at 4,000 events/s"].measured == "p50 0.40 s, p99 1.50 s"


def test_a_restore_too_short_to_measure_shows_no_rate() -> None:
    document = {**DOCUMENT, "restore": {"records": 10, "seconds": 0.1, "cpu_s": 0.1, "start_s": 4.0}}
    assert figures(document)[-1].measured == "10 keys in under 0.5 s"


def test_rows_that_come_all_at_once_show_no_sustained_rate() -> None:
    document = {**DOCUMENT, "pipeline": {**DOCUMENT["pipeline"], "sustained_s": None}}
    [figure] = [figure for figure in figures(document) if "sustained" in figure.name]
    assert (figure.measured, figure.of_floor) == ("too few events to tell", None)


@pytest.mark.parametrize(("middle_s", "rate"), [(0.0, None), (0.75, None), (1.0, 800.0), (4.0, 200.0)])
def test_the_sustained_rate_is_of_a_time_that_looks_can_tell(middle_s: float, rate: float | None) -> None:
    assert Backlog(5.0, middle_s, {}, 0, 0, {}, 0).sustained_s(1000) == rate


def test_the_table_of_why_names_the_floor_and_the_share_of_it() -> None:
    document = {"hops": 10, "floor": {"p50": 0.2, "p99": 0.3}, "why": {"p50": 0.8, "p99": 0.95}}
    assert [(row.name, row.measured, row.of_floor) for row in why_figures(document)] == [
        ("floor: `onethread sql`, an empty question", "p50 0.20 s, p99 0.30 s", 1.0),
        ("`onethread why`, 10 hops apart", "p50 0.80 s, p99 0.95 s", 0.25),
    ]


def test_a_quantile_is_a_value_that_occurred() -> None:
    assert quantile([1.0], 0.99) == 1.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert quantile([float(n) for n in range(100)], 0.99) == 99.0
