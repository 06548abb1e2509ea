"""`python -m tests.large.upgrade --from COMMIT`: a home that an older commit filled is taken over by this one.

The older commit's code, out of the repository's history and run by this environment, starts a stack, takes half of the
events, settles and stops, as the upgrade page tells. This one starts in the same home and takes the rest. In the end
every row is the oracle's and the books balance, so no event was lost and no record of the old state was misread; then
the state is read once more by a rebuild. Exit 1 where not.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local import stack
from deploy.local.parts import CHECKOUT
from deploy.local.ports import Addresses
from examples.sample import lines
from tests.conftest import free_base
from tests.integration.pipeline import assert_as_expected, await_rest
from tests.integration.test_governing import onethread
from tests.integration.test_pipeline import _good
from tests.large.operations import Steps, use


def older(checkout: Path, *words: str) -> None:
    """A command of the older code. Errors: CalledProcessError."""
    subprocess.run([sys.executable, "-W", "ignore", "-m", "cli.main", *words], cwd=checkout, check=True,
                   env={**os.environ, "PYTHONPATH": str(checkout)}, stdout=subprocess.DEVNULL)


def run(folder: Path, commit: str, people: int) -> None:
    steps, told = Steps(), _good(lines(people=people))
    half = len(told) // 2
    checkout, at = folder / "older", use(Addresses(folder / "home", free_base()))
    parts = [folder / f"{name}.jsonl" for name in ("first", "second")]
    for path, some in zip(parts, (told[:half], told[half:]), strict=True):
        path.write_bytes(b"\n".join(some) + b"\n")
    subprocess.run(["git", "-C", str(CHECKOUT), "worktree", "add", "-q", "--detach", str(checkout), commit], check=True)
    try:
        older(checkout, "up", "--detach")
        older(checkout, "emit", str(parts[0]))
        older(checkout, "settle")
        older(checkout, "down")
        steps.done(f"{half} events under {commit}")
        stack.start(at, 1)
        onethread("emit", str(parts[1]))
        await_rest(at)
        assert_as_expected(at, told)
        books = json.loads(onethread("status", "--json"))["books"]
        assert books["difference"] == 0, books
        steps.done(f"{len(told) - half} more under this one: every row is the oracle's, books balance")
        onethread("rebuild")
        await_rest(at)
        assert_as_expected(at, told)
        steps.done("rebuilt from the old state: the same")
    finally:
        stack.stop(at.home)
        shutil.rmtree(checkout, ignore_errors=True)
        subprocess.run(["git", "-C", str(CHECKOUT), "worktree", "prune"], check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", required=True, help="a commit, tag or branch")
    parser.add_argument("--people", type=int, default=30)
    chosen = parser.parse_args(arguments)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), chosen.commit, chosen.people)
    print(f"taken over, in {time.monotonic() - began_s:.0f} s")


if __name__ == "__main__":
    main()
