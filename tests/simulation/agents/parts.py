"""The product's consumer, recovery and streams over what stands in the place of Faust and of aiokafka."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.utils.queues import ThrowableQueue

from streams.state import recovery
from streams.transport import batching
from streams.transport.membership import Membership
from tests.simulation.agents.disk import Store
from tests.simulation.agents.group import Group
from tests.simulation.agents.kafka import Broker

GROUP, CHANGELOG, TABLE = "onethread", "onethread-graph-changelog", "graph"
FETCH_RECORDS = (1, 1, 2, 5, 50, 500)
QUEUE = 64


class Outside(Protocol):
    """What a worker needs of its world."""

    broker: Broker
    group: Group
    random: Any
    partitions: int

    def step(self, name: str) -> None: ...

    def latency_s(self) -> float: ...

    def records_are_there(self) -> "asyncio.Future[None]": ...


class Event(NamedTuple):
    """What Faust puts into an agent's queue."""

    value: batching.Batch
    message: Any


class Stream:
    """Faust's stream as `groups` uses it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.channel = SimpleNamespace(queue=ThrowableQueue(
            maxsize=QUEUE, flow_control=app.flow_control, clear_on_resume=True))

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator[Event]:
        consumer = self.app.consumer
        while True:
            await asyncio.sleep(0)
            event = await self.channel.queue.get()
            message = event.message
            if not self.app.flow_control.is_active() or message.generation_id != self.app.generation:
                continue
            if not message.tracked:
                message.tracked = True
                consumer.track_message(message)
            yield event

    async def ack(self, event: Event) -> bool:
        return bool(self.app.consumer.ack(event.message))


class Fetching:
    """The thread that owns the consumer of aiokafka."""

    def __init__(self, world: Outside) -> None:
        self._world = world
        self._reading = asyncio.Lock()
        self.membership: Membership | None = None
        self.positions: dict[TP, int] = {}
        self.ends: dict[TP, int] = {}

    async def fetch(self, membership: Membership, tps: set[TP], timeout_s: float) -> dict[TP, batching.Run]:
        world = self._world
        await asyncio.sleep(world.latency_s())
        async with self._reading:
            if self.membership is not membership:
                return {}
            if not self._is_news(tps):
                await asyncio.wait([world.records_are_there()], timeout=timeout_s)
                await asyncio.sleep(world.latency_s())
            return dict(self._runs(tps))

    def _is_news(self, tps: Iterable[TP]) -> bool:
        return any(self._world.broker.logs[tp].stable_end > self.positions[tp] for tp in tps if tp in self.positions)

    def _runs(self, tps: set[TP]) -> Iterable[tuple[TP, batching.Run]]:
        random, broker = self._world.random, self._world.broker
        for tp in sorted(tps & self.positions.keys()):
            self.ends[tp] = broker.logs[tp].stable_end
            before = self.positions[tp]
            if before >= self.ends[tp] or random.random() < 0.1:
                continue
            records, after = broker.read(tp, before, random.choice(FETCH_RECORDS))
            self.positions[tp] = after
            yield tp, batching.Run(before, after, records)

    async def seek(self, positions: dict[TP, int]) -> None:
        async with self._reading:
            self.positions.update(positions)

    async def seek_streams(self, offsets: dict[TP, int | None]) -> dict[TP, int]:
        positions = {tp: offset or 0 for tp, offset in offsets.items()}
        await self.seek(positions)
        return positions


class FaustConsumer(driver.Consumer):
    """The part of Faust's consumer that a rebalance needs, without its services."""

    def __init__(self, app: Any, world: Outside) -> None:
        self.app, self._thread = app, Fetching(world)
        self.transport = app.transport
        self.flow_active, self.can_resume_flow = False, asyncio.Event()
        self._unacked_messages: set[Any] = set()
        self.paces: dict[str, Any] = {}
        self._waiting_for_ack: asyncio.Future[None] | None = None
        self._assigned: set[TP] = set()
        self._world = world

    should_stop = False

    def __repr__(self) -> str:
        return "a consumer"

    __str__ = __hash__ = None  # type: ignore[assignment]

    def assignment(self) -> set[TP]:
        return self._assigned

    def _get_active_partitions(self) -> list[TP]:
        return sorted(self._assigned)

    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp.topic == CHANGELOG

    def track_message(self, message: Any) -> None:
        self._unacked_messages.add(message)

    async def wait(self, event: Any) -> None:
        await event.wait()

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        """As readers of committed records are told: short of what an open transaction holds up."""
        return {tp: self._world.broker.logs[tp].stable_end for tp in sorted(tps)}

    async def seek_wait(self, positions: dict[TP, int]) -> None:
        await self._thread.seek(positions)

    def flow(self, active: bool) -> None:
        self.flow_active = active
        (self.can_resume_flow.set if active else self.can_resume_flow.clear)()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.flow(False)
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        while self._unacked_messages:  # noqa: ASYNC110 - as Faust does
            await asyncio.sleep(0.01)
        self.app.forget(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._assigned, self.app.generation = assigned, generation_id


class Consumer(batching.Consumer, FaustConsumer):
    """The product's consumer over simulated fetches."""

    __hash__ = object.__hash__


class Recovery(recovery.Recovery):
    """The product's recovery without the service around it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._next: dict[TP, int] = {}
        self.applied_records = 0
        self.in_recovery = False
        self.active_tps, self.standby_tps = set(), set()
        self.active_offsets, self.active_highwaters = {}, {}
        self.standby_offsets, self.standby_highwaters = {}, {}
        self.tp_to_table = defaultdict(lambda: SimpleNamespace(data=app.store))
        self._signal_recovery_end = asyncio.Event()
        self._active_events_received_at, self._standby_events_received_at = {}, {}
        self._processing_times = []
        self._recovery_ended = self._recovery_started_at = None
        self.log = SimpleNamespace(info=lambda *_: None)

    __repr__ = __str__ = lambda _self: "a recovery"  # type: ignore[assignment]

    def _highwater_logtable(self, *_: Any, **__: Any) -> str:
        return ""

    async def recover(self, consumer: Consumer, tps: set[TP], stores: Store) -> None:
        """As Faust goes about it: where the logs end, where to begin, and all that lies between."""
        self.active_tps = tps
        self.active_offsets = {tp: -1 if (at := stores.persisted_offset(tp)) is None else at for tp in tps}
        self.active_highwaters = {}
        await self._build_highwaters(consumer, tps, self.active_highwaters, "active")
        await self._seek_offsets(consumer, tps, self.active_offsets, "active")
        if self.need_recovery():
            self._set_recovery_started()
            consumer.flow(True)
            await self.signal_recovery_end.wait()
        self.active_tps = set()
