"""Many random worlds, each decided by one seed: `python -m tests.simulation.run --seed 7 --cases 1000`.

`--world core` lets the partitions of the identity graph work alone, thousands of cases a minute; `--world agents` runs
the product's agents on a simulated Kafka, ClickHouse and clock, with crashes, pauses and rebalances. A failing case
prints its seed, what differs, the line that repeats it, and the smallest case found that fails as well.
"""

import argparse
import sys
import traceback
from random import Random

from tests.simulation.agents import run as agents
from tests.simulation.broker import Run
from tests.simulation.compare import wrong
from tests.simulation.shrinking import shrunk
from tests.strategies import World, make_world

PARTS = ("rules", "policies", "erasures")
WORLDS = ("core", "agents")
ORDERS = 4
"""In so many a smaller world is tried before it counts as right."""


def drawn(seed: int, events_max: int, parts: list[str]) -> tuple[World, Random]:
    """A world, and what goes on to decide in which order it is worked."""
    random = Random(seed)
    return make_world(random, random.randint(1, events_max), parts), random


def case(seed: int, events_max: int, parts: list[str]) -> tuple[World, list[str]]:
    """One world in one order, both decided by the seed."""
    world, random = drawn(seed, events_max, parts)
    return world, worked(world, random)


def worked(world: World, random: Random) -> list[str]:
    """What is wrong with a world worked in one order, or how that broke off."""
    try:
        return wrong(world, Run(world, random))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return [f"broke off at {place.filename}:{place.lineno} with {type(error).__name__}: {error}"]


def smaller(world: World, random: Random) -> tuple[World, list[str]]:
    """What is left of a failing world without all that it fails without, and what is wrong with it.

    An order is of one world: what is left is tried in that of the same random numbers, and in some others.
    """
    state = random.getstate()

    def failure(some: World) -> list[str]:
        random.setstate(state)
        orders = random, *map(Random, range(ORDERS - 1))
        return next(filter(None, (worked(some, order) for order in orders)), [])

    least = shrunk(world, ("changes", "erasures", "words", "events"), lambda some: bool(failure(some)))
    return least, failure(least)


def of_core(seed: int, options: argparse.Namespace) -> list[str]:
    """What is wrong with one case, and what it was about."""
    world, found = case(seed, options.events, options.parts)
    if not found:
        return []
    least, why = smaller(*drawn(seed, options.events, options.parts))
    shown = told(world) if options.show else []
    return [*found[:8], *shown, "a smaller one that fails as well:", *told(least), *why[:8]]


def told(world: World) -> list[str]:
    """A world in words."""
    return [str(one) for one in (*world.changes, *world.erasures, *world.words, *world.events)]


def of_agents(seed: int, options: argparse.Namespace) -> list[str]:
    """The same of one case of the agents."""
    plan, wrong = agents.case(seed, options.events, options.parts)
    if not wrong:
        return []
    small = agents.smaller(plan)
    return [*wrong[:8], "a smaller one that fails as well:", *agents.told(small), *agents.wrong(small)[:8]]


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--world", choices=WORLDS, default="core")
    parser.add_argument("--seed", type=int, default=0, help="of the first case; each next one has the next")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--events", type=int, default=40, help="at most so many events a case")
    parser.add_argument("--with", dest="parts", default="", help=f"of {','.join(PARTS)}: what else happens")
    parser.add_argument("--show", action="store_true", help="print the events of a failing case of the core")
    options = parser.parse_args(arguments)
    options.parts = [part for part in options.parts.split(",") if part]
    if not set(options.parts) <= set(PARTS):
        parser.error(f"--with takes {','.join(PARTS)}; came {','.join(options.parts)}")
    return options


def repeat(options: argparse.Namespace, seed: int) -> str:
    """The line that runs one case again; the order of sets is part of what it fixes."""
    return (f"PYTHONHASHSEED=0 python -m tests.simulation.run --world {options.world} --cases 1 --seed {seed} "
            f"--events {options.events} --with '{','.join(options.parts)}'")


def main() -> int:
    options = options_of()
    failed = 0
    for seed in range(options.seed, options.seed + options.cases):
        try:
            wrong = of_agents(seed, options) if options.world == "agents" else of_core(seed, options)
        except Exception as error:
            print(f"seed {seed} broke off with {type(error).__name__}: {error}")
            print(f"repeat it with: {repeat(options, seed)}")
            raise
        if wrong:
            failed += 1
            print(f"seed {seed}:", *wrong, sep="\n  ")
            print(f"  repeat it with: {repeat(options, seed)}", flush=True)
    print(f"{options.cases} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
