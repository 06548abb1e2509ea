"""The `batching://` transport: one Faust message is a run of Kafka records of one partition.

Rules it keeps, each with its reason in docs/decisions/0020:
- Faust commits nothing. Offsets are part of the transaction that carries the results (`streams.transport.commit`).
- Streams are read only under the membership for which they were sought: stock resumes them before it seeks them, and
  where a rebalance begins while the one before is ending, it takes both for over.
- A run is delivered when its agent has room, counted in records; the rest of a fetch is held here. Stock blocks the
  only fetch loop of the process when one agent's queue is full.
- Runs in flight and held are forgotten at every seek, revocation and assignment; they are read again.
- After a rebalance the streams start at stable offsets, asked for in one request.
- Of what the group assigns only topics that this worker reads are taken. Stock's part in the group ends at another one.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiokafka
import structlog
from aiokafka.structs import ConsumerRecord
from faust.tables.recovery import RebalanceAgain
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode.utils.futures import notify

from streams import metrics
from streams.transport.membership import Membership
from streams.transport.pace import RECORDS_MAX, Pace
from streams.transport.ranges import Ranges
from streams.transport.stable import committed_offsets

BATCH_RECORDS_MAX = RECORDS_MAX
ROOM_RECORDS = 2000
"""An agent's queue takes another batch while it holds fewer records than this: two batches at most."""
assert BATCH_RECORDS_MAX <= ROOM_RECORDS

FETCH_BYTES_MIN = 512 << 10
"""A fetch asks for every partition of every topic, and its answer is read in Python: 140 partitions cost 3 ms whatever
they hold, and the broker as much. So it waits until there is this much, or FETCH_WAIT_MS are over."""
FETCH_WAIT_MS = 50
"""One fetch a broker is in flight; a partition emptied late waits this long. Faust has 1,500 written into it."""
PREFETCH_BACKOFF_S = 0.005
"""aiokafka's 0.1 holds up all partitions of a broker while one has records that were not taken yet."""
POLL_S = 0.02
"""How soon to look again where runs are held back."""
FETCH_S_MAX = 0.25
"""A seek waits for the fetch at hand, so this is the most that a rebalance loses by it."""

log = structlog.get_logger()


class Run(NamedTuple):
    """What a fetch brought of one partition: records in order, and where the consumer stood before and after."""

    start: int
    end: int
    records: list[ConsumerRecord]


@dataclass(frozen=True, eq=False)
class Batch:
    """What an agent gets: records of one partition, the range they stand for, on whose behalf they were read."""

    tp: TP
    start: int
    end: int
    records: list[ConsumerRecord]
    membership: Membership

    def __len__(self) -> int:
        return len(self.records)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer. Fetches and seeks exclude each other."""

    membership: Membership | None = None
    unread: frozenset[str] = frozenset()
    """Topics that the last assignment gave this worker and that it does not read."""

    async def on_start(self) -> None:
        self._reading = asyncio.Lock()
        self.ends: dict[TP, int] = {}
        """Where the logs end, as the last fetches told."""
        await super().on_start()
        self._consumer._fetcher._prefetch_backoff = PREFETCH_BACKOFF_S
        subscriptions = self._consumer._subscription
        self._assign = subscriptions.assign_from_subscribed
        subscriptions.assign_from_subscribed = self._assign_what_is_read

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Stock, with two arguments changed that it has no setting for."""
        real = aiokafka.AIOKafkaConsumer

        def build(**arguments: Any) -> Any:
            return real(**(arguments | {
                "fetch_max_wait_ms": FETCH_WAIT_MS, "fetch_min_bytes": FETCH_BYTES_MIN,
                "isolation_level": "read_committed",
            }))

        driver.aiokafka.AIOKafkaConsumer = build
        try:
            return super()._create_worker_consumer(transport)
        finally:
            driver.aiokafka.AIOKafkaConsumer = real

    def _assign_what_is_read(self, assigned: Iterable[TP]) -> None:
        """A member by name that comes back within its session gets what it had, without a new plan, whatever it reads
        by now: settings may have lost a channel or a mapping."""
        read = self._consumer.subscription()
        self.unread = frozenset(tp.topic for tp in assigned) - read
        if self.unread:
            log.warning("topics_not_read", topics=sorted(self.unread))
        self._assign({tp for tp in assigned if tp.topic in read})

    def failure(self) -> BaseException | None:
        """What ended this worker's part in its group: nobody gives it partitions any more."""
        coordinator = self._consumer and self._consumer._coordinator
        task = coordinator and coordinator._coordination_task
        return task.exception() if task and task.done() and not task.cancelled() else None

    async def fetch(self, membership: Membership, tps: set[TP], timeout_s: float) -> dict[TP, Run]:
        """What came of `tps`; nothing when the membership is not `membership` any more."""
        fetched: dict[TP, Run] = await self.call_thread(self._fetch, membership, tps, timeout_s)
        return fetched

    async def _fetch(self, membership: Membership, tps: set[TP], timeout_s: float) -> dict[TP, Run]:
        # A fetch that began before a seek and ended after it, or was asked for before and began after it, would move
        # the position behind records that its caller then drops as being of an older membership.
        async with self._reading:
            if self.membership is not membership:
                return {}
            before = self._positions(tps)
            fetched = await self._fetch_records(self._consumer, tps, timeout=timeout_s)
            after = self._positions(before.keys())
        records = {TP(tp.topic, tp.partition): found for tp, found in fetched.items()}
        return {tp: Run(before[tp], end, records.get(tp, [])) for tp, end in after.items() if end > before[tp]}

    def _positions(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Where the consumer stands in those of `tps` that are assigned and have a position."""
        subscription = self._consumer._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return {}
        states = {tp: subscription.assignment.state_value(tp) for tp in tps}
        valid = {tp: state for tp, state in states.items() if state is not None and state.has_valid_position}
        self.ends.update({tp: state.highwater for tp, state in valid.items() if state.highwater is not None})
        return {tp: state.position for tp, state in valid.items()}

    async def _seek_wait(self, consumer: Any, partitions: Any) -> None:
        async with self._reading:
            await super()._seek_wait(consumer, partitions)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        coordinator = self._consumer._coordinator
        self.membership = Membership(
            coordinator.group_id, generation_id, coordinator.member_id, coordinator._group_instance_id
        )
        await super().on_partitions_assigned(assigned, generation_id)

    async def rejoin(self) -> None:
        await self.call_thread(self._rejoin)

    async def give_up_place(self) -> None:
        await self.call_thread(self._give_up_place)

    async def _give_up_place(self) -> None:
        """A member by name keeps its place when it stops; without the name it leaves, and its partitions go at once."""
        self._consumer._coordinator._group_instance_id = None

    async def _rejoin(self) -> None:
        self._consumer._coordinator.request_rejoin()

    async def seek_streams(self, offsets: dict[TP, int | None]) -> dict[TP, int]:
        """Go to the committed offsets, to the first record where there is none; where the consumer stands then."""
        positions: dict[TP, int] = await self.call_thread(self._seek_streams, offsets)
        return positions

    async def _seek_streams(self, offsets: dict[TP, int | None]) -> dict[TP, int]:
        async with self._reading:
            starts = await self._consumer.beginning_offsets([driver.ensure_aiokafka_TP(tp) for tp in offsets])
            first = {TP(tp.topic, tp.partition): start for tp, start in starts.items()}
            positions = {tp: max(offset or 0, first[tp]) for tp, offset in offsets.items()}
            for tp, position in positions.items():
                if offsets[tp] is not None and position != offsets[tp]:
                    log.error("records_expired", topic=tp.topic, partition=tp.partition, missed=position - offsets[tp])
                self._consumer.seek(tp, position)
        return positions


class Consumer(driver.Consumer):
    """Faust's consumer, delivering batches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ranges: defaultdict[TP, Ranges] = defaultdict(Ranges)
        self.paces: dict[str, Pace] = {}
        """By topic: how many records its stage takes at once."""
        self.waits_for_outside = 0
        """Agents that wait for the outside world on purpose (`streams.transport.loop`)."""
        self.idle_commit = asyncio.Lock()
        """Held while offsets of idle partitions are committed: the group must not go on to its next generation then."""
        self._held: dict[TP, deque[Run]] = {}
        self._committed: dict[TP, int] = {}
        self._sought: Membership | None = None
        """For which the streams stand at stable offsets."""
        self._rebalance = 0
        """The number of the one that assigned what is assigned."""

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
        membership = self.membership
        if self.should_stop or membership is None:
            return
        fetched = await self._fetch(membership, timeout)
        if self.should_stop or self._left(membership):
            return
        for tp, run in fetched.items():
            if self._is_changelog_tp(tp):
                await self.app.tables.recovery.apply_run(tp, run)
            elif run.records:
                pace = self.paces.get(tp.topic)
                self._held[tp] = deque(_slices(run, pace.records if pace else BATCH_RECORDS_MAX))
            else:
                self.ranges[tp].skip(run.start, run.end)
        for tp in self._deliverable():
            if self._left(membership):
                return
            run = self._take(tp)
            self.ranges[tp].deliver(run.start, run.end)
            yield tp, _message(Batch(tp, run.start, run.end, run.records, membership))

    def _left(self, membership: Membership) -> bool:
        """Has the group moved on since `membership`? Then what was fetched is not ours to deliver."""
        return not self.flow_active or self.membership is not membership

    async def _fetch(self, membership: Membership, timeout_s: float) -> dict[TP, Run]:
        wanted, wait = set(), min(timeout_s, FETCH_S_MAX)
        for tp in self._get_active_partitions():
            if self._is_changelog_tp(tp):
                wanted.add(tp)
            elif self.app.rebalancing or self._sought is not membership:
                continue
            elif tp in self._held or not self._has_room(tp):
                wait = min(wait, POLL_S)
            else:
                wanted.add(tp)
        if wanted:
            thread: ConsumerThread = self._thread
            return await thread.fetch(membership, wanted, wait)
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

    # -- acknowledgement

    def ack(self, message: ConsumerMessage) -> bool:
        """The batch is done. Nothing is left for Faust to commit: the offsets went with the transaction.

        A transaction that the broker was slow to end may be over only when the group has gone on: what it was about is
        forgotten here by then, and the streams began behind it.
        """
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if self._is_in_hand(message.tp, message.value.membership):
            self.ranges[message.tp].acknowledge(message.value.start)
        notify(self._waiting_for_ack)
        return True

    def committed(self, offsets: Mapping[TP, int], membership: Membership) -> None:
        """These offsets are committed on behalf of `membership`, and what they stand for is acknowledged."""
        for tp, end in offsets.items():
            if self._is_in_hand(tp, membership):
                self.ranges[tp].commit(end)
                self._committed[tp] = end

    def _is_in_hand(self, tp: TP, membership: Membership) -> bool:
        """Or has the group gone on since?"""
        return membership is self.membership and tp in self.ranges

    def idle_ends(self) -> dict[TP, int]:
        """Offsets to commit for partitions where nothing is in hand but the log went on without records for us.

        Without it a partition would seem to lag for ever by the markers at its end.
        """
        ends = {tp: ranges.end_after() for tp, ranges in self.ranges.items() if ranges.is_idle}
        return {tp: end for tp, end in ends.items() if end is not None}

    def release(self, message: ConsumerMessage) -> None:
        """Give a batch up without committing it, because the group rebalances; its next owner does it.

        Without this the rebalance would wait for it: `wait_empty` has no limit.
        """
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Holes between runs are no concern of `Ranges`."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """`streams.transport.watch` looks after this; Faust would complain that it never commits."""

    def lags(self) -> dict[TP, tuple[int, int]]:
        """(committed offset, end of the log) of each stream partition whose end is known."""
        thread: ConsumerThread = self._thread
        return {tp: (done, end) for tp, done in self._committed.items() if (end := thread.ends.get(tp)) is not None}

    def ends(self) -> dict[TP, int]:
        """Where logs end, changelogs among them, as the last fetches told."""
        thread: ConsumerThread = self._thread
        return dict(thread.ends)

    def subscribed(self) -> set[str]:
        """Topics that this worker reads and that there are."""
        consumer = self._thread._consumer
        return {topic for topic in consumer.subscription() if consumer.partitions_for_topic(topic)}

    def unread(self) -> frozenset[str]:
        """Topics that the group gave this worker and that it does not read."""
        thread: ConsumerThread = self._thread
        return thread.unread

    def failure(self) -> BaseException | None:
        """What ended this worker's part in its group."""
        thread: ConsumerThread = self._thread
        return thread.failure()

    async def rejoin(self) -> None:
        """Ask the group for another assignment."""
        thread: ConsumerThread = self._thread
        await thread.rejoin()

    async def give_up_place(self) -> None:
        """Have the next stop be for good: the group need not wait for this worker to come back."""
        thread: ConsumerThread = self._thread
        await thread.give_up_place()

    # -- seeking and rebalances

    def _forget(self) -> None:
        self._sought = None
        self._held.clear()
        self.ranges.clear()

    async def seek_to_committed(self) -> dict[TP, int]:
        """Seek all streams to their committed offsets, waiting for transactions that are still open.

        Errors: RebalanceAgain when the group has gone on meanwhile; else stock would set the streams going.
        """
        self._forget()
        membership = self.membership
        streams = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        positions: dict[TP, int] = {}
        if streams:
            brokers = ",".join(driver.server_list(self.transport.url, self.transport.default_port))
            offsets = await asyncio.to_thread(committed_offsets, brokers, self.app.conf.id, streams)
            positions = await self._thread.seek_streams(offsets)
        if self.app.rebalancing_count != self._rebalance:
            raise RebalanceAgain
        self._committed = dict(positions)
        self.ranges.update({tp: Ranges(position) for tp, position in positions.items()})
        self._sought = membership
        return positions

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """What is in hand may finish and commit, the broker still takes this generation; what is held is dropped."""
        self._held.clear()
        self._sought = None
        async with self.idle_commit:
            pass
        await super().on_partitions_revoked(revoked)
        self._forget()
        self._committed.clear()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        metrics.REBALANCES.inc()
        self._rebalance = self.app.rebalancing_count
        self._forget()
        await super().on_partitions_assigned(assigned, generation_id)


def _slices(run: Run, records_max: int = BATCH_RECORDS_MAX) -> Iterable[Run]:
    """The run cut to batches that join; only the last ends behind what the fetch skipped at its end."""
    start, records = run.start, run.records
    for begin in range(0, len(records), records_max):
        part = records[begin : begin + records_max]
        end = run.end if begin + records_max >= len(records) else part[-1].offset + 1
        yield Run(start, end, part)
        start = end


def _message(batch: Batch) -> ConsumerMessage:
    first, last = batch.records[0], batch.records[-1]
    return ConsumerMessage(
        batch.tp.topic, batch.tp.partition, first.offset, (last.timestamp or 0) / 1000, 0, (), b"", batch,
        None, 0, 0, batch.tp, generation_id=batch.membership.generation,
    )


class Transport(driver.Transport):
    Consumer = Consumer


TRANSPORTS.aliases["batching"] = f"{__name__}:Transport"
