"""Every order in which partitions can work off a tiny world: two workers get the halves of a merge at the same moment.

A state is what is committed, what waits in the logs, and what has not come yet; each step lets something come, or one
partition work one record, with a fresh `Partition`, as after a restart. States met before are not entered again, so
all orders of arrival and all interleavings of a tiny world are walked, or at least as many states as asked for.
`make halves` walks about a million states of 300 worlds, in some three minutes.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Generic, NamedTuple, TypeVar

from streams.core import facts, messages
from streams.core.event import Event, Identifier
from streams.core.graph import Partition
from streams.core.keys import Keys
from streams.core.messages import Observe, Rule
from streams.core.policy import default
from streams.core.shaping import Shaping
from tests.oracle import expected
from tests.oracle.build import event
from tests.oracle.rules import Word
from tests.simulation.broker import PEPPER
from tests.simulation.compare import differences
from tests.simulation.stores import Sink, Store
from tests.strategies import DURATIONS, World

T = TypeVar("T")


class State(NamedTuple):
    """Everything by its number in the walk's `Numbers`: comparing and hashing states is most of the work."""

    stores: tuple[int, ...]
    """Of each partition: what it has committed."""
    logs: tuple[tuple[int, ...], ...]
    """Of each partition: the records it has not worked yet."""
    waiting: frozenset[tuple[int, int]]
    """Records that have not come yet, with the partition they are for."""
    sent: frozenset[int]
    """Facts as committed; the sink takes them in any order."""


class Outcome(NamedTuple):
    """What one partition makes of one record: it depends on nothing but them, so it is worked once."""

    store: int
    forwards: tuple[tuple[int, tuple[int, ...]], ...]
    sent: frozenset[int]


@dataclass(frozen=True)
class Found:
    """How many states there are, how many ends, and what is wrong with them."""

    states: int
    ends: int
    wrong: list[str]


class Numbers(Generic[T]):
    """Values by number, each once."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}

    def of(self, value: T) -> int:
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


Committed = tuple[tuple[bytes, bytes], ...]
"""The records of one partition's store."""


class Halves:
    """A tiny world, and the walk over all its interleavings."""

    def __init__(self, events: Sequence[Event], words: Sequence[Word] = (), partitions: int = 2) -> None:
        self.world = World(default(), tuple(events), words=tuple(words))
        self.shaping = Shaping(Keys(PEPPER, partitions), **DURATIONS)
        ids = {(kind, value) for e in events for kind, value, _ in e.ids} | {end for w in words for end in w.pair}
        self.identifiers: list[Identifier] = sorted(ids)
        self.want = expected(list(events), default(), DURATIONS, PEPPER, words)
        self._stores: Numbers[Committed] = Numbers()
        self._records: Numbers[bytes] = Numbers()
        self._facts: Numbers[bytes] = Numbers()
        self._outcomes: dict[tuple[int, int, int], Outcome] = {}
        self._parents: dict[tuple[int, int], dict[Identifier, Identifier | None]] = {}
        self._roots: dict[tuple[int, ...], dict[Identifier, Identifier]] = {}
        self._right: set[tuple[frozenset[int], tuple[int, ...]]] = set()

    def walk(self, random: Random, states_max: int) -> Found:
        """Depth first, in an order that the seed decides."""
        stack = [self._start()]
        seen: set[State] = set()
        wrong: list[str] = []
        ends = 0
        while stack and len(seen) < states_max and not wrong:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            following = [self._arrive(state, told) for told in sorted(state.waiting)]
            following += [self._step(state, n) for n, log in enumerate(state.logs) if log]
            if not following:
                ends += 1
                wrong = self._judge(state)
            random.shuffle(following)
            stack += following
        return Found(len(seen), ends, wrong)

    def _start(self) -> State:
        told: list[Observe | Rule] = [messages.observe(e, default()) for e in self.world.events]
        told += [Rule(w.pair[0], 0, w.pair, w.verb, w.reason, (w.command, w.received_ms)) for w in self.world.words]
        keys = self.shaping.keys
        waiting = frozenset((keys.owner(m.to), self._records.of(messages.pack([m]))) for m in told)
        empty = (self._stores.of(()),) * keys.partitions
        return State(empty, ((),) * keys.partitions, waiting, frozenset())

    def _arrive(self, state: State, told: tuple[int, int]) -> State:
        logs = _appended(state.logs, told[0], (told[1],))
        return state._replace(logs=logs, waiting=state.waiting - {told})

    def _step(self, state: State, n: int) -> State:
        """One partition works one record and commits."""
        record, *rest = state.logs[n]
        asked = n, state.stores[n], record
        outcome = self._outcomes.get(asked)
        if outcome is None:
            outcome = self._outcomes[asked] = self._work(*asked)
        stores = (*state.stores[:n], outcome.store, *state.stores[n + 1 :])
        logs = (*state.logs[:n], tuple(rest), *state.logs[n + 1 :])
        for to, forwards in outcome.forwards:
            logs = _appended(logs, to, forwards)
        self._follow(stores)
        return State(stores, logs, state.waiting, state.sent | outcome.sent)

    def _work(self, n: int, committed: int, record: int) -> Outcome:
        store, partition = self._load(n, committed)
        partition.work(messages.unpack(self._records.values[record]))
        effects = partition.take()
        store.commit(effects.puts, effects.deletes)
        return Outcome(
            self._stores.of(tuple(sorted(store.items()))),
            tuple((to, tuple(map(self._records.of, messages.records(sent)))) for to, sent in effects.forwards.items()),
            frozenset(self._facts.of(facts.encode(fact)) for fact in effects.packed_facts()),
        )

    def _load(self, n: int, committed: int) -> tuple[Store, Partition]:
        """A partition as after a restart."""
        store = Store()
        store.commit(dict(self._stores.values[committed]), set())
        return store, Partition(n, default(), self.shaping, store)

    def _follow(self, stores: tuple[int, ...]) -> dict[Identifier, Identifier]:
        """Identifier -> its root; a pointer only ever leads to a smaller key, so there is no cycle."""
        if stores not in self._roots:
            keys = self.shaping.keys
            parent: dict[Identifier, Identifier | None] = {}
            for place in enumerate(stores):
                parent |= self._pointers(*place)
            roots = {}
            for i in self.identifiers:
                root = i
                while (above := parent[root]) is not None:
                    assert keys.node(above) < keys.node(root), f"a pointer from {root} up to {above}"
                    root = above
                roots[i] = root
            self._roots[stores] = roots
        return self._roots[stores]

    def _pointers(self, n: int, committed: int) -> dict[Identifier, Identifier | None]:
        """Where the pointers of a partition's nodes lead."""
        if (n, committed) not in self._parents:
            _, partition = self._load(n, committed)
            mine = [i for i in self.identifiers if self.shaping.keys.owner(i) == n]
            named = {self.shaping.keys.sealed(i): i for i in self.identifiers}
            above_of = {i: partition.nodes.get(i).parent for i in mine}
            self._parents[n, committed] = {i: above and named[above] for i, above in above_of.items()}
        return self._parents[n, committed]

    def _judge(self, state: State) -> list[str]:
        """At rest: never two persons, never a lost touchpoint."""
        if (state.sent, state.stores) in self._right:
            return []
        sink = Sink()
        for number in state.sent:
            sink.write(self._facts.values[number])
        wrong = differences(self.want, sink)
        roots = self._follow(state.stores)
        for row in self.want["evidence"].values():
            a, b = (row[2], row[3]), (row[4], row[5])
            if row[10] and roots[a] != roots[b]:
                wrong.append(f"{a} and {b} are one person under two roots")
        if not wrong:
            self._right.add((state.sent, state.stores))
        return wrong


def _appended(logs: tuple[tuple[int, ...], ...], n: int, records: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return (*logs[:n], (*logs[n], *records), *logs[n + 1 :])


def tiny(random: Random) -> tuple[list[Event], list[Word]]:
    """Two halves that one event, or one rule, joins while both are still being worked."""
    ids = [f"{kind}:{random.randint(0, 999)}" for kind in random.sample(["phone", "email", "device_id", "crm_id"], 4)]
    events = [event("1", 1, *ids[:2]), event("2", 2, *ids[2:]), event("3", 3, ids[0], ids[2])]
    if random.random() < 0.5:
        events.append(event("4", 4, ids[1], ids[3]))
    if random.random() < 0.3:
        events.append(event("3", 3, ids[0], ids[2], device="tv"))
    a, b = sorted(tuple(i.split(":")) for i in random.sample(ids, 2))
    words = [Word((a, b), random.choice(["link", "unlink"]), "r", 1)] if random.random() < 0.3 else []  # type: ignore
    return events, words


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="A world that fails ends the walk with its seed, what is wrong, and exit 1.")
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the next has the next (%(default)s)")
    parser.add_argument("--cases", type=int, default=50, help="each on 2 and on 4 partitions (%(default)s)")
    parser.add_argument("--states", type=int, default=5_000, help="at most so many a world (%(default)s)")
    options = parser.parse_args()
    total = [0, 0]
    for seed, partitions in product(range(options.seed, options.seed + options.cases), (2, 4)):
        random = Random(seed)
        found = Halves(*tiny(random), partitions=partitions).walk(random, options.states)
        total = [total[0] + found.states, total[1] + found.ends]
        if found.wrong:
            print(f"seed {seed}, {partitions} partitions", *found.wrong[:8], sep="\n  ")
            return 1
    print(f"{2 * options.cases} worlds, {total[0]} states, {total[1]} ends, all right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
