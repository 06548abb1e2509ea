"""`python -m examples.sample [--seed N] [--people N] > events.jsonl`"""

import argparse
import sys

from examples.sample.world import PEOPLE, SEED, lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.sample", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--people", type=int, default=PEOPLE)
    options = parser.parse_args()
    for line in lines(options.seed, options.people):
        sys.stdout.buffer.write(line.encode() + b"\n")


if __name__ == "__main__":
    main()
