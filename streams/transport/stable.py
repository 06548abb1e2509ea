"""What the broker holds for certain: committed offsets and changelogs that no open transaction can still change.

A transaction whose commit has begun becomes visible partition by partition, and one whose owner died stays open until
its timeout. A new owner that reads in between would see new offsets with an old changelog, or the other way round, and
skip or repeat work. So it waits (KIP-447 for offsets; the last stable offset for changelogs).
"""

import time
from collections.abc import Collection

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from faust.types import TP

from streams.connections import kafka_config

WAIT_S = 60.0
"""Longer than a transaction may stay open (TRANSACTION_TIMEOUT_MS) and the broker's look-out for such (10 s)."""

PATIENCE_S = 0.5
"""A transaction of a living worker is over by then; what is still open was probably left by a dead one."""


def fence(brokers: str, transactional_id: str) -> None:
    """End what a dead worker left open: whoever starts with its transactional id aborts that, and fences it for good.

    Errors: KafkaException when the brokers do not answer.
    """
    Producer({
        **kafka_config(brokers), "transactional.id": transactional_id, "log_level": 3,
    }).init_transactions(WAIT_S)


def committed_offsets(brokers: str, group: str, tps: Collection[TP], wait_s: float = WAIT_S) -> dict[TP, int | None]:
    """The group's offsets, one request for all; None where nothing was committed.

    Waits while a transaction that carries offsets of these partitions is open.
    Errors: KafkaException when it stays open for `wait_s`.
    """
    if not tps:
        return {}
    consumer = Consumer({
        **kafka_config(brokers), "group.id": group, "isolation.level": "read_committed", "log_level": 3,
    })
    try:
        found = consumer.committed([TopicPartition(tp.topic, tp.partition) for tp in tps], timeout=wait_s)
    finally:
        consumer.close()
    for partition in found:
        if partition.error:
            raise KafkaException(partition.error)
    return {TP(p.topic, p.partition): p.offset if p.offset >= 0 else None for p in found}


def wait_until_settled(brokers: str, tps: Collection[TP], wait_s: float = WAIT_S) -> None:
    """Return when no transaction is open on `tps`: the last stable offset is the end.

    Errors: TimeoutError when one stays open for `wait_s`; the worker exits and tries again.
    """
    admin = AdminClient({**kafka_config(brokers), "log_level": 3})
    deadline = time.monotonic() + wait_s
    while tps:
        stable = _ends(admin, tps, IsolationLevel.READ_COMMITTED)
        ends = _ends(admin, tps, IsolationLevel.READ_UNCOMMITTED)
        tps = [tp for tp in tps if stable[tp] < ends[tp]]
        if tps and time.monotonic() > deadline:
            raise TimeoutError(f"a transaction on {sorted(tps)} stayed open for {wait_s:.0f} s")
        if tps:
            time.sleep(0.05)


def _ends(admin: AdminClient, tps: Collection[TP], isolation: IsolationLevel) -> dict[TP, int]:
    request = {TopicPartition(tp.topic, tp.partition): OffsetSpec.latest() for tp in tps}
    found = admin.list_offsets(request, isolation_level=isolation, request_timeout=WAIT_S)
    return {TP(p.topic, p.partition): future.result().offset for p, future in found.items()}
