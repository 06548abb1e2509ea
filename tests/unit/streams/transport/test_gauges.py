"""What a look of the watch tells, and what it takes back when partitions leave."""

from types import SimpleNamespace
from typing import Any

from faust.types import TP

from streams import metrics
from streams.transport.gauges import SIZES_S, Gauges

FACTS, EVENTS, CHANGELOG = TP("g.facts", 7), TP("g.events", 8), TP("g.changelog", 7)


class Store:
    def __init__(self) -> None:
        self.open = {7: (1000, 10)}

    def partitions(self) -> list[int]:
        return list(self.open)

    def size(self, number: int) -> tuple[int, int]:
        return self.open[number]


def app(left: dict[TP, int], looks: list[Any] | None = None) -> Any:
    agents = {name: SimpleNamespace(channel=SimpleNamespace(topics=[name])) for name in ("g.facts", "g.events")}
    return SimpleNamespace(
        rebalancing=False, agents=agents, looks=looks or [], conf=SimpleNamespace(topic_partitions=4),
        tables=SimpleNamespace(actives_ready=True, recovery=SimpleNamespace(
            active_left=lambda: left, progress=lambda: (63, 12),
            standby_left=lambda ends: {TP("g.changelog", 9): ends[CHANGELOG] - 5},
        )),
        consumer=SimpleNamespace(
            membership="member", assignment=lambda: {FACTS, EVENTS, CHANGELOG}, ends=lambda: {CHANGELOG: 12},
            topic_partitions=lambda topic: {"g.facts": 6}.get(topic),
        ),
    )


def value(name: str, **labels: str) -> float | None:
    return metrics.WORKER.get_sample_value(f"onethread_{name}", labels)


def test_every_partition_is_told_and_taken_back_when_it_leaves() -> None:
    store, looks = Store(), []
    gauges = Gauges(store)
    lags = {FACTS: (3, 10), EVENTS: (4, 4)}
    gauges.tell(app({CHANGELOG: 55}, [looks.append]), lags, {FACTS: 2.5}, 100)
    assert value("lag_records", topic="g.facts", partition="7") == 7
    assert value("stalled_seconds", topic="g.facts", partition="7") == 2.5
    assert value("stalled_seconds", topic="g.events", partition="8") == 0
    assert (value("partitions_assigned"), value("partitions_expected")) == (2, 6 + 4)
    assert value("recovery_records_left", partition="7") == 55
    assert value("standby_lag_records", partition="9") == 7
    assert (value("state_bytes", partition="7"), value("state_keys", partition="7")) == (1000, 10)
    assert value("worker_ready") == 1
    assert looks == [lags]
    store.open = {}
    gauges.tell(app({}), {EVENTS: (4, 4)}, {}, 100 + SIZES_S)
    assert value("lag_records", topic="g.facts", partition="7") is None
    assert value("stalled_seconds", topic="g.facts", partition="7") is None
    assert value("recovery_records_left", partition="7") is None
    assert value("state_bytes", partition="7") is None


def test_a_worker_that_is_slow_to_start_is_looked_at_without_asking_what_is_not_there() -> None:
    """On a loaded machine a look comes before the consumer's thread has a consumer."""
    def not_started() -> None:
        raise RuntimeError("Consumer thread not yet started")

    starting = app({})
    starting.consumer = SimpleNamespace(membership=None, assignment=not_started, ends=not_started)
    Gauges(Store()).tell(starting, {}, {}, 100)


def test_sizes_are_asked_for_now_and_then() -> None:
    store = Store()
    gauges = Gauges(store)
    gauges.tell(app({}), {}, {}, 100)
    store.open = {7: (2000, 20)}
    gauges.tell(app({}), {}, {}, 100 + SIZES_S - 0.1)
    assert value("state_bytes", partition="7") == 1000
    gauges.tell(app({}), {}, {}, 100 + SIZES_S)
    assert value("state_bytes", partition="7") == 2000
