"""A kill at each step of the commit leaves all of a group or nothing of it."""

import pytest

pytestmark = pytest.mark.stack

STEPS = ("begin", "records", "changelog", "offsets", "commit", "store")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_all_or_nothing(lab, step):
    lab.produce(8000)
    worker = lab.start(0, ONETHREAD_DIE_AT=f"{step}:2")
    assert worker.wait(30) == -9
    lab.produce(4000)
    lab.start(0)
    lab.wait_done(40)
    lab.check()
