"""Shapley values: games settled by hand, and by all orders of joining."""

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.markov import Path
from analytics.shapley import Coalition, conversions, dividends_of, values


def worth(**told: int) -> dict[Coalition, int]:
    return {frozenset(name): value for name, value in told.items()}


def test_a_coalition_shares_what_it_makes_beyond_its_members() -> None:
    """Alone A makes 2 and B 1, together 8: the 5 more are of both."""
    assert values(dividends_of(worth(A=2, B=1, AB=8))) == {"A": Fraction(9, 2), "B": Fraction(7, 2)}


def test_three_channels_by_hand() -> None:
    """A joins first, first, second, last, second, last and adds 7, 7, 7, 10, 15, 10; B 0, 4, 0, 0, 4, 9."""
    found = values(dividends_of(worth(A=7, B=0, C=0, AB=7, AC=15, BC=9, ABC=19)))
    assert found == {"A": Fraction(56, 6), "B": Fraction(17, 6), "C": Fraction(41, 6)}


def test_one_glove_of_the_rare_hand_takes_two_thirds() -> None:
    found = values(dividends_of(worth(L=0, M=0, R=0, LM=0, LR=1, MR=1, LMR=1)))
    assert found == {"L": Fraction(1, 6), "M": Fraction(1, 6), "R": Fraction(2, 3)}


def test_a_single_path_gives_its_only_channel_everything() -> None:
    assert values(conversions([Path(("web",), 4, 9)])) == {"web": 4}


def test_journeys_are_worth_what_their_set_converts() -> None:
    paths = [Path(("A",), 2, 8), Path(("B",), 1, 9), Path(("A", "B"), 3, 1), Path(("B", "A"), 2, 0)]
    assert conversions(paths) == {frozenset("A"): 2, frozenset("B"): 1, frozenset("AB"): 5}
    assert values(conversions(paths)) == values(dividends_of(worth(A=2, B=1, AB=8)))


def test_a_channel_met_again_counts_once() -> None:
    assert values(conversions([Path(("A", "B", "A"), 1, 0)])) == {"A": Fraction(1, 2), "B": Fraction(1, 2)}


def test_paths_that_never_convert_change_nothing() -> None:
    found = values(conversions([Path(("A",), 2, 0), Path(("A", "C"), 0, 50)]))
    assert found == {"A": 2, "C": 0}


def test_journeys_without_a_channel_are_nobody_s() -> None:
    assert values(conversions([Path((), 5, 5)])) == {}


def test_many_channels_are_feasible() -> None:
    """2^200 coalitions, of which three occur."""
    names = tuple(f"c{number:03}" for number in range(200))
    found = values(conversions([Path(names, 200, 0), Path(names[:2], 4, 0), Path(names[:1], 1, 0)]))
    assert [found["c000"], found["c001"], found["c199"]] == [4, 3, 1]
    assert sum(found.values()) == 205


def test_nothing_may_be_worth_something() -> None:
    with pytest.raises(ValueError, match="the empty coalition: expected a worth of 0"):
        dividends_of({frozenset(): 1})


COALITIONS = st.frozensets(st.sampled_from("ABCD"), min_size=1)


@given(st.dictionaries(COALITIONS, st.integers(-5, 9), min_size=1))
def test_values_are_the_mean_of_what_joining_adds(game: dict[Coalition, int]) -> None:
    players = sorted(frozenset().union(*game))
    orders = list(permutations(players))
    expected = dict.fromkeys(players, Fraction())
    for order in orders:
        for place, player in enumerate(order):
            before, after = frozenset(order[:place]), frozenset(order[: place + 1])
            expected[player] += Fraction(game.get(after, 0) - game.get(before, 0), len(orders))
    assert values(dividends_of(game)) == expected


@given(st.lists(st.tuples(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=6), st.integers(0, 9))))
def test_values_sum_to_all_conversions(journeys: list[tuple[list[str], int]]) -> None:
    paths = [Path(tuple(channels), count, 1) for channels, count in journeys]
    assert sum(values(conversions(paths)).values()) == sum(count for _, count in journeys)
