"""Workers that die, sleep, come and go under load: every record once, and the state as it must be, to the byte."""

import signal
import subprocess
import time
from threading import Thread

import pytest

from streams.transport.application import SESSION_TIMEOUT_S
from streams.transport.loop import EXIT_FAILED

pytestmark = pytest.mark.stack


def under_load(lab, seconds: float, rate: int = 4000) -> Thread:
    def produce() -> None:
        started, sent = time.monotonic(), 0
        while (passed := time.monotonic() - started) < seconds:
            due = int(passed * rate) - sent
            lab.produce(due)
            sent += due
            time.sleep(0.05)

    thread = Thread(target=produce)
    thread.start()
    return thread


def ended_by_a_sleep(sleeper: subprocess.Popen[bytes]) -> int | None:
    """The exit code of a worker that was stopped for two sessions; None where it goes on."""
    sleeper.send_signal(signal.SIGSTOP)
    time.sleep(2 * SESSION_TIMEOUT_S)
    sleeper.send_signal(signal.SIGCONT)
    try:
        return sleeper.wait(15)
    except subprocess.TimeoutExpired:
        return None


def test_nothing_is_lost_or_doubled_when_a_worker_is_killed_three_times(lab):
    lab.start(0)
    load = under_load(lab, 14)
    for _ in range(3):
        lab.wait_consumed(sum(lab.committed("in").values()) + 2000)
        lab.kill(0)
        lab.start(0)
    load.join()
    lab.wait_done()
    lab.check()


def test_a_worker_that_slept_past_its_session_cannot_write(lab):
    """It wakes with a batch in hand that another worker has done; the broker refuses its transaction."""
    lab.start(0)
    sleeper = lab.start(1, LAB_WORK_S="1")  # so that it nearly always has a batch in hand
    lab.produce(4000)
    lab.wait_consumed(4000)
    for _ in range(3):  # one that was only taking its partitions over has nothing in hand yet, and rightly goes on
        load = under_load(lab, 16, rate=2000)
        time.sleep(2)
        ended = ended_by_a_sleep(sleeper)
        load.join()
        if ended is not None:
            break
    assert ended == EXIT_FAILED
    assert b"UNKNOWN_MEMBER_ID" in lab.log(1).read_bytes()
    del lab.workers[1]
    lab.wait_done()
    lab.check()


def test_nothing_is_lost_or_doubled_when_workers_join_and_leave(lab):
    lab.start(0)
    load = under_load(lab, 22)
    lab.wait_consumed(2000)
    lab.start(1)
    time.sleep(5)
    lab.stop(1)
    time.sleep(1)
    lab.start(1)
    time.sleep(4)
    lab.kill(0)
    load.join()
    lab.wait_done()
    lab.check()


def test_a_worker_that_comes_back_reading_fewer_topics_goes_on_with_those(lab):
    """Within its session the group gives it what it had, whatever it reads now: settings may have lost a mapping."""
    lab.start(0)
    lab.produce(2000)
    lab.wait_done()
    lab.kill(0)
    lab.start(0, LAB_STAGES="note")
    lab.produce(2000)
    lab.wait_consumed(4000)
    assert "event=topics_not_read" in lab.log(0).read_text(), "its session was over before it was back"
    assert sum(lab.committed("mid").values()) < sum(lab.ends("mid").values())
    lab.kill(0)
    lab.start(0)
    lab.wait_done()
    lab.check()
