"""Every order in which partitions can work off a tiny world: two workers get the halves of a merge at the same moment.

A state is what is committed, what waits in the logs, and what has not come yet; each step lets something come, or one
partition work one record, with a fresh `Partition`, as after a restart. States met before are not entered again, so
all orders of arrival and all interleavings of a tiny world are walked, or at least as many states as asked for.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import NamedTuple

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

Partitions = tuple[tuple[tuple[tuple[bytes, bytes], ...], tuple[bytes, ...]], ...]
"""Of each partition: its records, and its log from where it stands."""


class State(NamedTuple):
    partitions: Partitions
    waiting: frozenset[tuple[int, bytes]]
    """What has not come yet, with the partition it is for."""
    sent: frozenset[bytes]
    """Facts as committed; the sink takes them in any order."""


@dataclass(frozen=True)
class Found:
    """How many states there are, how many ends, and what is wrong with them."""

    states: int
    ends: int
    wrong: list[str]


class Halves:
    """A tiny world, and the walk over all its interleavings."""

    def __init__(self, events: Sequence[Event], words: Sequence[Word] = (), partitions: int = 2) -> None:
        self.world = World(default(), tuple(events), words=tuple(words))
        self.shaping = Shaping(Keys(PEPPER, partitions), **DURATIONS)
        ids = {(kind, value) for e in events for kind, value, _ in e.ids} | {end for w in words for end in w.pair}
        self.identifiers: list[Identifier] = sorted(ids)
        self.want = expected(list(events), default(), DURATIONS, PEPPER, words)

    def walk(self, random: Random, states_max: int) -> Found:
        """Depth first, in an order that the seed decides."""
        stack = [self._start()]
        seen: set[int] = set()
        wrong: list[str] = []
        ends = 0
        while stack and len(seen) < states_max and not wrong:
            state = stack.pop()
            if (mark := hash(state)) in seen:
                continue
            seen.add(mark)
            following = [self._arrive(state, told) for told in sorted(state.waiting)]
            following += [self._step(state, n) for n, (_, log) in enumerate(state.partitions) if log]
            if not following:
                ends += 1
                wrong = self._judge(state)
            random.shuffle(following)
            stack += following
        return Found(len(seen), ends, wrong)

    def _start(self) -> State:
        told: list[Observe | Rule] = [messages.observe(e, default()) for e in self.world.events]
        told += [Rule(w.pair[0], 0, w.pair, w.verb, w.reason, (w.command, w.received_ms)) for w in self.world.words]
        waiting = frozenset((self.shaping.keys.owner(m.to), messages.pack([m])) for m in told)
        return State((((), ()),) * self.shaping.keys.partitions, waiting, frozenset())

    def _arrive(self, state: State, told: tuple[int, bytes]) -> State:
        return State(_appended(state.partitions, told[0], [told[1]]), state.waiting - {told}, state.sent)

    def _step(self, state: State, n: int) -> State:
        """One partition works one record and commits."""
        log = state.partitions[n][1]
        store, partition = self._load(state, n)
        partition.work(messages.unpack(log[0]))
        effects = partition.take()
        store.commit(effects.puts, effects.deletes)
        after = list(state.partitions)
        after[n] = tuple(sorted(store.items())), log[1:]
        partitions = tuple(after)
        for to, forwards in effects.forwards.items():
            partitions = _appended(partitions, to, messages.records(forwards))
        sent = state.sent | {facts.encode(fact) for fact in effects.packed_facts()}
        following = State(partitions, state.waiting, sent)
        self._follow(following)
        return following

    def _load(self, state: State, n: int) -> tuple[Store, Partition]:
        store = Store()
        store.commit(dict(state.partitions[n][0]), set())
        return store, Partition(n, default(), self.shaping, store)

    def _follow(self, state: State) -> dict[Identifier, Identifier]:
        """Identifier -> its root; a pointer only ever leads to a smaller key, so there is no cycle."""
        keys = self.shaping.keys
        partitions = [self._load(state, n)[1] for n in range(keys.partitions)]
        parent = {i: partitions[keys.owner(i)].nodes.get(i).parent for i in self.identifiers}
        roots = {}
        for i in self.identifiers:
            root = i
            while (above := parent[root]) is not None:
                assert keys.node(above) < keys.node(root), f"a pointer from {root} up to {above}"
                root = above
            roots[i] = root
        return roots

    def _judge(self, state: State) -> list[str]:
        """At rest: never two persons, never a lost touchpoint."""
        sink = Sink()
        for record in state.sent:
            sink.write(record)
        wrong = differences(self.want, sink)
        roots = self._follow(state)
        for row in self.want["evidence"].values():
            a, b = (row[2], row[3]), (row[4], row[5])
            if row[10] and roots[a] != roots[b]:
                wrong.append(f"{a} and {b} are one person under two roots")
        return wrong


def _appended(partitions: Partitions, n: int, records: Iterable[bytes]) -> Partitions:
    committed, log = partitions[n]
    return (*partitions[:n], (committed, (*log, *records)), *partitions[n + 1 :])


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--states", type=int, default=5_000, help="at most so many a case")
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
