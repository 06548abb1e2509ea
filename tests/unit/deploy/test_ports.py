"""Addresses follow the environment."""

from pathlib import Path

import pytest

from deploy.local.ports import PORTS, WORKERS_MAX, Addresses
from streams.errors import UsageError


def test_an_empty_environment_names_the_default_stack() -> None:
    addresses = Addresses.from_environ({})
    assert (addresses.home, addresses.base) == (Path.cwd() / ".onethread", 19000)
    assert addresses.kafka_bootstrap == "127.0.0.1:19003"
    assert addresses.clickhouse_url == "http://127.0.0.1:19001"
    assert addresses.registry_url == "http://127.0.0.1:19002/apis/ccompat/v7"


def test_home_and_base_are_taken_from_the_environment() -> None:
    addresses = Addresses.from_environ({"ONETHREAD_HOME": "/srv/one", "ONETHREAD_PORT_BASE": "20000"})
    assert addresses.environ() == {"ONETHREAD_HOME": "/srv/one", "ONETHREAD_PORT_BASE": "20000"}
    assert addresses.metrics_url(3) == "http://127.0.0.1:20013/metrics"


def test_addresses_from_outside_replace_those_of_the_base() -> None:
    addresses = Addresses.from_environ({
        "ONETHREAD_KAFKA": "broker.example.com:9092",
        "ONETHREAD_REGISTRY": "https://registry.example.com",
        "ONETHREAD_CLICKHOUSE": "https://clickhouse.example.com:8443",
    })
    assert addresses.kafka_bootstrap == "broker.example.com:9092"
    assert addresses.registry_url == "https://registry.example.com"
    assert addresses.clickhouse_url == "https://clickhouse.example.com:8443"


def test_kafka_is_every_broker_that_was_set_up(tmp_path: Path) -> None:
    """Else nobody could start while the first of three is away."""
    addresses = Addresses(tmp_path, 20000)
    assert addresses.kafka_bootstrap == "127.0.0.1:20003", "before the first start"
    for node in range(3):
        addresses.broker_properties(node).parent.mkdir(exist_ok=True)
        addresses.broker_properties(node).touch()
    assert addresses.kafka_bootstrap == "127.0.0.1:20003,127.0.0.1:20006,127.0.0.1:20008"


@pytest.mark.parametrize("base", ["80", "65500", "many", "-1"])
def test_a_base_without_forty_ports_is_refused(base: str) -> None:
    with pytest.raises(UsageError, match="ONETHREAD_PORT_BASE"):
        Addresses.from_environ({"ONETHREAD_PORT_BASE": base})


def test_no_two_parts_share_a_port_and_all_lie_within_forty() -> None:
    a = Addresses(Path("/srv"), 19000)
    ports = [a.collector, a.clickhouse_http, a.registry, a.portal, *a.broker(0), *a.broker(1), *a.broker(2),
             *(a.worker_metrics(i) for i in range(WORKERS_MAX))]
    assert len(set(ports)) == len(ports)
    assert {port - a.base for port in ports} <= set(range(PORTS))
