"""From what a source told to what the spool keeps: events checked, refusals as dead letters, all durable at once.

One path for everything that comes in by HTTP. Requests that come together share one flush of the disk.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
import structlog

from connectors.checking import Checker
from connectors.collector.keys import Key, Keys
from connectors.delivery import key_of
from connectors.draining import Drain
from connectors.source import Source
from connectors.spool import Spool, Spooled, SpoolFull
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from streams.core.dead_letter import dead_letter
from streams.core.refusal import Reason, Reject
from streams.topics import Topics

Event: TypeAlias = dict[str, Any]
Decoded: TypeAlias = "list[Event] | Reject"

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


def source_of(key: Key) -> Source:
    return Source(key.source, key.channel, key.device, key.currency)


class Gathered:
    """What one request brings, on its way to the spool."""

    def __init__(self, checker: Checker, topics: Topics, source: str, received_ms: int) -> None:
        self._checker, self._topics, self._source, self._received_ms = checker, topics, source, received_ms
        self.records: list[Spooled] = []
        self.accepted = 0
        self.refused: list[Reject] = []

    def decode(self, raw: Any, decode: Callable[[], Decoded]) -> None:
        """Take what `decode` makes of one payload.

        Shape: raw is the payload, as bytes or as the value they were read into; it is kept where it is refused.
        """
        try:
            decoded = decode()
        except Exception as error:  # a fault in one mapping must not lose what came with it: the bytes are kept
            _log.exception("decode_failed", source=self._source)
            decoded = Reject(Reason.BAD_VALUE, f"the mapping fails on it: {type(error).__name__}")
        if isinstance(decoded, Reject):
            self.refuse(raw, decoded)
        else:
            for event in decoded:
                self.event(event)

    def event(self, event: Event, channels: Sequence[str] = ()) -> None:
        """Take one channel event. With `channels` it must have happened in one of them."""
        checked = self._checker.check(event, self._received_ms)
        if not isinstance(checked, Reject) and channels and checked.channel not in channels:
            detail = f"channel: the key is for {', '.join(channels)}; came {checked.channel!r}"
            checked = Reject(Reason.CHANNEL_MISMATCH, detail, checked.event_id)
        if isinstance(checked, Reject):
            self.refuse(event, checked)
            return
        topic = self._topics.events(checked.channel)
        self.records.append(Spooled(topic, key_of(checked.event_id), checked.payload, CHANNEL_EVENT))
        self.accepted += 1

    def refuse(self, raw: Any, reject: Reject) -> None:
        """Keep a dead letter of what was refused."""
        kept = raw if isinstance(raw, bytes) else _encode(raw)
        letter = dead_letter(reject, kept, self._received_ms, source=f"collector:{self._source}")
        name = reject.event_id or f"{self._source}:{self._received_ms}"
        value = DEAD_LETTER.encode(letter)
        self.records.append(Spooled(self._topics.dead_letters, key_of(name), value, DEAD_LETTER))
        self.refused.append(reject)


class Collector:
    """What the routes share. `keep` runs on one event loop."""

    def __init__(self, checker: Checker, topics: Topics, keys: Keys, spool: Spool, drain: Drain | None = None) -> None:
        self.checker, self.topics, self.keys, self.spool, self.drain = checker, topics, keys, spool, drain
        self.accepted: Counter[str] = Counter()
        """By source."""
        self.refused: Counter[tuple[str, str]] = Counter()
        """By source and reason."""
        self._waiting: list[tuple[list[Spooled], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    def use(self, checker: Checker) -> None:
        """Check what comes from now on by other rules."""
        self.checker = checker

    def gather(self, source: str, received_ms: int | None = None) -> Gathered:
        """A request's gathering; received_ms is now unless it is told."""
        now_ms = time.time_ns() // 1_000_000 if received_ms is None else received_ms
        return Gathered(self.checker, self.topics, source, now_ms)

    async def keep(self, gathered: Gathered) -> None:
        """Return when everything gathered is durable.

        Errors: SpoolFull; then nothing of it was kept, and nothing is counted.
        """
        if gathered.records:
            done = asyncio.get_running_loop().create_future()
            self._waiting.append((gathered.records, done))
            if self._writing is None or self._writing.done():
                self._writing = asyncio.create_task(self._write())
            await done
        self._count(gathered)

    async def _write(self) -> None:
        """Write what waits until nothing does: all that came during one flush goes with the next."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            records = [record for part, _ in batch for record in part]
            try:
                await asyncio.to_thread(self.spool.append, records)
            except BaseException as error:
                _settle(batch, error)
                if not isinstance(error, SpoolFull):
                    raise
            else:
                _settle(batch, None)
                if self.drain is not None:
                    self.drain.wake()

    def _count(self, gathered: Gathered) -> None:
        source = gathered._source
        self.accepted[source] += gathered.accepted
        for reject in gathered.refused:
            self.refused[source, str(reject.reason)] += 1


def _settle(batch: list[tuple[list[Spooled], asyncio.Future[None]]], error: BaseException | None) -> None:
    for _, done in batch:
        if done.cancelled():
            continue  # the client went away; what it sent is kept all the same
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
