"""How far a policy has come, as the workers' metrics tell it."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from cli.sweeping import parse


def test_each_partition_has_its_version_and_its_nodes() -> None:
    registry = CollectorRegistry()
    version = Gauge("onethread_policy_version", "v", ["partition"], registry=registry)
    swept = Gauge("onethread_policy_swept_nodes", "n", ["partition"], registry=registry)
    swept.labels("0").set(200)
    swept.labels("1").set(57)
    version.labels("1").set(4)
    assert parse(generate_latest(registry).decode()) == {"0": (0, 200), "1": (4, 57)}


def test_a_worker_that_does_not_answer_tells_nothing() -> None:
    assert parse("") == {}
