"""Whole deployments from one seed: a run and what is wrong with it, smaller runs that fail as well, and every step.

`python -m tests.simulation.run --world agents` runs many of them.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from tests.simulation.agents import judge
from tests.simulation.agents.draw import plan
from tests.simulation.agents.plan import Fault, Plan
from tests.simulation.agents.world import World
from tests.simulation.shrinking import shrunk


def wrong(of: Plan) -> list[str]:
    """What is wrong after a run, or how it broke off; nothing where all is right."""
    try:
        world = World(of).run()
    except Exception as error:
        return [f"broke off with {type(error).__name__}: {error}"]
    return judge.wrong(world, judge.read(world))


def case(seed: int, events_max: int, parts: list[str]) -> tuple[Plan, list[str]]:
    of = plan(seed, events_max, parts)
    return of, wrong(of)


def smaller(of: Plan) -> Plan:
    """What is left of a failing plan when everything is left out that it fails without."""
    return shrunk(of, ("faults", "told", "faults"), lambda some: bool(wrong(some)))


def told(of: Plan) -> list[str]:
    """A plan in words."""
    lines = [f"{of.workers} workers, {of.partitions} partitions", *map(repr, of.faults)]
    for n, one in enumerate(of.told):
        lines.append(f"{n}: {one.topic}/{one.partition} after {one.after_s:.3f} s: {one.value!r:.400}")
    return lines


def each_step(of: Plan, fault: Fault) -> Iterator[tuple[int, list[str]]]:
    """The fault at step 1, 2, 3 …, until a run ends before it is reached; each with what is wrong."""
    for step in count(1):
        world = World(replace(of, faults=(replace(fault, step=step),))).run()
        yield step, judge.wrong(world, judge.read(world))
        if not world.happened:
            return
