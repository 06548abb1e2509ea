"""A deployment in memory: up to three workers with the product's stages on a simulated Kafka, ClickHouse and clock.

Everything follows from a `Plan`: what is told, which faults happen at which step, and the seed of all that is left to
chance (latencies, fetches, when markers arrive, who gets which partition). A step is one thing a worker does to the
outside; the world counts them.
"""

import asyncio
import contextvars
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from confluent_kafka import KafkaException
from faust.types import TP

import streams.app
from deploy.local.ports import Addresses
from streams.settings import Settings
from streams.topics import Topics
from tests.simulation.agents.disk import Disk
from tests.simulation.agents.group import Group
from tests.simulation.agents.kafka import AT_THE_END, Broker
from tests.simulation.agents.loop import NOBODY, PROCESS, Died, Loop, Process, nap
from tests.simulation.agents.outside import LIMITS, ClickHouse, Registry, in_place_of_the_outside
from tests.simulation.agents.parts import GROUP
from tests.simulation.agents.plan import Fault, Plan
from tests.simulation.agents.telling import KAFKA_MS
from tests.simulation.agents.worker import App
from tests.simulation.broker import PEPPER

REST_S = 2_000.0
"""No world needs as long: whatever waits for a time-out waits a minute at most."""


@dataclass(eq=False)
class Machine:
    """A place where a worker runs, one life after another."""

    name: str
    disk: Disk = field(default_factory=Disk)
    process: Process | None = None
    app: App | None = None

    @property
    def is_up(self) -> bool:
        """Whether its worker lives, has what the group gave it, and is in the middle of nothing."""
        process, app = self.process, self.app
        if process is None or app is None or process.dead or process.paused or process.calls:
            return False
        return not app.rebalancing


class World:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.random, self.partitions = plan, Random(plan.seed), plan.partitions
        self.loop = Loop(self.latency_s)
        self.group = Group(self.loop, self.random, plan.partitions)
        self.broker = Broker(self.loop, self.random, KAFKA_MS, self.group.accepts)
        self.broker.changed = self._tell_readers
        self.clickhouse, self.registry = ClickHouse(), Registry()
        durations = {name.removesuffix("_ms"): f"{value}ms" for name, value in plan.durations.items()}
        self.settings = Settings(pepper=PEPPER, partitions=plan.partitions, **durations)
        self.topics = Topics()
        self.machines = [Machine(f"worker-{n}") for n in range(plan.workers)]
        self.steps = 0
        self.trace: list[tuple[str, str]] = []
        self.failure: BaseException | None = None
        self._faults: dict[int, Fault] = {fault.step: fault for fault in plan.faults}
        self.happened: list[Fault] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._told = 0
        self._is_over = False
        self._slowness = self.random.choice([0.0, 0.0, 0.1, 0.5])
        self._haste = self.random.choice([0.001, 0.01, 0.1])
        self.limits = {name: self.random.choice(sizes) for name, sizes in LIMITS.items()}

    # -- what workers ask of it

    def latency_s(self) -> float:
        return self.random.uniform(0, self._haste)

    def records_are_there(self) -> "asyncio.Future[None]":
        future = self.loop.create_future()
        self._waiting.append(future)
        return future

    def step(self, name: str) -> None:
        """A worker does something to the outside: count it, and let happen what is planned for it."""
        process = PROCESS.get()
        assert process is not None, f"{name}: nobody does it"
        if process.dead:
            raise Died
        self.steps += 1
        self.trace.append((process.name, name))
        fault = self._faults.get(self.steps)
        if fault is not None:
            self.happened.append(fault)
            self._let_happen(fault, process)
        if self.random.random() < self._slowness:
            nap(self.random.uniform(0, 0.05))
        elif process.paused:
            nap(0)
        if process.dead:
            raise Died

    # -- faults

    def _let_happen(self, fault: Fault, process: Process) -> None:
        if fault.kind == "crash":
            self._kill(process, fault.seconds, fault.disk)
            raise Died
        if fault.kind == "pause":
            process.paused = process.was_paused = True
            self._later(fault.seconds, self.loop.wake, process)
        elif fault.kind == "leave":
            self._kill(process, fault.seconds, "kept")
            self._later(0.0, self.group.leave, process.name)
            raise Died
        elif fault.kind == "rebalance":
            self._later(0.0, self.group.rebalance)
        elif fault.kind == "fence":
            process.was_fenced = True
            self.broker.fence(f"{GROUP}-{process.name}")
        else:
            outside = self.clickhouse if fault.kind == "clickhouse" else self.registry
            outside.is_away = True
            self._later(fault.seconds, setattr, outside, "is_away", False)

    def _later(self, seconds: float, call: Any, *arguments: Any) -> None:
        self.loop.call_later(seconds, call, *arguments, context=NOBODY)

    def _kill(self, process: Process, seconds: float, disk: str) -> None:
        process.dead = True
        machine = next(m for m in self.machines if m.process is process)
        if disk != "kept":
            machine.disk.lose(self.random, everything=disk == "lost")
        self._later(seconds, self._start, machine)

    def exit(self, error: BaseException | None) -> None:
        """A worker ends itself. Kafka may refuse one that stood still, and one whose transaction others ended in its
        very commit; all else is a fault of ours."""
        process = PROCESS.get()
        if self._is_over or process is None or process.dead:
            return
        if isinstance(error, KafkaException) and (
            process.was_paused or (process.was_fenced and error.args[0].str() == AT_THE_END)
        ):
            self._kill(process, 1.0, "kept")
            return
        process.dead = True
        self.failure = error or AssertionError("a worker left without an error")

    # -- the run

    def run(self) -> "World":
        """Everything told, everything worked, all of it in ClickHouse. Errors: whatever broke off."""
        with in_place_of_the_outside(self):
            asyncio.set_event_loop(self.loop)
            self.loop.set_exception_handler(self._broken)
            try:
                self.loop.run_until_complete(self.loop.create_task(self._run(), context=NOBODY.copy()))
            finally:
                self._is_over = True
                self.loop.shut()
                asyncio.set_event_loop(None)
        return self

    def _broken(self, _loop: Any, told: dict[str, Any]) -> None:
        self.failure = self.failure or told.get("exception") or AssertionError(told["message"])

    async def _run(self) -> None:
        for machine in self.machines:
            self._later(self.random.uniform(0, 1), self._start, machine)
        for told in self.plan.told:
            await asyncio.sleep(told.after_s)
            self.broker.append(TP(told.topic, told.partition), None, told.value)
            self._told += 1
        while not self._is_at_rest():
            if self.failure is not None:
                raise self.failure
            assert self.loop.time() < REST_S, f"messages never come to an end: {self.behind()}"
            await asyncio.sleep(0.2)

    def _tell_readers(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _is_at_rest(self) -> bool:
        return (
            self._told == len(self.plan.told) and all(machine.is_up for machine in self.machines)
            and self.group.is_stable(len(self.machines)) and self.broker.is_settled and not self.behind()
        )

    def behind(self) -> dict[TP, tuple[int, int]]:
        """(committed offset, end) of partitions whose records are not all worked."""
        found = {}
        for tp, log in self.broker.logs.items():
            done = self.broker.offsets.get(tp, 0)
            if tp.topic in self._read_topics and any(record.offset >= done for record in log.committed()[-1:]):
                found[tp] = done, log.end
        return found

    _read_topics: frozenset[str] = frozenset()

    def _start(self, machine: Machine) -> None:
        if machine.process is not None and not machine.process.dead:
            return
        process = machine.process = Process(machine.name)
        context = contextvars.Context()
        context.run(PROCESS.set, process)
        context.run(self._build, machine, process)

    def _build(self, machine: Machine, process: Process) -> None:
        addresses = Addresses(Path("nowhere"), 0)
        machine.app = App(self, process, machine.name, machine.disk)
        app, committer = streams.app.create_app(self.settings, addresses, machine.name, machine.app)
        self._read_topics = frozenset(tp.topic for tp in app.topics._tp_index)
        life = self.loop.create_task(app.live(committer))
        process.tasks.append(life)
        life.add_done_callback(self._ended)

    def _ended(self, life: "asyncio.Task[None]") -> None:
        self.exit(life.exception())
