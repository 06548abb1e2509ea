"""What is put in the place of everything outside of the product, by the names through which the product reaches it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol
from unittest.mock import patch

from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.records import CHANNEL_EVENT, COMMAND, DEAD_LETTER, PERSON
from sinks.clickhouse.columns import TABLES, Rows
from sinks.clickhouse.rebuilding import Milestone
from streams.core.facts import Facts
from streams.errors import Retryable
from streams.transport.commit import Committer
from tests.simulation.agents.kafka import Broker
from tests.simulation.agents.loop import Loop
from tests.simulation.agents.parts import CHANGELOG, GROUP
from tests.simulation.agents.plan import Plan
from tests.simulation.agents.producer import Producer
from tests.simulation.agents.telling import COMMAND_ID, EVENT_ID
from tests.simulation.policy_file import known_policy
from tests.simulation.stores import Sink
from tests.strategies import CHANNELS

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

LETTER_ID, PERSON_ID, MERGE_ID = 3, 4, 5


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


class Outside(Protocol):
    """What stands in the place of the outside reaches of its world."""

    plan: Plan
    loop: Loop
    broker: Broker
    clickhouse: ClickHouse
    registry: Registry
    random: Random
    limits: dict[str, int]

    def step(self, name: str) -> None: ...

    def exit(self, error: BaseException | None) -> None: ...


class Writer:
    """What `sinks.clickhouse.writer.Writer` is to the loading stage."""

    def __init__(self, world: Outside) -> None:
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

    def rebuilds_begun(self) -> list[Milestone]:
        """No rebuild is under way: tests/properties/test_rebuild.py is about those."""
        return []


@contextmanager
def in_place_of_the_outside(world: Outside) -> Iterator[None]:
    """The names by which the product reaches Faust, Kafka, ClickHouse, the registry, the clock and its own end."""
    clock = SimpleNamespace(
        monotonic=world.loop.time, perf_counter=world.loop.time, time=world.loop.time,
        time_ns=lambda: int(world.loop.time() * 1e9),
    )

    def producer(config: dict[str, Any]) -> Producer:
        return Producer(world.broker, world.random, world.step, config["transactional.id"])

    def offsets(_brokers: str, group: str, tps: Any, _wait_s: float = 0) -> Any:
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
        ("streams.clock.time", clock),
        ("schemas.registry.time", clock),
        ("streams.transport.commit.Producer", producer),
        ("streams.transport.commit.log", SimpleNamespace(warning=_quiet)),
        ("streams.transport.batching.committed_offsets", offsets),
        ("streams.state.recovery.committed_offsets", offsets),
        ("streams.state.recovery.wait_until_settled", lambda _brokers, tps, _wait_s: world.broker.settle(tps)),
        ("streams.state.recovery.log", SimpleNamespace(info=_quiet)),
        ("streams.transport.groups.time", clock),
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


