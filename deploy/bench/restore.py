"""How fast a worker that lost its store has it again from the changelog."""

import shutil
from dataclasses import dataclass

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from deploy.bench.stack import Worker
from deploy.local.ports import Addresses
from streams.connections import kafka_config
from streams.settings import Settings
from streams.transport.application import changelog_topic, new_app


@dataclass(frozen=True)
class Restore:
    """`seconds` is what the start takes longer without the store than with it; the gauge is set every half second."""

    records: int
    seconds: float
    start_s: float


def measure(addresses: Addresses, settings: Settings) -> Restore:
    """Start a worker with its store, then without; both are stopped at the end.

    Shape: the stack is settled and no worker runs. A first start takes over the partitions that others may have had.
    """
    _start_s(addresses)
    with_store_s = _start_s(addresses)
    state = addresses.home / "state"
    shutil.rmtree(state / "worker-0")
    without_s = _start_s(addresses)
    topic = changelog_topic(new_app(settings, addresses.kafka_bootstrap, 0, state))
    records = _records(addresses.kafka_bootstrap, topic, settings.partitions)
    return Restore(records, without_s - with_store_s, with_store_s)


def _start_s(addresses: Addresses) -> float:
    worker = Worker(addresses)
    try:
        return worker.await_ready()
    finally:
        worker.stop()


def _records(bootstrap: str, topic: str, partitions: int) -> int:
    """Offsets of the changelog, the markers of transactions included: one for thousands of records."""
    admin = AdminClient({**kafka_config(bootstrap), "log_level": 3})

    def offsets(spec: OffsetSpec) -> int:
        asked = {TopicPartition(topic, number): spec for number in range(partitions)}
        return sum(answer.result().offset for answer in admin.list_offsets(asked).values())

    return offsets(OffsetSpec.latest()) - offsets(OffsetSpec.earliest())
