"""A deployment in memory: up to three workers with the product's stages on a simulated Kafka, ClickHouse and clock.

Everything follows from a `Plan`: what is told, which faults happen at which step, and the seed of all that is left to
chance (latencies, fetches, when markers arrive, who gets which partition). A step is one thing a worker does to the
outside; the world counts them.
"""

import asyncio
import contextvars
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from confluent_kafka import KafkaException
from confluent_kafka.schema_registry.error import SchemaRegistryError
from faust.types import TP

import streams.app
from deploy.local.ports import Addresses
from schemas.records import CHANNEL_EVENT, COMMAND, DEAD_LETTER, PERSON
from sinks.clickhouse.columns import TABLES, Rows
from streams.core.facts import Facts
from streams.core.policy import Policy
from streams.errors import Retryable
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Committer
from tests.oracle.rules import Word
from tests.simulation.agents.disk import Disk
from tests.simulation.agents.group import Group
from tests.simulation.agents.kafka import Broker
from tests.simulation.agents.loop import NOBODY, PROCESS, Died, Loop, Process, nap
from tests.simulation.agents.producer import Producer
from tests.simulation.agents.telling import COMMAND_ID, EVENT_ID, KAFKA_MS
from tests.simulation.agents.worker import CHANGELOG, GROUP, App
from tests.simulation.broker import PEPPER
from tests.simulation.policy_file import known_policy
from tests.simulation.stores import Sink
from tests.strategies import CHANNELS, Change

LIMITS: dict[str, tuple[int, ...]] = {
    "streams.core.knowing.SWEEP_NODES": (1, 2, 200),
    "streams.core.messages.RECORD_BYTES_MAX": (600, 400_000, 400_000),
    "streams.core.intake.ROWS_MAX": (1, 500),
    "streams.agents.stitch.TOUCHES_MAX": (4, 40, 20_000),
    "streams.agents.stitch.FACTS_BYTES_MAX": (500, 1_000_000),
    "streams.agents.load.ROWS_MAX": (5, 20_000),
    "streams.agents.governing._VERSIONS_A_PAGE": (1, 100),
    "streams.agents.routing._CLAIMS_A_PAGE": (1, 1000),
    "streams.transport.batching.BATCH_RECORDS_MAX": (1, 3, 2000),
    "streams.transport.batching.ROOM_RECORDS": (3, 2000),
}
"""Sizes at which the product begins to do otherwise, brought down to those of a small world."""

REST_S = 2_000.0
"""No world needs as long: whatever waits for a time-out waits a minute at most."""
LETTER_ID, PERSON_ID, MERGE_ID = 3, 4, 5


@dataclass(frozen=True)
class Fault:
    """At the step of that number: what happens, for how long, and to a disk of a worker that dies (kept, torn, lost).

    crash: the worker dies, and is started again after `seconds`. pause: it stands still for so long. leave: it is
    stopped as by SIGTERM, removed from the group, and comes back. rebalance: the group meets anew, and partitions
    change hands. clickhouse, registry: they are away for so long.
    """

    step: int
    kind: str
    seconds: float = 1.0
    disk: str = "kept"


@dataclass(frozen=True)
class Told:
    """One record for Kafka, so many seconds after the one before."""

    topic: str
    partition: int
    value: bytes | None
    after_s: float = 0.0


@dataclass(frozen=True)
class Plan:
    """All that decides a run."""

    seed: int
    policy: Policy
    durations: Mapping[str, int]
    told: tuple[Told, ...]
    commands: Mapping[bytes, Word | Change]
    """What the records of the commands' topic mean."""
    faults: tuple[Fault, ...] = ()
    workers: int = 2
    partitions: int = 3


@dataclass
class ClickHouse(Sink):
    """Tables by version; may be away, and may have done what it seems to have failed at."""

    is_away: bool = False
    rows_written: int = 0

    def insert(self, rows: Rows) -> None:
        width = TABLES[rows.table].key
        table = Facts(rows.table, [], [])
        for version, *row in rows.upserts:
            self._put(table, tuple(row[:width]), version, tuple(row))
        for version, *key in rows.tombstones:
            self._put(table, tuple(key), version, None)
        self.rows_written += len(rows.upserts) + len(rows.tombstones)


@dataclass
class Registry:
    is_away: bool = False

    def get_schema(self, number: int) -> Any:
        self._answer()
        texts = {EVENT_ID: CHANNEL_EVENT, COMMAND_ID: COMMAND, LETTER_ID: DEAD_LETTER, PERSON_ID: PERSON}
        if number not in texts:
            raise SchemaRegistryError(404, 40403, "Schema not found")
        return SimpleNamespace(schema_type="AVRO", schema_str=texts[number].text)

    def lookup_schema(self, subject: str, _schema: Any) -> Any:
        self._answer()
        ids = {"dead-letters-value": LETTER_ID, "onethread.persons-value": PERSON_ID}
        return SimpleNamespace(schema_id=ids.get(subject, MERGE_ID))

    def _answer(self) -> None:
        if self.is_away:
            raise ConnectionRefusedError


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
        """A worker ends itself. Only one that stood still may be refused by Kafka; all else is a fault of ours."""
        process = PROCESS.get()
        if self._is_over or process is None or process.dead:
            return
        if isinstance(error, KafkaException) and process.was_paused:
            self._kill(process, 1.0, "kept")
            return
        process.dead = True
        self.failure = error or AssertionError("a worker left without an error")

    # -- the run

    def run(self) -> "World":
        """Everything told, everything worked, all of it in ClickHouse. Errors: whatever broke off."""
        with _in_place_of_the_outside(self):
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


class Writer:
    """What `sinks.clickhouse.writer.Writer` is to the loading stage."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, groups: Sequence[Rows]) -> None:
        world = self._world
        for rows in groups:
            world.step("insert")
            if world.clickhouse.is_away:
                raise Retryable("ClickHouse is away", world.random.uniform(0.1, 2))
            world.clickhouse.insert(rows)
            if world.random.random() < 0.02:
                raise Retryable("ClickHouse did it, and the answer was lost", 0.5)


@contextmanager
def _in_place_of_the_outside(world: World) -> Iterator[None]:
    """The names by which the product reaches Faust, Kafka, ClickHouse, the registry, the clock and its own end."""
    clock = SimpleNamespace(monotonic=world.loop.time, perf_counter=world.loop.time, time=world.loop.time)

    def producer(config: dict[str, Any]) -> Producer:
        return Producer(world.broker, world.random, world.step, config["transactional.id"])

    def offsets(_brokers: str, group: str, tps: Any) -> Any:
        assert group == GROUP
        return world.broker.stable_offsets(tps)

    def new_committer(app: Any, _settings: Any, brokers: str, name: Any) -> Committer:
        return Committer(brokers, f"{GROUP}-{name}", CHANGELOG, app.store)

    replaced: list[tuple[str, Any]] = [
        ("streams.app.new_app", lambda *arguments: arguments[3]),
        ("streams.app.graph_store", lambda app: app.store),
        ("streams.app.new_committer", new_committer),
        ("streams.app.add_stage", lambda app, stage, committer: app.add(stage, committer)),
        ("streams.app.registry_client", lambda _url: world.registry),
        ("streams.core.policy.parse", known_policy),
        ("streams.app.CHANNELS", dict.fromkeys(CHANNELS)),
        ("streams.transport.batching.FETCH_S_MAX", 2.0),
        ("streams.app.default_policy", lambda: world.plan.policy),
        ("streams.agents.load.Writer", lambda _url: Writer(world)),
        ("streams.agents.load.time", clock),
        ("schemas.registry.time", clock),
        ("streams.transport.commit.Producer", producer),
        ("streams.transport.batching.committed_offsets", offsets),
        ("streams.state.recovery.committed_offsets", offsets),
        ("streams.state.recovery.wait_until_settled", lambda _brokers, tps: world.broker.settle(tps)),
        ("streams.transport.loop.time", clock),
        ("streams.transport.loop.log", SimpleNamespace(warning=_quiet, critical=_quiet)),
        ("streams.transport.loop.os", SimpleNamespace(_exit=lambda _code: world.exit(sys.exception()))),
    ]
    with ExitStack() as stack:
        for name, value in [*replaced, *world.limits.items()]:
            stack.enter_context(patch(name, value))
        yield


def _quiet(*_: Any, **__: Any) -> None:
    """Nobody reads a simulated worker's log."""


