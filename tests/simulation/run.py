"""Many random worlds through the simulated partitions: `python -m tests.simulation.run --seed 7 --cases 1000`.

A failing case prints its seed, what differs, and the line that repeats it.
"""

import argparse
import sys
from random import Random

from tests.simulation.broker import Run
from tests.simulation.compare import differences, oracle
from tests.strategies import World, make_world


def case(seed: int, events_max: int) -> tuple[World, list[str]]:
    """One world in one order, both decided by the seed."""
    random = Random(seed)
    world = make_world(random, random.randint(1, events_max))
    return world, differences(oracle(world), Run(world, random).finish())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0, help="of the first case; each next one has the next")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--events", type=int, default=40, help="at most so many events a case")
    parser.add_argument("--show", action="store_true", help="print the events of a failing case")
    options = parser.parse_args()
    failed = 0
    for seed in range(options.seed, options.seed + options.cases):
        try:
            world, wrong = case(seed, options.events)
        except Exception as error:
            print(f"seed {seed} broke off with {type(error).__name__}: {error}")
            print(f"repeat it with: python -m tests.simulation.run --seed {seed} --cases 1 --events {options.events}")
            raise
        if wrong:
            failed += 1
            print(f"seed {seed}: {len(wrong)} rows differ", *wrong[:8], sep="\n  ")
            if options.show:
                print(*world.events, sep="\n  ")
            print(f"  repeat it with: python -m tests.simulation.run --seed {seed} --cases 1 --events {options.events}")
    print(f"{options.cases} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
