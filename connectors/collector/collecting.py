"""From what a source told to what the spool keeps: events checked, refusals as dead letters, all durable at once.

One path for everything that comes in by HTTP. Requests that come together share one flush of the disk.
"""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec
import structlog

from connectors import again
from connectors.checking import Checker
from connectors.collector.keys import Key, Keys
from connectors.collector.limits import Limits
from connectors.delivery import key_of
from connectors.draining import Drain
from connectors.incoming import Unreadable
from connectors.segment import SegmentMapping
from connectors.spool import Spool, Spooled
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from streams import clock, metrics
from streams.core.dead_letter import dead_letter
from streams.core.refusal import Reason, Reject
from streams.topics import Topics

Event: TypeAlias = dict[str, Any]
T = TypeVar("T")

TURN_EVENTS = 50
"""After so many events of one request the others have a turn: 10 ms."""

Decoded: TypeAlias = "Sequence[Event | Unreadable] | Reject"

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


def place(error: BaseException) -> str:
    """Where an error arose, for a log that must not hold its message: that may name what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


async def fairly(items: Sequence[T]) -> AsyncIterator[T]:
    """The items, with turns for other requests in between: a large one must not keep all others waiting."""
    for number, item in enumerate(items, 1):
        yield item
        if number % TURN_EVENTS == 0:
            await asyncio.sleep(0)


class Gathered:
    """What one request brings, on its way to the spool."""

    def __init__(self, checker: Checker, topics: Topics, key: Key, received_ms: int) -> None:
        self._checker, self._topics = checker, topics
        self.key, self.source, self.received_ms = key, key.source, received_ms
        self.records: list[Spooled] = []
        self.accepted = 0
        self.refused: list[Reject] = []

    def decode(self, raw: Any, decode: Callable[[], Decoded], connector: str) -> None:
        """Take what `decode` makes of one payload.

        Shape: raw is the payload, as bytes or as the value they were read into; it is kept where it is refused, with
               the name of the connector (`connectors.again`), for that to read it again. Of a value that is one event
               it is kept also where the event is refused: another mapping may make a better.
        """
        try:
            decoded = decode()
        except Exception as error:  # a fault in one mapping must not lose what came with it: the bytes are kept
            _log.error("decode_failed", source=self.source, error=type(error).__name__, at=place(error))
            decoded = Reject(Reason.BAD_VALUE, f"the mapping fails on it: {type(error).__name__}")
        if isinstance(decoded, Reject):
            self.refuse(raw, decoded, connector)
        else:
            for found in decoded:
                if isinstance(found, Unreadable):
                    self.refuse(raw if found.raw is None else found.raw, found.reject, connector)
                else:
                    one = raw if isinstance(raw, dict) and len(decoded) == 1 else None
                    self.event(found, raw=one, connector=connector)

    def event(
        self, event: Event, channels: Sequence[str] = (), raw: Event | None = None, connector: str = "",
    ) -> None:
        """Take one channel event. With `channels` it must have happened in one of them; with `raw` that is kept where
        it is refused; `connector` made it."""
        checked = self._checker.check(event, self.received_ms)
        if not isinstance(checked, Reject) and channels and checked.channel not in channels:
            detail = f"channel: the key is for {', '.join(channels)}; came {checked.channel!r}"
            checked = Reject(Reason.CHANNEL_MISMATCH, detail, checked.event_id)
        if isinstance(checked, Reject):
            self.refuse(event if raw is None else raw, checked, connector)
            return
        topic = self._topics.events(checked.channel)
        self.records.append(Spooled(topic, key_of(checked.event_id), checked.payload, CHANNEL_EVENT))
        self.accepted += 1

    def refuse(self, raw: Any, reject: Reject, connector: str = "") -> None:
        """Keep a dead letter of what was refused, with the connector where one made it, or could not read it."""
        reject = writable(reject)
        source = again.source(self.source, connector)
        letter = dead_letter(reject, _bytes(raw), self.received_ms, source=source)
        name = reject.event_id or f"{self.source}:{self.received_ms}"
        value = DEAD_LETTER.encode(letter)
        self.records.append(Spooled(self._topics.dead_letters, key_of(name), value, DEAD_LETTER))
        self.refused.append(reject)


def writable(reject: Reject) -> Reject:
    """The refusal with texts that Avro takes: what it quotes may hold half of a surrogate pair."""
    event_id = None if reject.event_id is None else _utf8(reject.event_id)
    return Reject(reject.reason, _utf8(reject.detail), event_id)


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _bytes(raw: Any) -> bytes:
    """A payload as bytes. What msgspec cannot write, the escapes of plain ASCII can."""
    if isinstance(raw, bytes):
        return raw
    try:
        return _encode(raw)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError):
        return json.dumps(raw, default=str).encode()


class Collector:
    """What the routes share. `keep` runs on one event loop.

    `segment` is the mapping of Segment's calls; `drain` is None where nothing carries the spool's records away.
    """

    def __init__(
        self, checker: Checker, segment: SegmentMapping, topics: Topics, keys: Keys, spool: Spool,
        drain: Drain | None = None,
    ) -> None:
        self.checker, self.segment = checker, segment
        self.topics, self.keys, self.spool, self.drain = topics, keys, spool, drain
        self.limits = Limits()
        self.held_bytes = 0
        """Of the bodies of all requests at the moment; see `bodies`."""
        self._waiting: list[tuple[list[Spooled], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    def use(self, checker: Checker, segment: SegmentMapping) -> None:
        """Check and read what comes from now on by other rules."""
        self.checker, self.segment = checker, segment

    def gather(self, key: Key) -> Gathered:
        """What a request with this key brings, received now."""
        return Gathered(self.checker, self.topics, key, clock.now_ms())

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
            except Exception as error:  # each request answers for itself: 503 where the spool is full, else a fault
                _settle(batch, error)
            else:
                _settle(batch, None)
                if self.drain is not None:
                    self.drain.wake()

    def _count(self, gathered: Gathered) -> None:
        if gathered.accepted:
            metrics.COLLECTOR_EVENTS.labels(gathered.source, "accepted").inc(gathered.accepted)
        for reject in gathered.refused:
            metrics.COLLECTOR_EVENTS.labels(gathered.source, str(reject.reason)).inc()


def _settle(batch: list[tuple[list[Spooled], asyncio.Future[None]]], error: BaseException | None) -> None:
    for _, done in batch:
        if done.cancelled():
            continue  # the client went away; what it sent is kept all the same
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
