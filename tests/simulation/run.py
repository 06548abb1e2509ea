"""Many random worlds through the simulated partitions: `python -m tests.simulation.run --seed 7 --cases 1000`.

A failing case prints its seed, what differs, and the line that repeats it.
"""

import argparse
import sys
from random import Random

from tests.simulation.broker import Run
from tests.simulation.compare import differences, oracle
from tests.strategies import World, make_world

PARTS = ("rules", "policies")


def case(seed: int, events_max: int, parts: list[str]) -> tuple[World, list[str]]:
    """One world in one order, both decided by the seed."""
    random = Random(seed)
    world = make_world(random, random.randint(1, events_max), parts)
    return world, differences(oracle(world), Run(world, random).finish())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0, help="of the first case; each next one has the next")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--events", type=int, default=40, help="at most so many events a case")
    parser.add_argument("--with", dest="parts", default="", help=f"of {','.join(PARTS)}: what else happens")
    parser.add_argument("--show", action="store_true", help="print the events of a failing case")
    options = parser.parse_args()
    failed, parts = 0, [part for part in options.parts.split(",") if part]
    if not set(parts) <= set(PARTS):
        parser.error(f"--with takes {','.join(PARTS)}; came {options.parts}")
    repeat = f"python -m tests.simulation.run --cases 1 --events {options.events} --with '{options.parts}' --seed"
    for seed in range(options.seed, options.seed + options.cases):
        try:
            world, wrong = case(seed, options.events, parts)
        except Exception as error:
            print(f"seed {seed} broke off with {type(error).__name__}: {error}")
            print(f"repeat it with: {repeat} {seed}")
            raise
        if wrong:
            failed += 1
            print(f"seed {seed}: {len(wrong)} rows differ", *wrong[:8], sep="\n  ")
            if options.show:
                print(*world.words, *world.events, sep="\n  ")
            print(f"  repeat it with: {repeat} {seed}")
    print(f"{options.cases} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
