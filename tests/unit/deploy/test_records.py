"""A record names a process for sure: pid and creation time together."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local import records
from deploy.local.records import Record


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = Record("kafka", "running", "127.0.0.1:1", 7, 1.5, 2.5, 3, "exit 1")
    records.write(tmp_path, record)
    assert records.read_all(tmp_path) == {"kafka": record}
    assert records.read(tmp_path, "registry") is None


def test_a_part_that_leaves_between_two_looks_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records.write(tmp_path, Record("kafka", "running"))
    monkeypatch.setattr(Path, "glob", lambda folder, _: [folder / "kafka.json", folder / "worker-1.json"])
    assert records.read_all(tmp_path) == {"kafka": Record("kafka", "running")}


def test_a_pid_given_to_another_program_is_nobody_of_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        created = records.created_at(child.pid)
        assert records.process(Record("a", "running", pid=child.pid, created=created)) is not None
        assert records.process(Record("a", "running", pid=child.pid, created=created - 10)) is None
        records.stop([Record("a", "running", pid=child.pid, created=created - 10)], 0.1)
        assert child.poll() is None
        child.kill()


def test_a_process_that_ended_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    record = Record("a", "running", pid=child.pid, created=records.created_at(child.pid))
    child.wait()
    assert records.process(record) is None


def test_a_part_deaf_to_sigterm_is_killed_after_the_grace() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", deaf], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             start_new_session=True)
    assert child.stdout is not None
    child.stdout.readline()
    records.stop([Record("a", "running", pid=child.pid, created=records.created_at(child.pid))], 0.3)
    assert not psutil.pid_exists(child.pid)
