"""A transactional producer in memory, with the calls that the commit makes.

As librdkafka's: what is produced goes out by itself at some later moment, before or after the offsets, at the latest
with the commit; records of one partition keep their order. Each thing it does to the outside is a step of the world,
at which its process may die or stand still.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

from confluent_kafka import TopicPartition
from faust.types import TP

from tests.simulation.agents.kafka import AT_THE_END, Broker, Transaction

Step = Callable[[str], None]


class Producer:
    """What `confluent_kafka.Producer` is to a Committer."""

    def __init__(self, broker: Broker, random: Random, step: Step, name: str) -> None:
        self._broker, self._random, self._step, self._name = broker, random, step, name
        self._epoch = 0
        self._transaction: Transaction | None = None
        self._queues: dict[TP, deque[tuple[bytes | None, bytes | None, Any]]] = {}
        self._delivered: list[tuple[Any, Any]] = []

    def init_transactions(self, _timeout_s: float) -> None:
        self._step("start of the producer")
        self._epoch = self._broker.init(self._name)

    def begin_transaction(self) -> None:
        assert not self._queues, "records of an earlier transaction were never sent"
        self._step("begin of a transaction")
        self._transaction = self._broker.begin(self._name, self._epoch)

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, on_delivery: Any = None,
    ) -> None:
        assert self._transaction is not None, "outside of a transaction"
        if self._queues and self._random.random() < 0.01:
            raise BufferError
        self._queues.setdefault(TP(topic, partition), deque()).append((key, value, on_delivery))
        if self._random.random() < 0.05:
            self._send(1)

    def poll(self, _timeout_s: float) -> None:
        self._send(self._random.randint(0, 1))
        delivered, self._delivered = self._delivered, []
        for on_delivery, message in delivered:
            on_delivery(None, message)

    def send_offsets_to_transaction(self, offsets: list[TopicPartition], membership: bytes, _timeout_s: float) -> None:
        self._send(self._random.choice([0, 0, 1, 9]))
        self._step("offsets")
        assert self._transaction is not None
        self._broker.send_offsets(self._transaction, {TP(o.topic, o.partition): o.offset for o in offsets}, membership)

    def commit_transaction(self, _timeout_s: float) -> None:
        assert self._transaction is not None
        self._send(len(self._queues), AT_THE_END)
        self._step("commit")
        self._broker.end(self._transaction, "committing")
        self._transaction = None
        self._step("answer to the commit")

    def abort_transaction(self, _timeout_s: float) -> None:
        self._queues.clear()
        if self._transaction is not None:
            self._step("abort")
            self._broker.end(self._transaction, "aborting")

    def _send(self, partitions: int, at: str = "") -> None:
        """All that waits for some of the partitions, each in one request."""
        for _ in range(min(partitions, len(self._queues))):
            tp = self._random.choice(list(self._queues))
            self._step("records")
            self._broker.check(self._name, self._epoch, at)
            for key, value, on_delivery in self._queues.pop(tp):
                offset = self._broker.append(tp, key, value, self._transaction)
                if on_delivery is not None:
                    self._delivered.append((on_delivery, _message(tp, offset)))


def _message(tp: TP, offset: int) -> Any:
    return SimpleNamespace(partition=lambda: tp.partition, offset=lambda: offset)
