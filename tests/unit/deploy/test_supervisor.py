"""Supervision with small stand-in processes: order, restarts, back-off, rotation, and what is left at the end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import orders, records, supervisor
from deploy.local.parts import Part
from deploy.local.records import Record
from deploy.local.supervisor import FORGIVEN_AFTER_S, SUPERVISOR, Supervisor, _Running
from streams.errors import OneThreadError
from tests.conftest import supervised

SLEEP = "import time; time.sleep(600)"


def part(name: str, code: str = SLEEP, answers: Callable[[], bool] = lambda: True) -> Part:
    return Part(name, (sys.executable, "-c", code), "127.0.0.1:0", answers, stop_after_s=5)


def until(condition: Callable[[], bool], limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


def test_a_killed_part_is_started_again_and_its_death_told(tmp_path: Path) -> None:
    with supervised(tmp_path, [part("one")]):
        before = records.read_all(tmp_path)["one"]
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: (r := records.read_all(tmp_path)["one"]).state == "running" and r.pid != before.pid)
        after = records.read_all(tmp_path)["one"]
    assert (after.restarts, after.last_error) == (1, "killed by SIGKILL")


def test_the_pause_before_a_restart_doubles_to_30_s_and_a_minute_of_running_forgives(tmp_path: Path) -> None:
    subject, running = Supervisor(tmp_path, []), _Running(part("one"), Record("one", "starting"))
    supervisor.log_path(tmp_path, "one").parent.mkdir()
    supervisor.log_path(tmp_path, "one").touch()

    def pause_s() -> int:
        subject._bury(running, 1)
        return round(running.again_at - time.monotonic())

    assert [pause_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    running.record = Record("one", "running", since=time.time() - FORGIVEN_AFTER_S + 5)
    assert pause_s() == 30
    running.record = Record("one", "running", since=time.time() - FORGIVEN_AFTER_S)
    assert pause_s() == 1


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    with supervised(tmp_path, [part("one"), part("two")]):
        found = records.read_all(tmp_path)
        assert {r.state for r in found.values() if r.name != SUPERVISOR} == {"running"}
    assert not any(records.process(r) for r in found.values() if r.name != SUPERVISOR)
    assert {r.state for r in records.read_all(tmp_path).values()} == {"stopped"}


def test_workers_start_after_the_preparation_and_stop_before_the_rest(tmp_path: Path) -> None:
    order = tmp_path / "order"

    def noting(name: str) -> Part:
        code = (
            "import signal, sys, time\n"
            f"note = lambda what: open({str(order)!r}, 'a').write(f'{name} {{what}}\\n')\n"
            "signal.signal(signal.SIGTERM, lambda *_: (note('stops'), sys.exit(0)))\n"
            "note('starts'); time.sleep(600)"
        )
        return part(name, code, lambda: order.exists() and f"{name} starts" in order.read_text())

    running = Supervisor(tmp_path, [noting("kafka"), noting("clickhouse")], [noting("worker-0")],
                         prepare=lambda: order.open("a").write("prepared\n") and None)
    thread = threading.Thread(target=running.run)
    thread.start()
    until(lambda: (r := records.read(tmp_path, SUPERVISOR)) is not None and r.state == "running")
    running.stop.set()
    thread.join()
    lines = order.read_text().splitlines()
    assert sorted(lines[:2]) == ["clickhouse starts", "kafka starts"]
    assert lines[2:] == ["prepared", "worker-0 starts", "worker-0 stops", "clickhouse stops", "kafka stops"]


def test_a_part_that_cannot_start_ends_the_start_with_its_last_words(tmp_path: Path) -> None:
    broken = part("broken", "import sys; print('no room left'); sys.exit(3)", lambda: False)
    with pytest.raises(OneThreadError, match="broken does not start: exit 3: no room left"):
        Supervisor(tmp_path, [part("one"), broken]).run()
    assert not any(records.process(r) for r in records.read_all(tmp_path).values())
    assert records.read_all(tmp_path)[SUPERVISOR].state == "failed"


def test_a_second_supervisor_is_refused(tmp_path: Path) -> None:
    with supervised(tmp_path, [part("one")]), pytest.raises(OneThreadError, match="another supervisor"):
        Supervisor(tmp_path, [part("one")]).run()


def test_a_look_at_the_lock_does_not_stop_a_start(tmp_path: Path) -> None:
    """`status` and `up` try the lock to see whether a supervisor lives."""
    looking = supervisor.lock(tmp_path)
    assert looking is not None
    assert supervisor.lock(tmp_path) is None
    threading.Timer(0.05, looking.close).start()
    with supervised(tmp_path, [part("one")]):
        assert supervisor.lock(tmp_path) is None


def test_a_long_log_keeps_one_older_file_and_the_part_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "LOG_BYTES_MAX", 1000)
    chatty = part("chatty", "import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.001)")
    log = tmp_path / "logs" / "chatty.log"
    with supervised(tmp_path, [chatty]):
        until(lambda: log.with_suffix(".log.1").exists() and log.stat().st_size > 0)
    assert log.with_suffix(".log.1").stat().st_size > 1000
    assert b"\0" not in log.read_bytes()


def test_a_part_that_is_to_restart_comes_back_at_once_and_it_is_no_death(tmp_path: Path) -> None:
    with supervised(tmp_path, [part("one")]):
        until(lambda: records.read_all(tmp_path)["one"].state == "running")
        before = records.read_all(tmp_path)["one"]
        orders.restart(tmp_path, "one")
        until(lambda: (r := records.read_all(tmp_path)["one"]).state == "running" and r.pid != before.pid, 5)
        after = records.read_all(tmp_path)["one"]
    assert (after.restarts, after.last_error) == (0, "")


def test_a_part_that_does_not_end_when_asked_to_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subject = replace(part("one", stubborn), stop_after_s=0.5)
    with supervised(tmp_path, [subject]):
        until(lambda: records.read_all(tmp_path)["one"].state == "running")
        before = records.read_all(tmp_path)["one"]
        time.sleep(0.5)  # it ignores the signal only once it runs
        orders.restart(tmp_path, "one")
        until(lambda: (r := records.read_all(tmp_path)["one"]).state == "running" and r.pid != before.pid, 10)


def test_workers_come_and_go_as_asked_for(tmp_path: Path) -> None:
    """Who leaves is told that it is for good, and nobody remembers it."""
    ends = f"import signal, time; signal.signal(signal.SIGUSR1, lambda *_: open({str(tmp_path / 'left')!r}, 'w'));"

    def worker(index: int) -> Part:
        code = f"{ends}\ntime.sleep(600)" if index else SLEEP
        return replace(part(f"worker-{index}", code), leave_by=signal.SIGUSR1, stop_after_s=0.5)

    stop, subject = threading.Event(), None
    subject = Supervisor(tmp_path, [], [worker(0)], stop=stop, worker=worker, tick_s=0.02)
    thread = threading.Thread(target=subject.run)
    thread.start()
    try:
        until(lambda: (r := records.read(tmp_path, SUPERVISOR)) is not None and r.state == "running")
        first = records.read_all(tmp_path)["worker-0"].pid
        orders.scale(tmp_path, 3)
        until(lambda: {"worker-1", "worker-2"} <= records.read_all(tmp_path).keys())
        time.sleep(0.5)  # they handle the signal only once they run
        orders.scale(tmp_path, 1)
        until(lambda: records.read_all(tmp_path).keys() == {SUPERVISOR, "worker-0"})
        assert records.read_all(tmp_path)["worker-0"].pid == first
        assert (tmp_path / "left").exists()
    finally:
        stop.set()
        thread.join()
    assert not any(records.process(record) for record in records.read_all(tmp_path).values() if record.pid)


TURNS = """import fcntl, os, pathlib, time
pathlib.Path(os.environ["ONETHREAD_PREPARED"]).touch()
lock = open({lock!r}, "w")
fcntl.flock(lock, fcntl.LOCK_EX)
open({log!r}, "a").write(f"{{os.getpid()}}\\n")
time.sleep(600)
"""


def test_a_part_that_takes_turns_is_replaced_by_one_that_is_ready(tmp_path: Path) -> None:
    """The process that follows waits beside it: the next one begins when the first is gone."""
    begun = tmp_path / "begun"
    code = TURNS.format(lock=str(tmp_path / "turn"), log=str(begun))
    with supervised(tmp_path, [replace(part("one", code, begun.exists), takes_turns=True)]):
        until(lambda: records.read_all(tmp_path)["one"].state == "running")
        before = records.read_all(tmp_path)["one"]
        orders.restart(tmp_path, "one")
        until(lambda: (r := records.read_all(tmp_path)["one"]).state == "running" and r.pid != before.pid)
        after = records.read_all(tmp_path)["one"]
        until(lambda: begun.read_text() == f"{before.pid}\n{after.pid}\n")
    assert (after.restarts, after.last_error) == (0, "")


def test_a_part_goes_on_where_the_one_that_should_follow_cannot_start(tmp_path: Path) -> None:
    """New code that does not even import: what works stays."""
    bad = tmp_path / "bad"
    code = f"import os, sys, time\nif os.path.exists({str(bad)!r}): sys.exit('no such module')\ntime.sleep(600)"
    with supervised(tmp_path, [replace(part("one", code), takes_turns=True)]):
        until(lambda: records.read_all(tmp_path)["one"].state == "running")
        before = records.read_all(tmp_path)["one"]
        time.sleep(0.5)  # it looks for the file only once it runs
        bad.touch()
        orders.restart(tmp_path, "one")
        until(lambda: records.read_all(tmp_path)["one"].last_error != "")
        after = records.read_all(tmp_path)["one"]
    assert (after.pid, after.state) == (before.pid, "running")
    assert after.last_error == "its successor did not start: exit 1: no such module"
