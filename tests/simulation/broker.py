"""The partitions of the identity graph on logs in memory: everything a real run may do, in an order a seed decides.

Kept: order inside a log, the commit (facts, forwards, state and offset together or not at all), and that a policy
stands in every log before anything made under it. Everything else is left to chance: when events, rules and policies
come, which partition works next, on how many records, with which claims and policy ingest's cache is up to date,
where a worker dies before or after its commit, which messages and facts come twice and when.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias
from unittest.mock import patch

from streams.core import facts, knowing, messages, policy
from streams.core.effects import Effects
from streams.core.erasing import Erase
from streams.core.event import Event, Identifier
from streams.core.graph import Partition
from streams.core.keys import Keys, sealed
from streams.core.messages import PolicyChange, Resend, Rule, Sweep
from streams.core.policy import Policy
from streams.core.shaping import Shaping
from tests.oracle.erasure import Erasure, Receipts
from tests.oracle.rules import Word
from tests.simulation.policy_file import known_policy, to_toml
from tests.simulation.stores import Sink, Store
from tests.strategies import DAY_MS, World

PEPPER = b"simulation"
STEPS_MAX = 200_000
"""A world of 60 events needs some thousands; what goes on longer never ends."""


@dataclass(frozen=True)
class Rest:
    """Nothing more comes in until nothing moves."""


Arrival: TypeAlias = Event | Word | Erasure | int | Rest
"""An event, a command, the number of a policy that is applied, or a rest."""

Sent: TypeAlias = messages.Observe | Rule | Erase


class Run:
    """One run of a world through all partitions, until nothing moves.

    `crash_at` is the number of a commit at which the worker dies, before it or right `after` it; other than that
    nobody dies then.
    """

    def __init__(
        self, world: World, random: Random, partitions: int | None = None, disorder: bool = True,
        crash_at: int | None = None, after: bool = False,
    ) -> None:
        self.world, self.random, self.disorder = world, random, disorder
        self.crash_at, self.after, self.commits = crash_at, after, 0
        self.policies: list[Policy] = world.policies
        self.version = 0
        count = partitions or random.randint(1, 4)
        self.haste = random.choice([0.05, 0.5, 0.5, 0.95]) if disorder else 0.5
        self.sweep, self.record_bytes = random.choice([1, 2, 200]), random.choice([400_000, 400_000, 600])
        self.shaping = Shaping(Keys(PEPPER, count), **world.durations)
        self.stores = [Store() for _ in range(count)]
        self.logs: list[list[bytes]] = [[] for _ in range(count)]
        self.offsets = [0] * count
        self.partitions = [self._load(n) for n in range(count)]
        self.claims: dict[Identifier, int] = {}
        self.sent: list[bytes] = []
        """Facts as committed, in order of commits."""
        self.stray: list[tuple[int, bytes]] = []
        """Forwarded records that will come once more."""

    def finish(self) -> Sink:
        """Everything in, everything worked, and the facts in the sink."""
        waiting = self._arrivals()
        sweep = patch.object(knowing, "SWEEP_NODES", self.sweep)
        reading = patch.object(policy, "parse", known_policy)
        with sweep, reading, patch.object(messages, "RECORD_BYTES_MAX", self.record_bytes):
            for _ in range(STEPS_MAX):
                if not self._step(waiting):
                    return self._load_sink()
        raise AssertionError("messages never come to an end")

    def _step(self, waiting: list[Arrival]) -> bool:
        behind = [n for n, log in enumerate(self.logs) if self.offsets[n] < len(log)]
        if not (waiting or behind or self.stray):
            return False
        resting = bool(waiting) and isinstance(waiting[-1], Rest)
        if waiting and not (resting and behind) and (not behind or self.random.random() < self.haste):
            self._arrive(waiting.pop())
        elif self.stray and self.random.random() < 0.1:
            n, record = self.stray.pop(self.random.randrange(len(self.stray)))
            self.logs[n].append(record)
        elif behind:
            self._work(self.random.choice(behind))
        return True

    def _arrivals(self) -> list[Arrival]:
        """The events and words in any order, three of ten sent again as after a crash; among them, in order, policies.

        The last to come is the first of the list.
        """
        told: list[Arrival] = [*self.world.events, *self.world.words, *self.world.erasures]
        if self.disorder:
            told += [t for t in told if self.random.random() < 0.3]
            self.random.shuffle(told)
        changes: list[Arrival] = []
        for version in range(1, len(self.world.changes) + 1):
            changes += [Rest(), version] if self.random.random() < 0.3 else [version]
        places = sorted(self.random.randint(0, len(told)) for _ in changes)
        for place, change in reversed(list(zip(places, changes, strict=True))):
            told.insert(place, change)
        return told[::-1]

    def _arrive(self, arrival: Arrival) -> None:
        if isinstance(arrival, Event):
            self._ingest(arrival)
        elif isinstance(arrival, Word):
            pair, verb, command, received_ms, reason = arrival
            self._send(Rule(pair[0], 0, pair, verb, reason, (command, received_ms)))
        elif isinstance(arrival, Erasure):
            key = self.shaping.keys.node(arrival.identifier)
            self._send(Erase(sealed(key), 0, key, arrival.until_ms, (arrival.command, 5 * DAY_MS)))
        elif isinstance(arrival, int):
            self._apply(arrival)

    def _apply(self, version: int) -> None:
        """Into all logs at once; at times the one before comes again."""
        again = self.disorder and version > 1 and self.random.random() < 0.2
        for number in [version, version - 1] if again else [version]:
            change = self.world.changes[number - 1]
            text = to_toml(change.policy) if change.policy else ""
            told = PolicyChange(0, number, text, DAY_MS + number, durations=dict(change.durations))
            for log in self.logs:
                log.append(messages.pack([told]))
        self.version = version

    def _ingest(self, e: Event) -> None:
        """Ingest knows some claims, some of which no longer hold, and a policy that need not be the last."""
        known = [(kind, value) for kind, value, _ in e.ids if (kind, value) in self.claims]
        claims = [(i, self.claims[i]) for i in known if self.random.random() < 0.7]
        version = self.random.randint(0, self.version) if self.disorder else self.version
        self._send(messages.observe(e, self.policies[version], claims))

    def _send(self, message: Sent) -> None:
        self.logs[self.shaping.keys.owner(message.to)].append(messages.pack([message]))

    def _load(self, n: int) -> Partition:
        return Partition(n, self.world.policy, self.shaping, self.stores[n], self.random.choice([1, 5, 50_000]))

    def _work(self, n: int) -> None:
        size = self.random.choice([1, 2, 5, 50])
        batch = self.logs[n][self.offsets[n] : self.offsets[n] + size]
        partition = self.partitions[n]
        for record in batch:
            partition.work(messages.unpack(record))
        self.commits += 1
        if self._dies(after=False):
            self.partitions[n] = self._load(n)  # died before the commit: nothing of the batch stays
            return
        self._commit(n, partition.take(), len(batch))
        if self._dies(after=True):
            self.partitions[n] = self._load(n)

    def _dies(self, after: bool) -> bool:
        if self.crash_at is not None:
            return self.commits == self.crash_at and self.after == after
        return self.disorder and self.random.random() < 0.05

    def _commit(self, n: int, effects: Effects, records: int) -> None:
        self.stores[n].commit(effects.puts, effects.deletes)
        for partition, forwards in effects.forwards.items():
            to_itself = forwards if partition == n else []
            assert all(isinstance(m, Sweep | Resend) for m in to_itself), "sent to itself through the log"
            values = list(messages.records(forwards))
            self.logs[partition] += values
            if self.disorder and len(values) == 1 and self.random.random() < 0.05:
                self.stray.append((partition, values[0]))
        for identifier, claim in effects.shared:
            self.claims[identifier] = max(claim, self.claims.get(identifier, 0))
        self.sent += [facts.encode(fact) for fact in effects.packed_facts()]
        self.offsets[n] += records

    def receipts(self) -> Receipts:
        """What was erased, as the stores tell it."""
        named = {i[:2] for e in self.world.events for i in e.ids} | {end for w in self.world.words for end in w.pair}
        named |= {erasure.identifier for erasure in self.world.erasures}
        return receipts(dict(enumerate(self.partitions)), named, self.world.events)

    def _load_sink(self) -> Sink:
        records = list(self.sent)
        if self.disorder:
            records += [record for record in records if self.random.random() < 0.2]
            self.random.shuffle(records)
        sink = Sink()
        for record in records:
            sink.write(record)
        return sink


def receipts(partitions: Mapping[int, Partition], named: Iterable[Identifier], events: Iterable[Event]) -> Receipts:
    """What was erased of identifiers and events, as the partitions' stores tell it. At rest: it meets new nodes."""
    keys = partitions[0].keys
    until = {i: partitions[keys.owner(i)].nodes.get(i).erased_ms for i in named}
    hashes = {keys.event(e.event_id): e.event_id for e in events}
    found = (key[17:] for partition in partitions.values() for key, _ in partition.reader.scan(b"d"))
    return Receipts(
        {i: erased_ms for i, erased_ms in until.items() if erased_ms is not None},
        frozenset(hashes[key] for key in found if key in hashes),
    )
