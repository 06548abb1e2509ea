"""The loop of every agent: a group of batches, the handler's work on it, the commit, the acknowledgement.

An exception ends the process and is never acknowledged: Faust would acknowledge a message whose agent raised, and lose
up to a group of events. A fault of the outside world (`Retryable`) is waited out with the same group.
"""

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, Protocol

import structlog

from streams import metrics
from streams.errors import Retryable
from streams.transport.commit import Committer, Work
from streams.transport.groups import GROUP_BYTES_MAX, Group, groups
from streams.transport.pace import Pace

EXIT_FAILED = 70
"""sysexits.h: internal software error. The supervisor starts the worker again."""

log = structlog.get_logger()


class Handler(Protocol):
    """One stage: groups in, work out. It may also have `forget(partitions)`, called when partitions come and go,
    `look(lags)`, called twice a second, `group_bytes_max`, and `rest`, the seconds in which its next group may still
    grow."""

    async def handle(self, group: Group) -> Work: ...


async def run(
    stage: str, stream: Any, handler: Handler, committer: Committer, topics: Collection[str] = (),
) -> None:
    """Feed `handler` from `stream` for ever; `topics` are what the stream reads."""
    seconds = {step: metrics.BATCH_SECONDS.labels(stage, step) for step in ("handle", "commit")}
    records = metrics.BATCH_RECORDS.labels(stage)
    try:
        bytes_max, rest = getattr(handler, "group_bytes_max", GROUP_BYTES_MAX), getattr(handler, "rest", float)
        pace = Pace()
        stream.app.consumer.paces.update(dict.fromkeys(topics, pace))
        async for group in groups(stream, pace=pace, bytes_max=bytes_max, rest=rest):
            started = time.perf_counter()
            work = await patiently(partial(handler.handle, group), stream.app, stage)
            if work is None:
                group.release()
                continue
            handled = time.perf_counter()
            assert dict(work.offsets) == group.offsets, f"{stage}: the work must commit the offsets of its group"
            await committer.commit(work, group.membership)
            await group.ack()
            seconds["handle"].observe(handled - started)
            seconds["commit"].observe(time.perf_counter() - handled)
            records.observe(len(group))
            pace.took(len(group), handled - started)
            del group, work
    except asyncio.CancelledError:
        raise
    except BaseException:
        die("agent_failed", stage=stage)


async def patiently(handle: Callable[[], Awaitable[Work]], app: Any, stage: str) -> Work | None:
    """The work, tried again while the outside world is away; None once the group rebalances, which must not wait."""
    while True:
        try:
            return await handle()
        except Retryable as error:
            log.warning("waiting_for_outside", stage=stage, reason=str(error), retry_after_s=error.retry_after_s)
            if not await _wait(app, error.retry_after_s):
                return None


async def _wait(app: Any, seconds: float) -> bool:
    """Wait on purpose; False as soon as the group rebalances or the worker stops."""
    until = time.monotonic() + seconds
    app.consumer.waits_for_outside += 1
    try:
        while time.monotonic() < until:
            if app.rebalancing or app.should_stop:
                return False
            await asyncio.sleep(0.1)
        return True
    finally:
        app.consumer.waits_for_outside -= 1


def die(event: str, **values: Any) -> None:
    """Log the exception at hand and leave at once: nothing may run that could acknowledge what failed."""
    try:
        log.critical(event, exception=told(sys.exception()), **values)
    finally:
        os._exit(EXIT_FAILED)  # also where nothing can be written any more: the disk may be why we are here


def told(error: BaseException | None) -> str:
    """An exception and what led to it, without texts that may quote an event: identifiers are never logged."""
    lines: list[str] = []
    while error is not None:
        text = "" if isinstance(error, _QUOTING) else str(error)
        lines[:0] = [*traceback.format_tb(error.__traceback__), f"{type(error).__qualname__}: {text}\n"]
        error = error.__cause__ or error.__context__
    return "".join(lines)


_QUOTING = (LookupError, ValueError)
"""A missing key, a text that cannot be read: the value is their text."""
