"""An application from its start to a clean stop, or to an exit that the supervisor answers with a new start."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import structlog

from streams import metrics
from streams.memory import settle_memory, tidy_memory
from streams.transport.commit import Committer
from streams.transport.loop import EXIT_FAILED, die
from streams.transport.watch import watch

STOP_S_MAX = 15.0
"""A stop that hangs is no reason to wait: everything committed is safe."""

log = structlog.get_logger()


async def serve(build: Callable[[], tuple[Any, Committer]], index: int) -> None:
    """Run the application that `build` gives until SIGTERM or SIGINT, then leave the process.

    SIGUSR1 stops it as well, and gives its place in the group up: it will not come back.
    """
    stop, leave = asyncio.Event(), asyncio.Event()

    def end(for_good: bool) -> None:
        if for_good:
            leave.set()
        stop.set()

    for name, for_good in ((signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGUSR1, True)):
        asyncio.get_running_loop().add_signal_handler(name, end, for_good)
    app, committer = build()
    log.info("starting", worker=index)
    await asyncio.to_thread(committer.start)
    starting = asyncio.create_task(_start(app))
    watching = asyncio.create_task(watch(app, committer))
    tidying = asyncio.create_task(tidy_memory())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
    metrics.WORKER_READY.set(0)
    if watching.done():
        log.critical("crashed", worker=index, reason=repr(watching.exception()))
        _leave(EXIT_FAILED)
    for task in (watching, starting, tidying):
        task.cancel()
    log.info("stopping", worker=index, for_good=leave.is_set())
    try:
        if leave.is_set():
            await app.consumer.give_up_place()
        await asyncio.wait_for(app.stop(), STOP_S_MAX)
    except TimeoutError:
        log.warning("stop_took_too_long", worker=index)
    log.info("stopped", worker=index)
    _leave(0)


async def _start(app: Any) -> None:
    try:
        await app.start()
    except Exception:
        die("start_failed")  # nobody waits for this task: without it the worker would stand there for ever, not ready
    settle_memory()


def _leave(code: int) -> None:
    """Leave without waiting for threads of libraries; all that matters is committed or closed."""
    sys.stdout.flush()
    os._exit(code)


def log_to_stdout() -> None:
    """Key-value events; libraries from warnings up."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    line = "timestamp=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s"
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format=line)
