"""Whether the pipeline has come to rest: every record of every stage consumed, and its consequences too.

A stage's inputs, outputs and offsets are committed in one Kafka transaction, so a consumed input has its outputs in
the log; the load stage commits only what ClickHouse has. The end of a topic may consist of transaction markers, which
are no records: a partition is settled when a reader of committed records, started at the group's offset, meets no
record before the high water. The stages are looked at in the order of the pipeline, and because `identity` feeds
itself, twice, with nothing new in between.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec

from streams import connections, reaching
from streams.connections import kafka_config
from streams.core import reference
from streams.core.channels import registry
from streams.settings import Settings
from streams.topics import Topics

POLL_S = 0.1
REQUEST_S = 15.0
TAIL_S_MAX = 5.0
FETCH_BYTES = 16 << 10
"""One record of a partition answers the question; the rest of a backlog is for the workers to read."""

ROUNDS_MAX = 15
"""Where somebody goes on producing, rest never comes. What was produced before the call is through when each stage has
read on to where its input ended, so many times over: an event's messages make a few hops between nodes."""

Partition = tuple[str, int]


def settle(
    bootstrap: str, settings: Settings, timeout_s: float = 300.0, say: Callable[[dict[str, int]], object] = bool,
) -> dict[str, int]:
    """Wait until everything produced before the call is consumed by every stage.

    Returns an empty dict when settled, else topic -> records left when the time was over; `say` is told the same at
    every look in between.
    Errors: OneThreadError where Kafka does not answer.
    """
    deadline = time.monotonic() + timeout_s
    pipeline = Pipeline(bootstrap, settings)
    try:
        seen: dict[Partition, int] | None = None
        goal, rounds = pipeline.ends(), 0
        while True:
            ends, lagging, unread = pipeline.look(goal)
            if not lagging and ends == seen:
                return {}
            if not unread:
                goal, rounds = ends, rounds + 1
            if rounds > ROUNDS_MAX:
                return {}
            seen = None if lagging else ends
            if time.monotonic() > deadline:
                return lagging
            say(lagging)
            time.sleep(POLL_S)
    except KafkaException as error:
        raise reaching.no_answer(bootstrap, error) from error
    finally:
        pipeline.close()


def drained(collector_url: str, timeout_s: float, say: Callable[[dict[str, int]], object] = bool) -> bool:
    """Wait until Kafka has what the collector had accepted before the call; whether it has."""
    deadline, goal = time.monotonic() + timeout_s, -1
    while True:
        state = spool(collector_url)
        if state is not None:
            goal = state["last"] if goal < 0 else goal
            if state["first_waiting"] > goal:
                return True
            say({"collector": goal + 1 - state["first_waiting"]})
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)


def spool(collector_url: str) -> dict[str, Any] | None:
    """What the collector says of its spool, as `/readyz` does; None where it does not answer."""
    try:
        verify = connections.collector().verify_at(collector_url)
        return dict(httpx.get(f"{collector_url}/readyz", timeout=REQUEST_S, trust_env=False, verify=verify).json())
    except (httpx.HTTPError, ValueError):
        return None


def lag(bootstrap: str, settings: Settings) -> dict[str, int]:
    """Records not yet consumed, by topic, settled topics included.

    Errors: KafkaException where Kafka does not answer.
    """
    pipeline = Pipeline(bootstrap, settings)
    try:
        _, lagging, _ = pipeline.look()
        return {topic: lagging.get(topic, 0) for topic in pipeline.topics}
    finally:
        pipeline.close()


class Pipeline:
    """The deployment's consumed topics and its consumer group, as Kafka tells of them."""

    def __init__(self, bootstrap: str, settings: Settings) -> None:
        names = Topics(settings.topic_prefix)
        self.group = f"{settings.topic_prefix}onethread"
        self.topics = [*settings.mappings, names.commands, *(names.events(c) for c in registry(settings.channels)),
                       names.identity, names.facts, names.history,
                       *(names.reference(name) for name in reference.TABLES), names.dead_letters]
        self._admin = reaching.admin(bootstrap)
        self._reader = Consumer({
            **kafka_config(bootstrap), "group.id": self.group, "isolation.level": "read_committed",
            "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest", "log_level": 0,
            "fetch.wait.max.ms": 10, "queued.min.messages": 1, "max.partition.fetch.bytes": FETCH_BYTES,
        })

    def close(self) -> None:
        self._reader.close()

    def ends(self) -> dict[Partition, int]:
        return self._offsets(OffsetSpec.latest())

    def look(
        self, goal: dict[Partition, int] | None = None,
    ) -> tuple[dict[Partition, int], dict[str, int], list[Partition]]:
        """(ends of all partitions, topic -> records left, partitions not read up to their goal).

        What is consumed is asked before where it ends.
        """
        consumed = self.consumed()
        ends = self.ends()
        starts = self._offsets(OffsetSpec.earliest())
        behind = {p: (max(consumed.get(p, 0), starts[p]), end) for p, end in ends.items()}
        behind = {p: span for p, span in behind.items() if span[0] < span[1]}
        left: dict[str, int] = {}
        unread: list[Partition] = []
        for partition in self._with_records(behind):
            start, end = behind[partition]
            left[partition[0]] = left.get(partition[0], 0) + end - start
            if goal and start < goal.get(partition, 0):
                unread.append(partition)
        return ends, {topic: left[topic] for topic in self.topics if topic in left}, unread

    def consumed(self) -> dict[Partition, int]:
        """The group's offsets; a partition it never committed is absent. Asking does not make us a member."""
        asked = [TopicPartition(topic, partition) for topic, partition in self._partitions()]
        found = self._reader.committed(asked, timeout=REQUEST_S) if asked else []
        return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def _offsets(self, spec: OffsetSpec) -> dict[Partition, int]:
        wanted = {TopicPartition(topic, partition): spec for topic, partition in self._partitions()}
        answers = self._admin.list_offsets(
            wanted, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=REQUEST_S,
        )
        return {(p.topic, p.partition): future.result().offset for p, future in answers.items()}

    def _partitions(self) -> list[Partition]:
        existing = self._admin.list_topics(timeout=REQUEST_S).topics
        return [(topic, p) for topic in self.topics if topic in existing for p in existing[topic].partitions]

    def _with_records(self, behind: dict[Partition, tuple[int, int]]) -> Iterable[Partition]:
        """Those of the partitions where a record, or an open transaction, lies between the two offsets."""
        if not behind:
            return ()
        self._reader.assign([TopicPartition(t, p, start) for (t, p), (start, _) in behind.items()])
        open_spans = dict(behind)
        empty: set[Partition] = set()
        deadline = time.monotonic() + TAIL_S_MAX
        while open_spans and time.monotonic() < deadline:
            message = self._reader.poll(0.2)
            if message is None:
                continue
            partition = (message.topic(), message.partition())
            span = open_spans.pop(partition, None)
            problem = message.error()
            if problem and problem.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(problem)
            if span and problem and message.offset() >= span[1]:
                empty.add(partition)
        self._reader.unassign()
        return [partition for partition in behind if partition not in empty]
