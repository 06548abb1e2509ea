"""A worker that dies at any one commit changes no row: the failing step moves on by one until none is left."""

from itertools import count
from random import Random

import pytest

from tests.oracle.batch import COVERED, Tables
from tests.simulation.broker import Run
from tests.simulation.compare import held
from tests.strategies import make_world

WORLD = make_world(Random(11), 10, ["rules", "policies"])


def _rows(crash_at: int, after: bool) -> tuple[Tables, int]:
    run = Run(WORLD, Random(5), partitions=3, crash_at=crash_at, after=after)
    return held(run.finish(), COVERED), run.commits


@pytest.mark.parametrize("after", [False, True])
def test_dying_at_any_commit_changes_no_row(after: bool) -> None:
    undisturbed, commits = _rows(0, after)
    assert commits > 20
    for crash_at in count(1):
        rows, commits = _rows(crash_at, after)
        assert rows == undisturbed, f"dying at commit {crash_at}"
        if commits < crash_at:
            break
