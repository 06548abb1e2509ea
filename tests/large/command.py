"""What the long suites' command lines share."""

import argparse
import sys


def parser(module: str, about: str | None) -> argparse.ArgumentParser:
    """Of `python -m MODULE`; more options are the suite's own."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    made.add_argument("--port-base", type=int, default=0, help="of the stack; default: a free one")
    return made


def say(*lines: str) -> None:
    """Progress, apart from what the suite prints in the end."""
    print(*lines, sep="\n", file=sys.stderr, flush=True)
