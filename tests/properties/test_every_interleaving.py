"""Two workers get the halves of a merge at the same moment, in every order there is: one person, nothing lost."""

from random import Random

import pytest

from tests.oracle.build import event
from tests.oracle.rules import Word
from tests.simulation.halves import Halves, tiny

STATES_MAX = 20_000


@pytest.mark.parametrize("partitions", [2, 3])
def test_all_interleavings_of_one_merge(partitions: int) -> None:
    events = [event("1", 1, "phone:p"), event("2", 2, "email:e"), event("3", 3, "email:e", "phone:p")]
    found = Halves(events, partitions=partitions).walk(Random(0), STATES_MAX)
    assert found.wrong == []
    assert 100 < found.states < STATES_MAX, "not all of them"


def test_all_interleavings_of_a_link_and_an_event_that_says_the_same() -> None:
    pair = ("email", "e"), ("phone", "p")
    events = [event("1", 1, "phone:p"), event("2", 2, "email:e", "phone:p")]
    found = Halves(events, [Word(pair, "link", "r", 1)]).walk(Random(0), STATES_MAX)
    assert found.wrong == []
    assert 100 < found.states < STATES_MAX


@pytest.mark.parametrize("seed", range(6))
def test_many_interleavings_of_two_halves(seed: int) -> None:
    """`make halves` walks more of them."""
    random = Random(seed)
    found = Halves(*tiny(random), partitions=2 + 2 * (seed % 2)).walk(random, 1500)
    assert found.wrong == []
