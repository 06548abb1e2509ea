"""A kill at each step of the commit leaves all of a group or nothing of it."""

import signal

import pytest

from streams.transport.stable import fence

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


def test_a_worker_that_others_took_for_gone_goes_on(lab):
    """Leaving for it would make the others take it for gone again, and end the transaction of its next start."""
    lab.produce(4000)
    lab.start(0)
    lab.wait_done(60)  # on a starved machine a worker may lose its session while it starts
    worker = lab.workers[0]
    for _ in range(3):
        lab.wait_settled()  # whoever is fenced in its very commit has to end
        fence(lab.brokers, f"{lab.group}-0")
        lab.produce(2000)
        lab.wait_done(40, restart=False)
    assert worker.poll() is None
    lab.check()
