"""What a rebalance must not let through: runs read for another membership, and streams while stores recover."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import TopicPartition
from faust.tables.recovery import RebalanceAgain
from faust.types import TP
from yarl import URL

from streams.transport import batching
from streams.transport.batching import ConsumerThread, Run
from streams.transport.membership import Membership
from streams.transport.ranges import Ranges
from streams.transport.watch import commit_idle

BEFORE, AFTER = Membership("group", 1, "member-1"), Membership("group", 2, "member-1")
STREAM, CHANGELOG = TP("identity", 0), TP("changelog", 0)
RECORDS: Any = [SimpleNamespace(offset=3, timestamp=0), SimpleNamespace(offset=4, timestamp=0)]


class Thread:
    """A consumer's thread that has one run, and may join anew while it fetches."""

    def __init__(self) -> None:
        self.membership: Membership | None = BEFORE
        self.joins: Membership | None = None
        self.asked: list[set[TP]] = []

    async def fetch(self, membership: Membership, tps: set[TP], _timeout_s: float) -> dict[TP, Run]:
        self.asked.append(set(tps))
        self.membership = self.joins or self.membership
        return {STREAM: Run(3, 5, RECORDS)} if STREAM in tps else {}


class Consumer(batching.Consumer):
    """With its own state, and none of Faust's."""

    should_stop = False

    def __init__(self) -> None:
        self._thread: Any = Thread()
        self.flow_active = True
        self.ranges = defaultdict(Ranges)
        self._held, self.paces, self._committed = {}, {}, {}
        self._unacked_messages, self._waiting_for_ack = set(), None
        self._sought, self._rebalance = BEFORE, 1
        self.app: Any = SimpleNamespace(
            rebalancing=False, rebalancing_count=1, conf=SimpleNamespace(id="group"),
            topics=SimpleNamespace(_tp_index={}))
        self.transport: Any = SimpleNamespace(url=[URL("kafka://127.0.0.1")], default_port=9092)

    def _get_active_partitions(self) -> set[TP]:
        return {STREAM, CHANGELOG}

    def assignment(self) -> set[TP]:
        return {STREAM, CHANGELOG}

    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp == CHANGELOG


def delivered(consumer: Consumer) -> list[Any]:
    async def collect() -> list[Any]:
        return [message.value async for _, message in consumer.getmany(0.01)]

    return asyncio.run(collect())


def test_a_run_is_delivered_with_the_membership_it_was_read_for() -> None:
    consumer = Consumer()
    (batch,) = delivered(consumer)
    assert (batch.start, batch.end, batch.records, batch.membership) == (3, 5, RECORDS, BEFORE)
    assert not consumer.ranges[STREAM].is_idle


def test_a_run_read_for_an_earlier_membership_is_dropped_without_a_trace() -> None:
    consumer = Consumer()
    consumer._thread.joins = AFTER
    assert delivered(consumer) == []
    assert (consumer._held, dict(consumer.ranges)) == ({}, {})


def test_a_transaction_that_ends_when_the_group_has_gone_on_leaves_its_new_beginning_alone() -> None:
    consumer = Consumer()
    (batch,) = delivered(consumer)
    consumer._thread.membership = AFTER
    consumer.ranges = defaultdict(Ranges, {STREAM: Ranges(5)})
    assert consumer.ack(batching._message(batch))
    consumer.committed({STREAM: 5}, BEFORE)
    consumer.ranges[STREAM].deliver(5, 6)
    assert (consumer.ranges[STREAM].end_after(), consumer._committed) == (None, {})


def test_nothing_is_delivered_once_the_flow_is_stopped() -> None:
    consumer = Consumer()
    consumer._held[STREAM] = batching.deque([Run(3, 5, RECORDS)])

    async def stopped(*_: Any) -> dict[TP, Run]:
        consumer.flow_active = False
        return {}

    consumer._thread.fetch = stopped
    assert delivered(consumer) == []


def test_an_agent_whose_queue_is_full_holds_up_its_own_partition_only() -> None:
    """Stock waits there in the only loop that fetches: one slow agent would stop all."""
    consumer = Consumer()
    full = SimpleNamespace(queue=SimpleNamespace(full=lambda: True))
    consumer.app.topics._tp_index = {STREAM: [full]}
    consumer._held[STREAM] = batching.deque([Run(3, 5, RECORDS)])
    assert delivered(consumer) == []
    assert consumer._thread.asked == [{CHANGELOG}]
    assert list(consumer._held[STREAM]) == [Run(3, 5, RECORDS)]


def test_while_the_group_rebalances_only_changelogs_are_read() -> None:
    consumer = Consumer()
    consumer.app.rebalancing = True
    assert delivered(consumer) == []
    assert consumer._thread.asked == [{CHANGELOG}]


@pytest.mark.parametrize("sought", [None, AFTER])
def test_streams_that_were_not_sought_for_this_membership_are_not_read(sought: Membership | None) -> None:
    """Stock takes a rebalance for over when the one before it ends: where the streams stand then is anybody's guess."""
    consumer = Consumer()
    consumer._sought = sought
    assert delivered(consumer) == []
    assert consumer._thread.asked == [{CHANGELOG}]


def sought(consumer: Consumer, meanwhile: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def offsets(*_: Any) -> dict[TP, int]:
        meanwhile()
        return {STREAM: 7}

    async def seek(offsets: dict[TP, int]) -> dict[TP, int]:
        return offsets

    monkeypatch.setattr(batching, "committed_offsets", offsets)
    consumer._thread.seek_streams = seek
    consumer._sought = None
    asyncio.run(consumer.seek_to_committed())


def test_streams_begin_at_the_committed_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer()
    sought(consumer, lambda: None, monkeypatch)
    consumer.ranges[STREAM].deliver(7, 9)
    assert consumer._sought is BEFORE


def test_a_rebalance_that_begins_while_streams_are_sought_keeps_them_from_going_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = Consumer()

    def again() -> None:
        consumer.app.rebalancing_count += 1

    with pytest.raises(RebalanceAgain):
        sought(consumer, again, monkeypatch)
    assert consumer._sought is None


@pytest.mark.parametrize(("asking", "found"), [(BEFORE, {}), (AFTER, {TP("identity", 0): Run(3, 5, RECORDS)})])
def test_a_fetch_asked_for_before_the_group_moved_on_does_not_move_the_position(
    asking: Membership, found: dict[TP, Run],
) -> None:
    thread: Any = ConsumerThread.__new__(ConsumerThread)
    position = [3]

    async def fetch_records(*_: Any, **__: Any) -> dict[TopicPartition, Any]:
        position[0] = 5
        return {TopicPartition("identity", 0): RECORDS}

    async def run() -> dict[TP, Run]:
        thread._reading, thread.membership, thread._consumer = asyncio.Lock(), AFTER, None
        thread._positions = lambda tps: dict.fromkeys(tps, position[0])
        thread._fetch_records = fetch_records
        fetched: dict[TP, Run] = await thread._fetch(asking, {STREAM}, 0.1)
        return fetched

    assert asyncio.run(run()) == found
    assert position[0] == (5 if found else 3)


def test_of_what_the_group_assigns_only_topics_that_are_read_are_taken() -> None:
    thread: Any = ConsumerThread.__new__(ConsumerThread)
    taken: list[Any] = []
    thread._assign = taken.append
    thread._consumer = SimpleNamespace(subscription=lambda: frozenset({"identity", "changelog"}))
    thread._assign_what_is_read([STREAM, TP("old", 0), TP("old", 1), CHANGELOG])
    assert (taken.pop(), thread.unread) == ({STREAM, CHANGELOG}, {"old"})
    thread._assign_what_is_read([STREAM])
    assert (taken.pop(), thread.unread) == ({STREAM}, set())


@pytest.mark.parametrize(("ends", "failure"), [(False, None), (True, "gone")])
def test_what_ended_the_part_in_the_group_is_told(ends: bool, failure: str | None) -> None:
    thread: Any = ConsumerThread.__new__(ConsumerThread)

    async def coordinate() -> None:
        if ends:
            raise RuntimeError("gone")
        await asyncio.sleep(3600)

    async def run() -> BaseException | None:
        for consumer in (None, SimpleNamespace(_coordinator=None)):
            thread._consumer = consumer
            assert thread.failure() is None, "it starts"
        task = asyncio.create_task(coordinate())
        await asyncio.sleep(0)
        thread._consumer = SimpleNamespace(_coordinator=SimpleNamespace(_coordination_task=task))
        found: BaseException | None = thread.failure()
        task.cancel()
        return found

    found = asyncio.run(run())
    assert (found and str(found)) == failure


@pytest.mark.parametrize(("rebalancing", "committed"), [(False, [{STREAM: 9}]), (True, [])])
def test_idle_ends_are_not_committed_while_the_group_rebalances(rebalancing: bool, committed: list[Any]) -> None:
    done: list[Any] = []

    async def run() -> None:
        consumer = SimpleNamespace(
            idle_commit=asyncio.Lock(), idle_ends=lambda: {STREAM: 9}, membership=BEFORE, committed=lambda *_: None,
        )

        async def commit(work: Any, _membership: Membership) -> None:
            done.append(dict(work.offsets))

        await commit_idle(SimpleNamespace(consumer=consumer, rebalancing=rebalancing), SimpleNamespace(commit=commit))

    asyncio.run(run())
    assert done == committed
