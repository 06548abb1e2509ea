"""Pages of metrics, read as Prometheus would read them."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cli.scraping import Scrape, parse


def page() -> str:
    registry = CollectorRegistry()
    Counter("onethread_a", "What.", ["topic"], registry=registry).labels('events."web"\\\n').inc(3)
    Gauge("onethread_b", "What.", registry=registry).set(1.795444950561e9)
    Gauge("onethread_c", "What.", ["x"], registry=registry).labels("y").set(math.inf)
    Histogram("onethread_d", "What.", ["stage", "step"], registry=registry).labels("load", "handle").observe(0.3)
    Gauge("other", "Nobody's.", registry=registry).set(1)
    return generate_latest(registry).decode()


def test_it_reads_what_the_library_reads() -> None:
    wanted = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page()) for sample in family.samples
        if sample.name.startswith("onethread_")
    }
    found = {(name, labels): value for name, series in parse(page()).items() for labels, value in series.items()}
    assert found == wanted


def test_processes_are_added_where_they_are_asked_for() -> None:
    one = parse('onethread_lag_records{topic="a",partition="0"} 2\nonethread_lag_records{topic="b",partition="0"} 5\n')
    two = parse('onethread_lag_records{topic="a",partition="1"} 3\n')
    scrape = Scrape(0, 0, {"worker-0": one, "worker-1": two})
    assert scrape.total("onethread_lag_records") == 10
    assert scrape.total("onethread_lag_records", topic="a") == 5
    assert scrape.by("topic", "onethread_lag_records") == {"a": 5, "b": 5}
    assert scrape.largest("onethread_lag_records", topic="a") == 3
    assert (scrape.largest("onethread_none"), scrape.total("onethread_none")) == (None, 0)
