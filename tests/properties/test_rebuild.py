"""A sink that is filled anew while everything goes on holds in the end what the other one holds, and nothing else."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core import facts, messages
from streams.core.effects import Effects
from streams.core.facts import MILESTONE, TABLES, TOLD_ONCE
from streams.core.intake import Books
from streams.core.messages import Rebuild
from streams.core.policy import default
from tests.simulation.broker import Arrival, Run
from tests.simulation.stores import Sink
from tests.strategies import World, worlds

NAMES = ("a", "b")


class Rebuilt(Run):
    """A run in which rebuilds are asked for, one after the other, at any moment."""

    def __init__(self, world: World, random: Random) -> None:
        super().__init__(world, random)
        self.facts_of: list[list[bytes]] = [[] for _ in self.logs]
        """What each partition sent, in its order."""

    def _arrivals(self) -> list[Arrival]:
        told = super()._arrivals()
        for place, name in zip(sorted(self.random.randint(0, len(told)) for _ in NAMES), reversed(NAMES), strict=True):
            told.insert(place, name)  # type: ignore[arg-type]  # the last of the list comes first
        return told

    def _arrive(self, arrival: Arrival) -> None:
        if isinstance(arrival, str):
            for log in self.logs:
                log.append(messages.pack([Rebuild(0, arrival)]))
        else:
            super()._arrive(arrival)

    def _commit(self, n: int, effects: Effects, records: int) -> None:
        self.facts_of[n] += [facts.encode(fact) for fact in effects.packed_facts()]
        super()._commit(n, effects, records)

    def rebuilt(self, name: str) -> Sink:
        """What comes behind each partition's milestone, in any order."""
        behind: list[bytes] = []
        for sent in self.facts_of:
            milestones = [record for record in sent if facts.decode(record).table == MILESTONE]
            assert facts.encode(facts.Facts(MILESTONE, [(name, "ended")], [])) in milestones
            behind += sent[sent.index(facts.encode(facts.Facts(MILESTONE, [(name, "begun")], []))) :]
        self.random.shuffle(behind)
        sink = Sink()
        for record in behind:
            sink.write(record)
        return sink


@settings(deadline=None, max_examples=60)
@given(worlds(parts=("rules", "policies", "erasures")), st.integers(0, 2**32))
def test_what_comes_behind_the_milestones_of_a_rebuild_is_all_there_is(world: World, seed: int) -> None:
    run = Rebuilt(world, Random(seed))
    whole = run.finish()
    again = run.rebuilt(NAMES[-1])
    for table in TABLES.keys() - TOLD_ONCE:
        assert again.rows(table) == whole.rows(table)


def test_the_books_are_sent_as_the_state_has_them() -> None:
    run = Rebuilt(World(default(), ()), Random(1))
    books = Books(13, 4, 3)
    run.stores[0].commit({Books.key(("events.web", 0)): books.pack()}, set())
    run.finish()
    assert run.rebuilt(NAMES[-1]).rows("intake") == {("events.web", 0): ("events.web", 0, 13, 4, 3, 0)}
