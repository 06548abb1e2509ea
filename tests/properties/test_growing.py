"""A deployment that got more partitions in the middle of its life ends with the rows of one that always had them."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.event import NodeKey
from streams.core.growing import Common, owner
from streams.core.intake import Books
from streams.core.keys import Keys
from streams.core.shaping import Shaping
from tests.properties.test_stream_equals_batch import EXAMPLES, SEEDS
from tests.simulation.broker import PEPPER, Arrival, Run
from tests.simulation.compare import wrong
from tests.simulation.stores import Store
from tests.strategies import World, worlds


class Growing(Run):
    """A run that at some moment lets everything come to rest and goes on on more partitions, perhaps twice."""

    def __init__(self, world: World, random: Random) -> None:
        super().__init__(world, random)
        self.moments = [0.8 * random.random() for _ in range(random.choice([1, 1, 2]))]

    def _step(self, waiting: list[Arrival]) -> bool:
        if self.moments and len(waiting) <= self.told * min(self.moments):
            if super()._step([]):
                return True
            self.moments.remove(min(self.moments))
            self._grow(len(self.stores) + self.random.randint(1, 3))
        return super()._step(waiting)

    def _arrivals(self) -> list[Arrival]:
        arrivals = super()._arrivals()
        self.told = len(arrivals)
        return arrivals

    def _grow(self, count: int) -> None:
        shaping = Shaping(Keys(PEPPER, count), **self.shaping.durations())
        before, self.stores, common = self.stores, [Store() for _ in range(count)], Common()
        for number, store in enumerate(before):
            for key, value in store.items():
                common.learn(key, value)
                to = owner(key, shaping.keys)
                self.stores[number if to is None else to].commit({key: value}, set())
        for number, store in enumerate(self.stores):
            store.commit(common.records(is_new=number >= len(before)), set())
        self.shaping = shaping
        self.logs += [[] for _ in range(count - len(before))]
        self.offsets += [0] * (count - len(before))
        self.partitions = [self._load(n) for n in range(count)]


@settings(EXAMPLES, max_examples=40)
@given(worlds(parts=("rules", "policies", "erasures")), SEEDS)
def test_rows_are_those_of_the_batch_when_partitions_were_added_on_the_way(world: World, seed: int) -> None:
    assert wrong(world, Growing(world, Random(seed))) == []


@given(st.binary(min_size=16, max_size=16), st.integers(1, 256))
def test_records_of_a_node_are_where_its_key_says(node: bytes, partitions: int) -> None:
    keys = Keys(PEPPER, partitions)
    for table in (b"n", b"o", b"p", b"f", b"e", b"r", b"m", b"d"):
        assert owner(table + node + b"more", keys) == keys.partition(NodeKey(node))


@pytest.mark.parametrize("key", [b"c", b"k", b"y\0\0\0\1", b"s" + bytes(8), b"u" + bytes(24),
                                 b"h" + bytes(18), Books.key(("events.web", 3))])
def test_what_is_of_a_partition_stays(key: bytes) -> None:
    assert owner(key, Keys(PEPPER, 5)) is None
