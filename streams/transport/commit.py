"""The commit: results, state and input offsets of a group of batches become true together, or not at all.

One Kafka transaction, then one RocksDB write a partition. `Committer._fill` and `Committer._end` are the order of it,
with the reason for each step. An error in it ends the process: the transaction is aborted by the next start, and the
input comes again. One exception: whose transaction others ended (`streams.transport.stable.fence`), because they took
this worker for gone, makes it again with a producer of its own. Whether it is still a member is the group's to say, at
step 4; a worker that left the group for every fence would be fenced again while it starts, and so for ever.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from faust.types import TP

from streams import metrics
from streams.connections import kafka_config
from streams.transport.failures import Failures
from streams.transport.membership import Membership

TRANSACTION_TIMEOUT_MS = 15_000
"""How long a dead worker that does not come back can hold up the readers of what it was writing."""
CALL_TIMEOUT_S = 60.0
ABORT_TIMEOUT_S = 5.0
FENCED_MAX = 5
"""How often in one commit: by each of a handful of others that found this worker gone. More is another of its name."""

RECORD_BYTES_MAX = 2_000_000
"""The local stack takes 2 MiB; a record of results stays far below."""

CONFIG = {
    "enable.idempotence": True,
    "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
    "retry.backoff.ms": 5,         # with 100 a transaction waits that long for the markers of the one before
    "socket.nagle.disable": True,
    "linger.ms": 0,                # a group is already a batch
    "compression.type": "lz4",
    "batch.size": 1_000_000,
    "message.max.bytes": RECORD_BYTES_MAX,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 262_144,
    "log_level": 4,
}

log = structlog.get_logger()

T = TypeVar("T")


@dataclass
class Writes:
    """Changes of one partition's state. A key is in one of both."""

    puts: dict[bytes, bytes] = field(default_factory=dict)
    deletes: set[bytes] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.puts or self.deletes)


Outgoing = tuple[str, int, bytes | None, bytes | None]
"""(topic, partition, key, value); a key without a value is a tombstone."""


@dataclass
class Work:
    """What a handler made of a group. `offsets` are the group's (`Group.offsets`)."""

    records: list[Outgoing] = field(default_factory=list)
    writes: dict[int, Writes] = field(default_factory=dict)
    offsets: Mapping[TP, int] = field(default_factory=dict)


class StateStore(Protocol):
    """The part of `streams.state.store.Store` that a commit needs."""

    def write(self, partition: int, puts: Mapping[bytes, bytes], deletes: set[bytes], offset: int) -> None: ...


class Committer:
    """The one transactional producer of a worker; its agents commit in turn."""

    def __init__(
        self, brokers: str, transactional_id: str, changelog: str, store: StateStore, failures: Failures | None = None,
    ) -> None:
        self._config = {**CONFIG, **kafka_config(brokers), "transactional.id": transactional_id}
        self._producer, self._is_started = Producer(self._config), False
        self._changelog = changelog
        self._store = store
        self._failures = failures
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "commit")

    def start(self) -> None:
        """Fence the earlier self of this worker and abort what it left open. Before the worker joins its group."""
        self._unless_fenced(lambda: None)

    async def commit(self, work: Work, membership: Membership) -> None:
        """Make `work` true on behalf of `membership`, the one under which its input was read.

        Errors: KafkaException; the caller ends the process.
        """
        clock = Clock()
        async with self._lock:
            clock.lap("wait")
            await asyncio.get_running_loop().run_in_executor(self._thread, self._attempt, work, membership, clock)

    def _attempt(self, work: Work, membership: Membership, clock: "Clock") -> None:
        try:
            self._transact(work, membership, clock)
        except BaseException as error:
            # The process ends; readers of what it wrote need not wait for the transaction to time out.
            with contextlib.suppress(KafkaException):
                self._producer.abort_transaction(ABORT_TIMEOUT_S)
            self._note(error)
            raise
        metrics.COMMITS.inc()
        metrics.LAST_COMMIT.set_to_current_time()

    def _note(self, error: BaseException) -> None:
        if self._failures:
            with contextlib.suppress(OSError):  # a full disk must not hide why the commit failed
                self._failures.note(error)

    def _transact(self, work: Work, membership: Membership, clock: "Clock") -> None:
        last = self._unless_fenced(lambda: self._fill(work, membership, clock))
        self._end(work, last, clock)

    def _unless_fenced(self, call: Callable[[], T]) -> T:
        """What `call` gives, called again with a producer of its own where others end its transaction meanwhile."""
        times = 0
        while True:
            try:
                if not self._is_started:
                    self._producer.init_transactions(CALL_TIMEOUT_S)
                    self._is_started = True
                return call()
            except KafkaException as error:
                times += 1
                if times == FENCED_MAX or not _ended_by_others(error):
                    raise
                self._note(error)
                log.warning("fenced", error=error.args[0].name())
                self._producer, self._is_started = Producer(self._config), False

    def _fill(self, work: Work, membership: Membership, clock: "Clock") -> dict[int, int]:
        """A transaction with everything in it; by partition the last offset in the changelog, once it is committed."""
        # 1. Begin. Nothing of what follows is visible to readers (all read committed) before step 5.
        self._producer.begin_transaction()
        _die_at("begin")

        # 2. Results. In the transaction, so that a crash cannot leave them without their offset, nor double them.
        for topic, partition, key, value in work.records:
            produce(self._producer, topic, partition, key, value)
        clock.lap("records")
        _die_at("records")

        # 3. The changelog, keys and values as the store has them; a deletion is a tombstone. The broker tells where
        #    each record went: the last offset of a partition is what the store will have applied.
        last: dict[int, int] = {}

        def noted(error: Any, message: Any) -> None:
            if error is None:
                last[message.partition()] = message.offset()  # an idempotent producer's come in order

        for partition, writes in work.writes.items():
            for key, put in writes.puts.items():
                produce(self._producer, self._changelog, partition, key, put, noted)
            for key in writes.deletes:
                produce(self._producer, self._changelog, partition, key, None, noted)
            metrics.CHANGELOG_RECORDS.inc(len(writes.puts) + len(writes.deletes))
        clock.lap("changelog")
        _die_at("changelog")

        # 4. Input offsets, with the generation under which the input was read: the broker refuses a worker that was
        #    paused past its session, and the process ends here with nothing written.
        offsets = [TopicPartition(tp.topic, tp.partition, offset) for tp, offset in work.offsets.items()]
        self._producer.send_offsets_to_transaction(offsets, membership.to_bytes(), CALL_TIMEOUT_S)
        clock.lap("offsets")
        _die_at("offsets")
        return last

    def _end(self, work: Work, last: dict[int, int], clock: "Clock") -> None:
        # 5. Commit. It first delivers all records; from here on the group is done, whatever happens to this process.
        self._producer.commit_transaction(CALL_TIMEOUT_S)
        self._producer.poll(0)
        clock.lap("kafka")
        _die_at("commit")

        # 6. The store, last: it must never hold what Kafka may yet abort. One atomic write a partition, with the
        #    changelog offset inside. A crash before it is caught up from the changelog (a commit marker follows the
        #    last record, so the offset is not the end of the changelog; recovery knows).
        for partition, writes in work.writes.items():
            if not writes:
                continue
            self._store.write(partition, writes.puts, writes.deletes, last[partition])
            _die_at("store")
        clock.lap("store")


def produce(
    producer: Any, topic: str, partition: int, key: bytes | None, value: bytes | None, on_delivery: Any = None,
    **more: Any,
) -> None:
    """Hand a record to librdkafka, waiting for room in its queue. Errors: KafkaException where it is not taken."""
    while True:
        try:
            producer.produce(topic, value, key, partition, on_delivery=on_delivery, **more)
        except BufferError:  # the queue is full: let it drain
            producer.poll(0.01)
        else:
            return


def _ended_by_others(error: KafkaException) -> bool:
    """Who heard of it between two calls is refused its next record as `_FATAL`, an error that is not `fatal()`."""
    return bool(error.args[0].fatal() or error.args[0].code() == KafkaError._FATAL)


class Clock:
    """Tells the time of each step of one commit."""

    def __init__(self) -> None:
        self._at = time.perf_counter()

    def lap(self, step: str) -> None:
        """The step that began where the one before it ended is done."""
        now = time.perf_counter()
        _STEPS[step].observe(now - self._at)
        self._at = now


_STEPS = {
    step: metrics.COMMIT_SECONDS.labels(step) for step in ("wait", "records", "changelog", "offsets", "kafka", "store")
}

_deaths: dict[str, int] = {}


def _die_at(step: str) -> None:
    """For tests: kill this process at the nth passing of a step, ONETHREAD_DIE_AT=step:nth."""
    wanted = os.environ.get("ONETHREAD_DIE_AT")
    if wanted is None:
        return
    name, _, nth = wanted.partition(":")
    if name == step:
        _deaths[step] = _deaths.get(step, 0) + 1
        if _deaths[step] == int(nth or "1"):
            os.kill(os.getpid(), signal.SIGKILL)
