"""Channel events from a program of one's own: checked, kept on disk, carried to Kafka or to the collector.

    with local("shop") as producer:
        refused = producer.send({"event_id": "shop-1", "channel": "web", "type": "page_viewed", …})

Rules kept: what `send` took is on disk and arrives, whether Kafka or the network is there or not, also after a crash:
whoever opens the same file again carries on. One process a file. What is refused is told at once, by the rules of
every other way in, and is a dead letter as well. Order is kept. A repeat after a crash has the same event_id, so it
counts as a duplicate and changes nothing.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from connectors.checking import Checker
from connectors.commands import policy_in_force
from connectors.delivery import key_of
from connectors.draining import Drain
from connectors.posting import Post
from connectors.spool import BYTES_MAX, Depth, Spool, Spooled
from deploy.local.ports import Addresses
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from schemas.registry import SchemaCache, client
from streams import clock, settings
from streams.core.dead_letter import dead_letter
from streams.core.policy import Policy, default
from streams.core.refusal import Reject
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.topics import Topics

FOLDER = "producers"
"""Of the home: the spools of programs that use `local`."""

FLUSH_S = 60.0
POLICY_S = 2.0
"""So long the first event waits for the policy in force; without Kafka no longer than that."""
_LOOK_S = 0.02

Given = dict[str, Any] | bytes
"""A channel event: an object, or one as JSON."""


class Carrier(Protocol):
    """Takes what waits in the spool to where it belongs. `problem` says why nothing moves; empty where all is well."""

    problem: str

    def start(self) -> None: ...

    def wake(self) -> None: ...

    def stop(self) -> None: ...


class EventProducer:
    """Takes events. Its methods may be called from any thread."""

    def __init__(self, spool: Spool, carrier: Carrier, checker: Checker, topics: Topics, name: str) -> None:
        self._spool, self._carrier, self._checker, self._topics, self._name = spool, carrier, checker, topics, name

    def send(self, event: Given) -> Reject | None:
        """Keep one event; why not, where it is refused. Returns when it is on disk.

        Errors: SpoolFull where there is no room; nothing was kept then.
        Cost:   one flush of the disk: `send_many` shares it.
        """
        return self.send_many([event])[0]

    def send_many(self, events: Sequence[Given]) -> list[Reject | None]:
        """Keep events, all of them or none: of each why not, where it is refused. Errors: as `send`."""
        now_ms = clock.now_ms()
        records, said = list[Spooled](), list[Reject | None]()
        for event in events:
            checked = self._checker.check(event, now_ms)
            if isinstance(checked, Reject):
                records.append(self._letter(checked, event, now_ms))
                said.append(checked)
            else:
                topic = self._topics.events(checked.channel)
                records.append(Spooled(topic, key_of(checked.event_id), checked.payload, CHANNEL_EVENT))
                said.append(None)
        if records:
            self._spool.append(records)
            self._carrier.wake()
        return said

    def flush(self, timeout_s: float = FLUSH_S) -> None:
        """Wait until everything that was sent has arrived. Errors: OneThreadError where it has not; it is kept."""
        last, give_up_at = self._spool.last, time.monotonic() + timeout_s
        while self._spool.first <= last:
            if time.monotonic() > give_up_at:
                why = self._carrier.problem or "no answer yet"
                raise OneThreadError(f"{self._spool.depth.records} events wait in {self._spool.path}: {why}")
            time.sleep(_LOOK_S)

    @property
    def waiting(self) -> int:
        """How many events are on disk and have not arrived."""
        return self.depth.records

    @property
    def depth(self) -> Depth:
        """How much is on disk and has not arrived, and since when: for metrics of the program's own."""
        return self._spool.depth

    @property
    def limit(self) -> int:
        """How many bytes may wait at this moment."""
        return self._spool.limit

    @property
    def problem(self) -> str:
        """Why nothing arrives at the moment; empty where all is well. Names no customer."""
        return self._carrier.problem

    def use(self, checker: Checker) -> None:
        """Check by other rules from now on."""
        self._checker = checker

    def _letter(self, reject: Reject, event: Given, now_ms: int) -> Spooled:
        raw = event if isinstance(event, bytes) else msgspec.json.encode(event)
        letter = dead_letter(reject, raw, now_ms, source=f"producer:{self._name}")
        key = key_of(reject.event_id or f"{self._name}:{now_ms}")
        return Spooled(self._topics.dead_letters, key, DEAD_LETTER.encode(letter), DEAD_LETTER)


@contextmanager
def to_kafka(
    bootstrap: str, registry_url: str, spool: Path, name: str = "program", chosen: Settings | None = None,
    policy: Policy | None = None, bytes_max: int = BYTES_MAX,
) -> Iterator[EventProducer]:
    """A producer to the topics of Kafka. Leaving it waits a few seconds; what has not arrived stays in the file.

    Shape:  `chosen` holds channels of one's own and the topics' prefix; `policy` is what identifiers are judged by,
            that of the product where none is given.
    Errors: OneThreadError where another process has the file.
    """
    chosen = chosen or Settings()
    queue = Spool(spool, bytes_max)
    drain = Drain(queue, bootstrap, SchemaCache(client(registry_url)))
    with _running(queue, drain, Checker(chosen, policy or default()), Topics(chosen.topic_prefix), name) as producer:
        yield producer


@contextmanager
def to_collector(
    url: str, key: str, spool: Path, name: str = "program", chosen: Settings | None = None,
    policy: Policy | None = None, bytes_max: int = BYTES_MAX,
) -> Iterator[EventProducer]:
    """A producer to the collector at `url`, with a key for writing: for programs that cannot reach Kafka; else as
    `to_kafka`."""
    queue = Spool(spool, bytes_max)
    post = Post(queue, url, key)
    with _running(queue, post, Checker(chosen or Settings(), policy or default()), Topics(""), name) as producer:
        yield producer


@contextmanager
def local(name: str) -> Iterator[EventProducer]:
    """A producer to the stack that ONETHREAD_HOME names, under the policy in force as soon as Kafka tells it.

    Shape: `name` says which program this is: its file is `producers/<name>.db` of the home.
    """
    addresses = Addresses.from_environ()
    chosen = settings.load(addresses.home)
    path = addresses.home / FOLDER / f"{name}.db"
    with to_kafka(addresses.kafka_bootstrap, addresses.registry_url, path, name, chosen) as producer:

        def learn() -> None:
            with suppress(OneThreadError):  # without Kafka under the product's; ingest judges again
                found = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, chosen)
                producer.use(Checker(chosen, found.policy))

        learning = threading.Thread(target=learn, name="policy", daemon=True)
        learning.start()
        learning.join(POLICY_S)
        yield producer


@contextmanager
def _running(
    spool: Spool, carrier: Carrier, checker: Checker, topics: Topics, name: str,
) -> Iterator[EventProducer]:
    carrier.start()
    try:
        yield EventProducer(spool, carrier, checker, topics, name)
    finally:
        carrier.stop()
        spool.close()
