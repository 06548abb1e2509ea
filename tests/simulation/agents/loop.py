"""Time and processes of a simulated world: one asyncio loop whose clock jumps to whatever is due next.

A process is everything that runs in a context with `PROCESS` set: tasks, timers, blocking calls. A dead process runs
no further, not even its cleaning up, as after SIGKILL; a paused one stands still, as after SIGSTOP, and goes on with
what had become due meanwhile. A blocking call is a fiber: a thread that runs only while the loop waits for it, so that
it can stand still in the middle of a commit while all others go on, and one seed still decides everything.
"""

import asyncio
import contextvars
import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Died(BaseException):
    """This process is dead: nothing of it may run on."""


class Stuck(AssertionError):  # noqa: N818 - what the world is
    """Nothing is due any more, and the world has not come to its end."""


@dataclass(eq=False)
class Process:
    """What dies and stands still as a whole."""

    name: str
    dead: bool = False
    paused: bool = False
    was_paused: bool = False
    was_fenced: bool = False
    calls: int = 0
    """Blocking calls that are under way."""
    frozen: list[asyncio.Handle] = field(default_factory=list)
    tasks: list[Any] = field(default_factory=list)


PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
NOBODY = contextvars.Context()
"""The context of what belongs to no process: brokers, and the world itself."""


class _Runner(threading.Thread):
    """A thread that runs one blocking call after another, each time only until it naps or ends."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.go, self.back = threading.Lock(), threading.Lock()  # released by the other one, as a baton
        self.go.acquire()
        self.back.acquire()
        self.task: Callable[[], Any] | None = None
        self.outcome: tuple[str, Any] = "", None
        self.abandoned = False

    def run(self) -> None:
        _here.runner = self
        while True:
            self.go.acquire()
            if self.task is None:
                return
            try:
                self.outcome = "returned", self.task()
            except BaseException as error:
                self.outcome = "raised", error
            self.back.release()

    def resume(self) -> tuple[str, Any]:
        self.go.release()
        self.back.acquire()
        return self.outcome


_here = threading.local()
_idle: list[_Runner] = []


def nap(seconds: float) -> None:
    """Let simulated time pass in a blocking call; does nothing outside of one."""
    runner: _Runner | None = getattr(_here, "runner", None)
    if runner is None:
        return
    runner.outcome = "naps", seconds
    runner.back.release()
    runner.go.acquire()
    if runner.abandoned:
        raise Died


class Loop(asyncio.BaseEventLoop):
    """Runs what is ready in order of its coming, then what is due next. `time()` is simulated seconds."""

    def __init__(self, latency_s: Callable[[], float]) -> None:
        super().__init__()
        self.now_s = 0.0
        self._latency_s = latency_s
        self._runners: list[_Runner] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self.set_task_factory(self._new_task)

    def _new_task(self, _loop: Any, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
        """Kept to the end: what a dead process left must not be cleaned up in the middle of another's work."""
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=self, **options)
        self._tasks.append(task)
        return task

    def time(self) -> float:
        return self.now_s

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""

    def _check_closed(self) -> None:
        """What is cleaned up after the end may still ask for a turn, and gets none."""

    def _run_once(self) -> None:
        if not self._ready:
            if not self._scheduled:
                raise Stuck("nothing is due any more")
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            self.now_s = max(self.now_s, timer._when)
            self._ready.append(timer)
        handle = self._ready.popleft()
        if handle._cancelled:
            return
        process = handle._context.get(PROCESS)
        if process is None or not (process.dead or process.paused):
            handle._run()
        elif not process.dead:
            process.frozen.append(handle)

    def wake(self, process: Process) -> None:
        """A paused process goes on."""
        process.paused = False
        self._ready.extend(process.frozen)
        process.frozen.clear()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *arguments: Any) -> Any:
        """A blocking call, as a fiber of this process."""
        future = self.create_future()
        context, process = contextvars.copy_context(), PROCESS.get()
        assert process is not None, "the world itself never blocks"
        process.calls += 1
        runner = _idle.pop() if _idle else _Runner()
        if not runner.is_alive():
            runner.start()
        self._runners.append(runner)
        runner.task = lambda: context.run(func, *arguments)

        def advance() -> None:
            what, value = runner.resume()
            if what == "naps":
                self.call_later(value, advance)
                return
            runner.task = None
            process.calls -= 1
            self._runners.remove(runner)
            _idle.append(runner)
            if future.cancelled() or isinstance(value, Died):
                return
            if what == "raised":
                future.set_exception(value)
            else:
                future.set_result(value)

        self.call_later(self._latency_s(), advance)
        return future

    def shut(self) -> None:
        """End every call that is still in the middle, and forget what was due."""
        for runner in self._runners:
            if runner.outcome[0] == "naps":
                runner.abandoned = True
                runner.resume()
                runner.abandoned = False
            runner.task = None
            runner.outcome = "", None
            _idle.append(runner)
        self._runners.clear()
        for task in self._tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                task.get_coro().close()  # type: ignore[union-attr]
        self._tasks.clear()
        self._ready.clear()
        self._scheduled.clear()
        self.close()
