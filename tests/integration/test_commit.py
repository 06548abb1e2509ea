"""A kill at each step of the commit leaves all of a group or nothing of it."""

import signal

import pytest

pytestmark = pytest.mark.stack

STEPS = ("begin", "records", "changelog", "offsets", "commit", "store")


def test_a_kill_at_any_step_leaves_all_or_nothing(lab):
    for step in STEPS:
        lab.produce(4000)
        worker = lab.start(0, ONETHREAD_DIE_AT=f"{step}:2")
        assert worker.wait(30) == -signal.SIGKILL, f"not killed at {step}"
    lab.start(0)
    lab.wait_done(40)
    lab.check()
