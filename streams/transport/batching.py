"""The `batching://` transport: one Faust message is a run of Kafka records of one partition.

Rules it keeps, each with its reason in docs/decisions/0020:
- Faust commits nothing. Offsets are part of the transaction that carries the results (`streams.transport.commit`).
- While the group rebalances only changelogs are read: stock resumes the streams before it seeks them.
- A run is delivered when its agent has room, counted in records; the rest of a fetch is held here. Stock blocks the
  only fetch loop of the process when one agent's queue is full.
- Runs in flight and held are forgotten at every seek, revocation and assignment; they are read again.
- After a rebalance the streams start at stable offsets, asked for in one request.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiokafka
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode.utils.futures import notify

from streams.transport.membership import Membership
from streams.transport.ranges import Ranges
from streams.transport.stable import committed_offsets

BATCH_RECORDS_MAX = 2000
ROOM_RECORDS = 2000
"""An agent's queue takes another batch while it holds fewer records than this: two batches at most."""
assert BATCH_RECORDS_MAX <= ROOM_RECORDS

FETCH_WAIT_MS = 100
"""One fetch a broker is in flight; a partition emptied late waits this long. Faust has 1,500 written into it."""
PREFETCH_BACKOFF_S = 0.005
"""aiokafka's 0.1 holds up all partitions of a broker while one has records that were not taken yet."""
POLL_S = 0.02
"""How soon to look again where runs are held back."""


class Run(NamedTuple):
    """Records of one partition in order, and the consumer's position behind them."""

    records: list[ConsumerRecord]
    end: int


@dataclass(frozen=True, eq=False)
class Batch:
    """What an agent gets: records of one partition, the offset behind them, and on whose behalf they were read."""

    tp: TP
    records: list[ConsumerRecord]
    end: int
    membership: Membership

    def __len__(self) -> int:
        return len(self.records)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer."""

    membership: Membership | None = None

    async def on_start(self) -> None:
        await super().on_start()
        self._consumer._fetcher._prefetch_backoff = PREFETCH_BACKOFF_S

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Stock, with two arguments changed that it has no setting for."""
        real = aiokafka.AIOKafkaConsumer

        def build(**arguments: Any) -> Any:
            return real(**(arguments | {"fetch_max_wait_ms": FETCH_WAIT_MS, "isolation_level": "read_committed"}))

        driver.aiokafka.AIOKafkaConsumer = build
        try:
            return super()._create_worker_consumer(transport)
        finally:
            driver.aiokafka.AIOKafkaConsumer = real

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> dict[TP, Run]:
        fetched = await super()._fetch_records(consumer, *args, **kwargs)
        return {
            TP(tp.topic, tp.partition): Run(records, await consumer.position(tp))
            for tp, records in fetched.items() if records
        }

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        coordinator = self._consumer._coordinator
        self.membership = Membership(
            coordinator.group_id, generation_id, coordinator.member_id, coordinator._group_instance_id
        )
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_streams(self, offsets: dict[TP, int | None]) -> None:
        """Go to the committed offsets; where there is none, to the first record (stock would stay where it is)."""
        await self.call_thread(self._seek_streams, offsets)

    async def _seek_streams(self, offsets: dict[TP, int | None]) -> None:
        for tp, offset in offsets.items():
            if offset is not None:
                self._consumer.seek(tp, offset)
        fresh = [driver.ensure_aiokafka_TP(tp) for tp, offset in offsets.items() if offset is None]
        if fresh:
            await self._consumer.seek_to_beginning(*fresh)


class Consumer(driver.Consumer):
    """Faust's consumer, delivering batches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ranges: defaultdict[TP, Ranges] = defaultdict(Ranges)
        self._held: dict[TP, deque[Run]] = {}
        self._done: dict[TP, int] = {}
        self.waits_for_outside = 0
        """Agents that wait for the outside world on purpose (`streams.transport.loop`)."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def membership(self) -> Membership | None:
        thread: ConsumerThread = self._thread
        return thread.membership

    # -- fetching

    async def getmany(  # Faust names the argument
        self, timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One fetch: changelog records go to the recovery, stream records are delivered as far as there is room."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        if self.should_stop:
            return
        membership = self.membership
        fetched = await self._fetch(timeout)
        if self.should_stop or self._left(membership):
            return
        recovery = self.app.tables.recovery
        if self.app.in_recovery and not fetched:
            await recovery.check_tails()
        for tp, run in fetched.items():
            if self._is_changelog_tp(tp):
                await recovery.apply_records(tp, run.records)
            else:
                self._held[tp] = deque(_slices(run))
        for tp in self._deliverable():
            if self._left(membership):
                return
            assert membership is not None
            run = self._take(tp)
            self.ranges[tp].deliver(run.records[0].offset, run.end)
            yield tp, self._message(Batch(tp, run.records, run.end, membership))

    def _left(self, membership: Membership | None) -> bool:
        """Has the group moved on since `membership`? Then what was fetched is not ours to deliver."""
        return not self.flow_active or self.membership is not membership

    async def _fetch(self, wait: float) -> dict[TP, Run]:
        wanted = set()
        for tp in self._get_active_partitions():
            if self._is_changelog_tp(tp):
                wanted.add(tp)
            elif self.app.rebalancing:
                continue
            elif tp in self._held or not self._has_room(tp):
                wait = min(wait, POLL_S)
            else:
                wanted.add(tp)
        if self.app.in_recovery:
            wait = min(wait, 0.25)
        if wanted:
            fetched: dict[TP, Run] = await self._getmany(active_partitions=wanted, timeout=wait)
            return fetched
        await asyncio.sleep(min(wait, POLL_S))  # an empty set would make aiokafka return every partition
        return {}

    def _has_room(self, tp: TP) -> bool:
        for channel in self.app.topics._tp_index.get(tp, ()):
            queue = channel.queue
            if queue.full() or sum(len(event.value) for event in queue._queue) >= ROOM_RECORDS:
                return False
        return True

    def _deliverable(self) -> Iterable[TP]:
        """Partitions with a held run and room for it, in turn, until neither is left."""
        progress = True
        while progress:
            progress = False
            for tp in list(self._held):
                if tp in self._held and self._has_room(tp):
                    progress = True
                    yield tp

    def _take(self, tp: TP) -> Run:
        run = self._held[tp].popleft()
        if not self._held[tp]:
            del self._held[tp]
        return run

    def _message(self, batch: Batch) -> ConsumerMessage:
        first, last = batch.records[0], batch.records[-1]
        return ConsumerMessage(
            batch.tp.topic, batch.tp.partition, first.offset, (last.timestamp or 0) / 1000, 0, (), b"", batch,
            None, 0, 0, batch.tp, generation_id=batch.membership.generation,
        )

    # -- acknowledgement

    def ack(self, message: ConsumerMessage) -> bool:
        """The batch is committed. Nothing is left for Faust to commit: the offsets went with the transaction."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        end = self.ranges[message.tp].acknowledge(message.offset)
        if end is not None:
            self._done[message.tp] = end
        notify(self._waiting_for_ack)
        return True

    def release(self, message: ConsumerMessage) -> None:
        """Give a batch up without committing it, because the group rebalances; its next owner does it.

        Without this the rebalance would wait for it: `wait_empty` has no limit.
        """
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Holes between runs are no concern of `Ranges`."""

    def lags(self) -> dict[TP, tuple[int, int]]:
        """(offset behind what is committed, end of the log) of each stream partition whose end is known."""
        ends = {tp: self.highwater(tp) for tp in self._done if tp in self.assignment()}
        return {tp: (self._done[tp], end) for tp, end in ends.items() if end is not None}

    # -- seeking and rebalances

    def _forget(self) -> None:
        self._held.clear()
        for ranges in self.ranges.values():
            ranges.forget()

    async def seek_to_committed(self) -> dict[TP, int | None]:
        """Seek all streams to their committed offsets, waiting for transactions that are still open."""
        self._forget()
        streams = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        if not streams:
            return {}
        brokers = ",".join(driver.server_list(self.transport.url, self.transport.default_port))
        offsets = await asyncio.to_thread(committed_offsets, brokers, self.app.conf.id, streams)
        await self._thread.seek_streams(offsets)
        self._done = {tp: offset or 0 for tp, offset in offsets.items()}
        return offsets

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """What is in hand may finish and commit, the broker still takes this generation; what is held is dropped."""
        self._held.clear()
        await super().on_partitions_revoked(revoked)
        self._forget()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._forget()
        await super().on_partitions_assigned(assigned, generation_id)


def _slices(run: Run) -> Iterable[Run]:
    """The run cut to batches; only the last slice ends behind what the fetch skipped at its end."""
    records = run.records
    for start in range(0, len(records), BATCH_RECORDS_MAX):
        part = records[start : start + BATCH_RECORDS_MAX]
        is_last = start + BATCH_RECORDS_MAX >= len(records)
        yield Run(part, run.end if is_last else part[-1].offset + 1)


class Transport(driver.Transport):
    Consumer = Consumer


TRANSPORTS.aliases["batching"] = f"{__name__}:Transport"
