"""The product's agents through crashes, pauses, rebalances and outages: always the oracle's rows, books and state."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from streams.transport.commit import Committer
from tests.simulation.agents import run
from tests.simulation.agents.draw import plan
from tests.simulation.agents.group import Group
from tests.simulation.agents.kafka import Broker
from tests.simulation.agents.plan import Fault
from tests.simulation.agents.world import World
from tests.simulation.run import of_agents, options_of, repeat

PARTS = ["rules", "policies", "erasures"]
_DRAWN = plan(14, 5, PARTS)
SMALL = replace(
    _DRAWN, faults=(), workers=2, partitions=2,
    told=tuple(replace(told, partition=told.partition % 2) for told in _DRAWN.told),
)
"""A world small enough to let a fault happen at each of its steps, with two merges, rules and an erasure."""


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_random_deployments_end_as_the_oracle_says(first: int) -> None:
    """`make simulate WORLD=agents` runs more of them."""
    for seed in range(first, first + 20):
        options = options_of(["--world", "agents", "--events", "20", "--with", ",".join(PARTS)])
        wrong = of_agents(seed, options)
        assert not wrong, "\n".join([*wrong, repeat(options, seed)])


@pytest.mark.parametrize("fault", [
    Fault(0, "crash", 0.1), Fault(0, "crash", 20, "torn"), Fault(0, "crash", 1, "lost"), Fault(0, "pause", 10),
    Fault(0, "fence"),
], ids=["crash", "crash and another takes over", "crash that loses the disk", "zombie", "taken for gone"])
def test_a_fault_at_any_step_changes_nothing(fault: Fault) -> None:
    """The step moves on by one until a run ends before it is reached."""
    steps = 0
    for step, wrong in run.each_step(SMALL, fault):
        assert not wrong, f"{fault.kind} at step {step}: {wrong}"
        steps = step
    assert steps > 300


def test_the_small_world_has_what_a_fault_may_tear_apart() -> None:
    kept = World(SMALL).run().clickhouse.kept
    assert {table: len(kept[table]) for table in ("merges", "rules", "erased_identifiers", "dead_letters")} == {
        "merges": 2, "rules": 3, "erased_identifiers": 2, "dead_letters": 1,
    }


def test_a_seed_decides_everything() -> None:
    """Also with another order of sets: what a case did can be looked at again on another day."""
    digests = set()
    for hash_seed in ("1", "2"):
        code = "from tests.simulation.test_agents import digest; print(digest())"
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ,
            cwd=Path(__file__).parents[2],
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def digest() -> str:
    """Everything that some runs did to the outside, step by step, and what they left in ClickHouse."""
    told = blake2b()
    for seed in (3, 8):
        world = World(plan(seed, 20, PARTS)).run()
        rows = sorted(repr((table, row)) for table, kept in world.clickhouse.kept.items() for row in kept.items())
        told.update(repr((world.trace, rows)).encode())
    return told.hexdigest()


# -- the simulation finds what it is there for


@contextmanager
def store_before_the_transaction() -> Iterator[None]:
    real = Committer._transact

    def transact(self: Any, work: Any, *others: Any) -> None:
        for number, writes in work.writes.items():
            self._store.write(number, writes.puts, writes.deletes, 0)
        real(self, work, *others)

    with patch.object(Committer, "_transact", transact):
        yield


@contextmanager
def offsets_of_any_generation() -> Iterator[None]:
    with patch.object(Group, "accepts", lambda _self, _membership: True):
        yield


@contextmanager
def owners_that_wait_for_no_transaction() -> Iterator[None]:
    with patch.object(Broker, "stable_offsets", lambda self, tps: {tp: self.offsets.get(tp) for tp in sorted(tps)}):
        yield


@pytest.mark.parametrize(("mistake", "fault"), [
    (store_before_the_transaction, Fault(0, "crash", 0.1)),
    (offsets_of_any_generation, Fault(0, "pause", 10)),
    (owners_that_wait_for_no_transaction, Fault(0, "pause", 10)),
])
def test_a_known_mistake_is_found(mistake: Any, fault: Fault) -> None:
    with mistake():
        assert any(wrong for _, wrong in _until_broken(fault))


def _until_broken(fault: Fault) -> Iterator[tuple[int, list[str]]]:
    """As `each_step`, where a run that breaks off is one that is wrong."""
    for step in range(1, 400):
        yield step, run.wrong(replace(SMALL, faults=(replace(fault, step=step),)))
