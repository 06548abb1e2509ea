"""One worker of a simulated deployment: the product's stages, loop, groups, consumer, recovery and commit.

What is put in place of Faust's own parts is what a rebalance does to an application, in Faust's order: stop the flow,
clear the queues, wait for what is in hand, tell the stages; then the stores, recovery, and the streams from their
committed offsets. What is put in place of aiokafka is the thread that fetches.
"""

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace

from faust.types import TP
from mode.utils.queues import FlowControlEvent
from yarl import URL

from streams.transport import loop, watch
from streams.transport.application import Stage
from streams.transport.commit import Committer
from streams.transport.membership import Membership
from streams.transport.watch import LOOK_S
from tests.simulation.agents.disk import Disk, Store
from tests.simulation.agents.group import Place
from tests.simulation.agents.loop import Process
from tests.simulation.agents.parts import CHANGELOG, GROUP, Consumer, Event, Outside, Recovery, Stream


class App:
    """What a worker's parts find at `app`, and its life from joining the group to the next rebalance."""

    def __init__(self, world: Outside, process: Process, name: str, disk: Disk) -> None:
        self._world, self._process, self.name = world, process, name
        self.conf = SimpleNamespace(id=GROUP)
        self.generation, self.rebalancing, self.should_stop, self.in_recovery = -1, True, False, False
        self.rebalancing_count = 0
        self.flow_control = FlowControlEvent()
        self.transport = SimpleNamespace(url=[URL("kafka://simulated")], default_port=9092)
        self.topics = SimpleNamespace(_tp_index={})
        self.store = Store(disk, world.step)
        self.consumer = Consumer(self, world)
        self.recovery = Recovery(self)
        self.tables = SimpleNamespace(recovery=self.recovery)
        self._stages: list[tuple[Stage, Stream, Committer]] = []

    def add(self, stage: Stage, committer: Committer) -> None:
        """What `add_stage` does."""
        stream = Stream(self)
        self._stages.append((stage, stream, committer))
        for topic in stage.topics:
            for number in range(self._world.partitions):
                self.topics._tp_index.setdefault(TP(topic, number), []).append(stream.channel)

    def forget(self, tps: Iterable[TP]) -> None:
        for stage, _, _ in self._stages:
            if hasattr(stage.handler, "forget"):
                stage.handler.forget({tp.partition for tp in tps})

    async def live(self, committer: Committer) -> None:
        """Until the process dies."""
        await asyncio.to_thread(committer.start)
        running = [
            *(loop.run(stage.name, stream, stage.handler, mine) for stage, stream, mine in self._stages),
            self._fetch(), self._look(committer), self._belong(),
        ]
        self._process.tasks += [asyncio.create_task(one) for one in running]
        await asyncio.gather(*self._process.tasks[-len(running):])

    async def _fetch(self) -> None:
        while True:
            await asyncio.sleep(0)
            async for tp, message in self.consumer.getmany(timeout=5.0):
                for channel in self.topics._tp_index[tp]:
                    await channel.queue.put(Event(message.value, message))

    async def _look(self, committer: Committer) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await watch.commit_idle(self, committer)

    async def _belong(self) -> None:
        """Join, take over, and give back, again and again."""
        while True:
            place = await self._world.group.join(self.name)
            left = asyncio.Event()
            beating = asyncio.create_task(self._beat(place, left))
            await self._take_over(place)
            await left.wait()
            self.rebalancing = True
            await self.consumer.on_partitions_revoked(set(self.consumer.assignment()))
            self._world.step("end of a membership")
            beating.cancel()

    async def _beat(self, place: Place, left: asyncio.Event) -> None:
        """Also while partitions are given back: the group waits for a member that is alive."""
        while True:
            if not self._world.group.heartbeat(place, self.name):
                left.set()
            await asyncio.sleep(self._world.random.uniform(0.2, 1.0))

    async def _take_over(self, place: Place) -> None:
        assigned = {TP(tp.topic, tp.partition) for tp in self.topics._tp_index if tp.partition in place.partitions}
        changelogs = {TP(CHANGELOG, number) for number in place.partitions}
        # What ConsumerThread does when the group has met.
        self.consumer._thread.membership = Membership(GROUP, place.generation, place.member, self.name)
        self.consumer._thread.positions = {}
        await self.consumer.on_partitions_assigned(assigned | changelogs, place.generation)
        self.store.open = set(place.partitions)
        self.forget(assigned)
        await self.recovery.recover(self.consumer, changelogs, self.store)
        await self.consumer.seek_to_committed()
        self.consumer._assigned = assigned  # changelogs are read no more
        self.rebalancing = False
        self.flow_control.resume()
        self.consumer.flow(True)
