"""The process that keeps a local stack running: starts the parts, starts again those that die, stops them in order.

Rules: Kafka, registry and ClickHouse start together; what they must hold (topics, schemas, tables) is made when they
answer; then the workers start. A part that dies comes back after 1, 2, 4 … 30 s; a minute of running forgives the
past. One that dies three times before the stack stands, or does not answer in time, ends the start. Parts write to
their log files themselves, so that they outlive a supervisor that is killed. The lock in `run/` is held for life:
there is one supervisor a home. While all runs it follows `orders`: a part that it was asked to restart comes back at
once, and a worker too many leaves. A part that takes turns is replaced by a process that is ready before it ends.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from deploy.local import orders, records
from deploy.local.parts import Part
from deploy.local.records import Record
from streams.errors import OneThreadError

SUPERVISOR = "supervisor"
WORKER = "worker-"
TICK_S = 0.1
BACK_OFF_MAX_S = 30.0
FORGIVEN_AFTER_S = 60.0
DEATHS_AT_START_MAX = 3
START_S_MAX = 180.0
LOCK_S = 0.5
"""A command that looks whether a supervisor lives holds its lock for a moment."""
PREPARE_S_MAX = 120.0
"""A process that takes longer to get ready to take a part's place does not get it."""
PREPARED = "ONETHREAD_PREPARED"
LOG_BYTES_MAX = 50 * 1024 * 1024


@dataclass
class _Running:
    """A part with its process, from start to start."""

    part: Part
    record: Record
    process: "subprocess.Popen[bytes] | None" = None
    failures: int = 0
    again_at: float = 0.0
    kill_at: float | None = None
    """When a part that was asked to end is killed; None: it was not asked."""
    is_leaving: bool = False
    """It does not come back."""
    next: "subprocess.Popen[bytes] | None" = None
    """The process that takes its place once it is gone."""
    prepared_by: float = 0.0


@dataclass
class Supervisor:
    """Runs `parts`, then `prepare`, then `workers`, until `stop` is set.

    `started` is called when everything answers. `worker` makes further workers, for orders that ask for them.
    """

    home: Path
    parts: Sequence[Part]
    workers: Sequence[Part] = ()
    prepare: Callable[[], None] = lambda: None
    stop: threading.Event = field(default_factory=threading.Event)
    tick_s: float = TICK_S
    address: str = ""
    worker: Callable[[int], Part] | None = None
    _all: list[_Running] = field(default_factory=list)
    _lock: "IO[str] | None" = None

    def run(self) -> None:
        """Start, watch, stop. Errors: OneThreadError saying which part did not start and its last words."""
        self._lock = lock(self.home, LOCK_S)
        if self._lock is None:
            raise OneThreadError(f"another supervisor runs the stack in {self.home}")
        pid = os.getpid()
        me = Record(SUPERVISOR, "starting", self.address, pid, records.created_at(pid), since=time.time())
        records.write(self.home, me)
        orders.take(self.home)  # of an earlier life
        try:
            self._start()
            if not self.stop.is_set():
                records.write(self.home, me.now("running"))
            while not self.stop.wait(self.tick_s):
                self._obey(orders.take(self.home))
                self._watch()
            records.write(self.home, me.now("stopping"))
            self._stop_all()
            records.write(self.home, me.now("stopped", pid=0))
        except BaseException as error:
            self._stop_all()
            records.write(self.home, me.now("failed", pid=0, last_error=str(error) or type(error).__name__))
            raise
        finally:
            self._lock.close()

    def _start(self) -> None:
        self._launch(self.parts)
        self._await(self.parts)
        if not self.stop.is_set():
            self.prepare()
        if not self.stop.is_set():
            self._launch(self.workers)
            self._await(self.workers)

    def _launch(self, parts: Sequence[Part]) -> None:
        for part in parts:
            running = _Running(part, Record(part.name, "starting", part.address))
            self._all.append(running)
            self._spawn(running)

    def _await(self, parts: Sequence[Part]) -> None:
        deadline = time.monotonic() + START_S_MAX
        while not self.stop.is_set():
            self._watch()
            waiting = [r for r in self._all if r.part in parts and r.record.state != "running"]
            if not waiting:
                return
            for running in waiting:
                if running.failures >= DEATHS_AT_START_MAX:
                    raise OneThreadError(f"{running.part.name} does not start: {running.record.last_error}; "
                                         f"see {log_path(self.home, running.part.name)}")
            if time.monotonic() > deadline:
                names = ", ".join(running.part.name for running in waiting)
                raise OneThreadError(f"{names}: no answer after {START_S_MAX:.0f} s; see {self.home / 'logs'}")
            self.stop.wait(self.tick_s)

    def _spawn(self, running: _Running) -> None:
        self._adopt(running, self._start_process(running.part))

    def _adopt(self, running: _Running, process: "subprocess.Popen[bytes]") -> None:
        running.process, running.next = process, None
        created = records.created_at(process.pid)
        self._note(running, running.record.now("starting", pid=process.pid, created=created))

    def _start_process(self, part: Part) -> "subprocess.Popen[bytes]":
        path = log_path(self.home, part.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            return subprocess.Popen(
                part.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                env={**os.environ, **part.env, PREPARED: str(self._prepared(part))}, start_new_session=True,
            )

    def _prepared(self, part: Part) -> Path:
        return records.folder(self.home) / f"{part.name}.prepared"

    def _watch(self) -> None:
        """One look at every part."""
        for running in list(self._all):
            _rotate(log_path(self.home, running.part.name))
            if running.next and running.kill_at is None:
                self._turn(running, running.next)
            if running.kill_at is not None:
                self._see_off(running, running.kill_at)
            elif running.process is None:
                if time.monotonic() >= running.again_at:
                    self._spawn(running)
            elif (status := running.process.poll()) is not None:
                self._bury(running, status)
            elif running.record.state == "starting" and running.part.answers():
                self._note(running, running.record.now("running"))

    def _obey(self, asked: orders.Orders) -> None:
        """Begin what was asked for; `_watch` goes on with it."""
        for running in self._all:
            if running.part.name not in asked.restarts or running.next:
                continue
            if running.part.takes_turns and running.process:
                self._prepared(running.part).unlink(missing_ok=True)
                running.next = self._start_process(running.part)
                running.prepared_by = time.monotonic() + PREPARE_S_MAX
            else:
                self._ask_to_end(running, signal.SIGTERM)
        if asked.workers is None or self.worker is None:
            return
        there = [r for r in self._all if r.part.name.startswith(WORKER) and not r.is_leaving]
        for running in there[asked.workers:]:
            running.is_leaving = True
            self._ask_to_end(running, running.part.leave_by)
        more = [self.worker(index) for index in range(len(there), asked.workers)]
        self.workers = [*self.workers, *more]
        self._launch(more)

    def _turn(self, running: _Running, successor: "subprocess.Popen[bytes]") -> None:
        """End a part once the process that takes its place is ready to; one that cannot start changes nothing."""
        if running.process is None or running.process.poll() is not None:
            running.kill_at = 0.0  # gone by itself: its successor goes on
        elif successor.poll() is not None or time.monotonic() >= running.prepared_by:
            records.send(successor.pid, signal.SIGKILL)
            successor.wait()
            running.next = None
            error = f"its successor did not start: {_why(successor.returncode, log_path(self.home, running.part.name))}"
            self._note(running, replace(running.record, last_error=error))
        elif self._prepared(running.part).exists():
            self._ask_to_end(running, signal.SIGTERM)

    def _ask_to_end(self, running: _Running, by: signal.Signals) -> None:
        running.kill_at = time.monotonic() + running.part.stop_after_s
        if running.process:
            self._note(running, running.record.now("restarting"))
            records.send(running.process.pid, by)

    def _see_off(self, running: _Running, kill_at: float) -> None:
        """A part that was asked to end: once it is gone it starts again, or is forgotten."""
        if running.process and running.process.poll() is None:
            if time.monotonic() >= kill_at:
                records.send(running.process.pid, signal.SIGKILL)
            return
        running.kill_at, running.failures = None, 0
        if not running.is_leaving:
            self._adopt(running, running.next or self._start_process(running.part))
            return
        if running.next:
            records.send(running.next.pid, signal.SIGKILL)
        self._all.remove(running)
        self.workers = [part for part in self.workers if part is not running.part]
        records.drop(self.home, running.part.name)

    def _bury(self, running: _Running, status: int) -> None:
        """Remember why the part died and when it comes back."""
        record = running.record
        if record.state == "running" and time.time() - record.since >= FORGIVEN_AFTER_S:
            running.failures = 0
        wait_s = min(BACK_OFF_MAX_S, 2.0**running.failures)
        running.failures += 1
        running.process = None
        running.again_at = time.monotonic() + wait_s
        error = _why(status, log_path(self.home, running.part.name))
        self._note(running, record.now("restarting", pid=0, restarts=record.restarts + 1, last_error=error))

    def _note(self, running: _Running, record: Record) -> None:
        running.record = record
        records.write(self.home, record)

    def _stop_all(self) -> None:
        """Workers first, all at once; then the others, the last that was named first."""
        workers = [r for r in self._all if r.part in self.workers]
        others = [[r] for r in reversed(self._all) if r not in workers]
        for successor in filter(None, (r.next for r in self._all)):
            records.send(successor.pid, signal.SIGKILL)
            successor.wait()
        for group in filter(None, [workers, *others]):
            records.stop([r.record for r in group], max(r.part.stop_after_s for r in group))
            for running in group:
                if running.process:
                    running.process.wait()
                self._note(running, running.record.now("stopped", pid=0))


def lock(home: Path, patience_s: float = 0.0) -> "IO[str] | None":
    """The lock of a home's supervisor, None where somebody else holds it for longer than `patience_s`."""
    path = records.folder(home) / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience_s
    file = path.open("w")
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                return None
            time.sleep(TICK_S / 10)
        else:
            return file


def stop_on_signals(stop: threading.Event) -> None:
    """SIGTERM, SIGINT and SIGHUP end the stack in order."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())


def log_path(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def _rotate(path: Path) -> None:
    """Keep one older file. The part goes on writing to the same file, opened for appending, now empty."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)


def _why(status: int, log: Path) -> str:
    how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit {status}"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    words = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"{how}: {words[:300]}" if words and status >= 0 else how
