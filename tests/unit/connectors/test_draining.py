"""The drain: in order, nothing lost whatever the broker does, nothing forgotten before its acknowledgement."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import draining
from connectors.draining import Drain
from connectors.spool import Spool, Spooled
from schemas.records import CHANNEL_EVENT, Record
from schemas.wire import HEAD_BYTES, schema_id
from streams.errors import OneThreadError, Retryable

PATIENCE_S = 5.0


class Broker:
    """Keeps what producers give it; away, slow or refusing when told so."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.producers = 0
        self.is_away = False
        self.refuses: set[bytes] = set()

    def producer(self, config: dict[str, Any]) -> "Producer":
        self.producers += 1
        assert config["enable.idempotence"]
        return Producer(self)


class Producer:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.queue: list[tuple[bytes, Any]] = []

    def produce(self, topic: str, value: bytes, key: bytes | None, on_delivery: Any) -> None:
        assert (topic, schema_id(value), key) == ("events.web", 7, b"key")
        self.queue.append((value[HEAD_BYTES:], on_delivery))

    def poll(self, timeout_s: float) -> int:
        if self.broker.is_away or not self.queue:
            time.sleep(timeout_s)
            return 0
        value, on_delivery = self.queue.pop(0)
        if value in self.broker.refuses:
            on_delivery(SimpleNamespace(str=lambda: "no such topic"), None)
        else:
            self.broker.taken.append(value)
            on_delivery(None, None)
        return 1

    def flush(self, _timeout_s: float) -> int:
        while self.queue and not self.broker.is_away:
            self.poll(0)
        return len(self.queue)

    def purge(self) -> None:
        self.queue.clear()


class Schemas:
    failure: Exception | None = None

    def id_of(self, _topic: str, _record: Record) -> int:
        if self.failure:
            raise self.failure
        return 7


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.db")


@pytest.fixture
def schemas() -> Schemas:
    return Schemas()


@pytest.fixture
def drain(spool: Spool, broker: Broker, schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drain]:
    monkeypatch.setattr(draining, "PAUSES_S", (0.02,))
    made = Drain(spool, "kafka:1", schemas, broker.producer)  # type: ignore[arg-type]
    made.start()
    yield made
    made.stop()


def append(spool: Spool, *numbers: int) -> list[bytes]:
    values = [str(number).encode() for number in numbers]
    spool.append([Spooled("events.web", b"key", value, CHANNEL_EVENT) for value in values])
    return values


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_waits_and_what_comes_is_sent_in_order_and_forgotten(spool: Spool, broker: Broker, drain: Drain) -> None:
    values = append(spool, *range(1500))
    drain.wake()
    until(lambda: spool.depth.records == 0)
    values += append(spool, *range(1500, 1600))
    drain.wake()
    until(lambda: spool.depth.records == 0)
    assert broker.taken == values
    assert (drain.sent, broker.producers) == (1600, 1)


def test_a_broker_that_is_away_costs_a_window_of_memory_and_no_record(
    spool: Spool, broker: Broker, drain: Drain, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "WINDOW_RECORDS", 20)
    monkeypatch.setattr(draining, "READ_RECORDS", 10)
    broker.is_away = True
    values = append(spool, *range(100))
    drain.wake()
    time.sleep(0.1)
    assert (spool.depth.records, broker.taken) == (100, [])
    broker.is_away = False
    until(lambda: spool.depth.records == 0)
    assert broker.taken == values


def test_a_record_that_is_refused_is_sent_anew_with_all_behind_it(spool: Spool, broker: Broker, drain: Drain) -> None:
    broker.refuses = {b"3"}
    append(spool, *range(6))
    drain.wake()
    until(lambda: broker.producers > 2)
    assert spool.first == 4
    assert drain.problem == "Kafka does not take a record for events.web: no such topic"
    broker.refuses = set()
    until(lambda: spool.depth.records == 0)
    assert broker.taken[-3:] == [b"3", b"4", b"5"]
    assert drain.problem == ""


@pytest.mark.parametrize("failure", [Retryable("the registry is away"), OneThreadError("no such subject")])
def test_without_a_registry_records_wait(
    spool: Spool, broker: Broker, schemas: Schemas, drain: Drain, failure: Exception,
) -> None:
    schemas.failure = failure
    values = append(spool, 1, 2)
    drain.wake()
    until(lambda: drain.problem == str(failure))
    assert broker.taken == []
    schemas.failure = None
    until(lambda: spool.depth.records == 0)
    assert broker.taken == values


def test_a_stop_waits_for_what_is_on_its_way_and_keeps_the_rest(spool: Spool, broker: Broker, drain: Drain) -> None:
    append(spool, *range(10))
    drain.wake()
    drain.stop()
    assert len(broker.taken) + spool.depth.records == 10
