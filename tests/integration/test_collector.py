"""Events by HTTP on real services: what was answered 200 arrives, whoever is killed; one id is one event."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.collector import keys
from deploy.local import downloads, kafka, parts, records, topics
from deploy.local.ports import Addresses
from deploy.local.settle import drained
from schemas.records import CHANNEL_EVENT
from schemas.registry import register_all
from schemas.wire import HEAD_BYTES
from sinks.clickhouse.client import connect
from streams.settings import load
from streams.topics import Topics
from tests.conftest import free_base, supervised
from tests.integration.pipeline import await_rest

PATIENCE_S = 120.0


class Sdk:
    """A client that sends a batch again until it is answered 200, as SDKs do."""

    def __init__(self, addresses: Addresses) -> None:
        self._url = addresses.collector_url
        self._auth = (keys.local(addresses.home), "")
        self.accepted: list[str] = []
        """Message ids in the order of their answers."""
        self.refused = 0

    def send(self, *calls: dict[str, Any]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = httpx.post(f"{self._url}/v1/batch", auth=self._auth, json={"batch": calls}, trust_env=False)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                break
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        self.accepted += [call["messageId"] for call in calls]
        self.refused += len(answer.json()["refused"])


def viewed(name: str) -> dict[str, Any]:
    return {"type": "page", "messageId": name, "anonymousId": f"visitor-{name}", "timestamp": "2026-02-05T10:00:00Z"}


def kill(addresses: Addresses, part: str) -> None:
    record = records.read(addresses.home, part)
    assert record
    os.kill(record.pid, signal.SIGKILL)


@pytest.mark.stack
def test_calls_reach_the_views_though_the_collector_is_killed(running_stack: Addresses) -> None:
    client, sdk = connect(running_stack.clickhouse_url), Sdk(running_stack)
    for number in range(20):
        sdk.send(*(viewed(f"killed-{number}-{n}") for n in range(10)))
        if number in (5, 12):
            kill(running_stack, parts.COLLECTOR)
    sdk.send(viewed("killed-last"), viewed("killed-bad") | {"timestamp": "1990-01-01T00:00:00Z"})
    assert sdk.refused == 1
    assert drained(running_stack.collector_url, PATIENCE_S)
    await_rest(running_stack)
    found = client.query("SELECT event_id FROM onethread.touchpoints WHERE startsWith(event_id, 'local:killed-')")
    assert {row[0] for row in found.result_rows} == {f"local:{name}" for name in sdk.accepted} - {"local:killed-bad"}
    assert len(found.result_rows) == 201
    letters = client.query("SELECT reason, topic FROM onethread.dead_letters WHERE event_id = 'local:killed-bad'")
    assert letters.result_rows == [("too_early", None)]


@pytest.fixture
def small(tmp_path: Path, broker: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Addresses]:
    """A Kafka of its own, to be killed, and the collector, supervised; the session's registry."""
    monkeypatch.setenv("ONETHREAD_REGISTRY", broker.registry_url)
    addresses = Addresses(tmp_path, free_base(), (("REGISTRY", broker.registry_url),))
    services = kafka.parts(addresses, 1, downloads.kafka_jars())
    with supervised(tmp_path, [*services, parts.collector(addresses)]):
        settings = load(tmp_path)
        topics.create(addresses.kafka_bootstrap, settings)
        register_all(addresses.registry_url, Topics(), ["web"])
        yield addresses


@pytest.mark.stack
def test_while_kafka_is_away_everything_is_kept_in_order(small: Addresses) -> None:
    """Also when the collector is killed in the middle, with records on their way."""
    sdk = Sdk(small)
    sdk.send(*(viewed(f"before-{n}") for n in range(50)))
    kill(small, "kafka")
    for number in range(20):
        sdk.send(*(viewed(f"away-{number}-{n}") for n in range(50)))
        if number == 10:
            kill(small, parts.COLLECTOR)
    assert drained(small.collector_url, PATIENCE_S)
    sdk.send(viewed("after"))
    assert drained(small.collector_url, PATIENCE_S)
    found = partitions(small.kafka_bootstrap, "events.web")
    order = {name: number for number, name in enumerate(sdk.accepted)}
    assert {name for names in found for name in names} == set(order)
    for names in found:
        first = list(dict.fromkeys(names))  # of what was sent twice, the first time
        assert first == sorted(first, key=order.__getitem__)
    assert httpx.get(f"{small.collector_url}/readyz", trust_env=False).json()["waiting"] == 0


def partitions(bootstrap: str, topic: str) -> list[list[str]]:
    """The message ids of every partition, as they lie there."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "looks", "enable.auto.commit": False})
    found = []
    for number in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
        tp = TopicPartition(topic, number, 0)
        _, end = consumer.get_watermark_offsets(tp, timeout=30)
        consumer.assign([tp])
        values = []
        while len(values) < end:
            values += consumer.consume(end - len(values), 10)
        found.append([CHANNEL_EVENT.decode(v.value(), HEAD_BYTES)["event_id"].removeprefix("local:") for v in values])
    consumer.close()
    return found
