"""Markov's removal effects: settled by hand, by exact fractions solved apart, and by walking."""

import random
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.markov import CONVERTED, LOST, START, Path, Removal, effects_of, removal, steps


def rounded(**effects: Fraction | int) -> dict[str, Decimal]:
    return {name: (Decimal(Fraction(effect).numerator) / Fraction(effect).denominator).quantize(Decimal("1e-18"))
            for name, effect in effects.items()}


def test_a_single_path_gives_its_only_channel_everything() -> None:
    found = removal([Path(("web",), 1, 0)])
    assert found == Removal(Decimal(1), {"web": Decimal(1)})
    assert found.shares == {"web": Decimal(1)}


def test_a_chain_loses_all_without_any_of_its_links() -> None:
    found = removal([Path(("ads", "web", "pos"), 3, 0)])
    assert found.effects == {"ads": 1, "pos": 1, "web": 1}
    third = Decimal("0.333333333333333333")
    assert found.shares == {"ads": third, "pos": third, "web": third + Decimal("1e-18")}


def test_two_channels_by_hand() -> None:
    """B converts 2 of 3, A half the time leads to B: 1/2 in all, 1/3 without A, nothing without B."""
    found = removal([Path(("A", "B"), 1, 0), Path(("A",), 0, 1), Path(("B",), 1, 1)])
    assert found == Removal(Decimal("0.5"), rounded(A=Fraction(1, 3), B=1))
    assert found.shares == {"A": Decimal("0.25"), "B": Decimal("0.75")}


def test_a_channel_met_again_by_hand() -> None:
    """From A to B, to the end or away, a third each, and from B back to A: 1/2 in all, 1/3 without B."""
    found = removal([Path(("A", "B", "A"), 1, 0), Path(("A",), 0, 1)])
    assert found == Removal(Decimal("0.5"), rounded(A=1, B=Fraction(1, 3)))


def test_a_step_from_a_channel_to_itself_changes_nothing() -> None:
    """A's visits grow, but not where they lead to: from A a third goes on to B, and the rest is lost, either way."""
    once = [Path(("A", "B"), 1, 0), Path(("A",), 0, 2)]
    again = [Path(("A", "A", "A", "B"), 1, 0), Path(("A", "A"), 0, 2)]
    assert removal(again) == removal(once)


def test_paths_that_never_convert_take_the_effect_away() -> None:
    assert removal([Path(("A",), 0, 7), Path(("B", "A"), 0, 1)]) == Removal(Decimal(), {"A": 0, "B": 0})
    assert removal([Path(("A",), 0, 7)]).shares == {"A": 0}
    found = removal([Path(("A",), 2, 1), Path(("C",), 0, 4)])
    assert found.effects == {"A": 1, "C": 0}
    assert found.shares == {"A": 1, "C": 0}


def test_journeys_without_a_channel_convert_whatever_is_removed() -> None:
    found = removal([Path((), 1, 0), Path(("A",), 1, 0)])
    assert found == Removal(Decimal(1), rounded(A=Fraction(1, 2)))


def test_without_paths_there_is_nothing() -> None:
    assert removal([]) == Removal(Decimal(), {})
    assert removal([]).shares == {}


def test_channels_that_never_let_go_do_not_make_the_system_singular() -> None:
    """X and Y lead only to each other: I − Q has no inverse; from there nobody converts."""
    found = effects_of({(START, "A"): 2, ("A", "X"): 1, ("A", CONVERTED): 1, ("X", "Y"): 1, ("Y", "X"): 1})
    assert found == Removal(Decimal("0.5"), {"A": 1, "X": 0, "Y": 0})
    assert effects_of({(START, "X"): 1, ("X", "X"): 1}) == Removal(Decimal(), {"X": 0})


def test_steps_are_counted_over_all_paths() -> None:
    assert steps([Path(("A", "B"), 2, 1), Path(("B",), 0, 4)]) == {
        (START, "A"): 3, ("A", "B"): 3, (START, "B"): 4, ("B", CONVERTED): 2, ("B", LOST): 5}


PATHS = st.lists(
    st.builds(Path, st.lists(st.sampled_from("ABCD"), max_size=5).map(tuple), st.integers(0, 5), st.integers(0, 5)),
    max_size=6,
)


@given(PATHS)
def test_effects_are_those_of_removing_a_channel_and_solving_anew(paths: list[Path]) -> None:
    """In fractions, by putting one equation into the other, for each channel apart."""
    found = removal(paths)
    whole = converted(paths, without=None)
    assert found.conversion == rounded(x=whole)["x"]
    for channel, effect in found.effects.items():
        lost = (whole - converted(paths, without=channel)) / whole if whole else Fraction()
        assert abs(Fraction(effect) - lost) <= Fraction(1, 2 * 10**18), channel
    assert sum(found.shares.values(), Decimal()) == (1 if any(found.effects.values()) else 0)


@given(PATHS, st.randoms(use_true_random=False))
def test_the_order_of_paths_changes_no_digit(paths: list[Path], order: random.Random) -> None:
    turned = list(paths)
    order.shuffle(turned)
    assert str(removal(turned)) == str(removal(paths))


def test_effects_lie_within_the_error_of_a_simulated_walk() -> None:
    source = random.Random(5)
    paths = [Path(tuple(source.choices("ABCDE", k=source.randrange(1, 6))), source.randrange(4), source.randrange(4))
             for _ in range(30)]
    found, walks = removal(paths), 20_000
    next_of: dict[object, tuple[list[object], list[int]]] = {}
    for (here, there), count in steps(paths).items():
        places, counts = next_of.setdefault(here, ([], []))
        places.append(there)
        counts.append(count)
    seen = [walk(next_of, source) for _ in range(walks)]
    conversions = sum(end is CONVERTED for _, end in seen)
    assert conversions / walks == pytest.approx(float(found.conversion), abs=4 * (0.25 / walks) ** 0.5)
    for channel, effect in found.effects.items():
        lost = sum(end is CONVERTED and channel in passed for passed, end in seen) / conversions
        assert lost == pytest.approx(float(effect), abs=4 * (0.25 / conversions) ** 0.5), channel


def walk(next_of: dict[object, tuple[list[object], list[int]]], source: random.Random) -> tuple[set[object], object]:
    passed: set[object] = set()
    here: object = START
    while here in next_of:
        places, counts = next_of[here]
        here = source.choices(places, counts)[0]
        passed.add(here)
    return passed, here


def converted(paths: Iterable[Path], without: str | None) -> Fraction:
    """The share of walks that convert where every step to a channel is a loss."""
    ways: dict[object, dict[object, Fraction]] = {}
    for (here, there), count in steps(paths).items():
        ends = ways.setdefault(here, {})
        end = LOST if there == without else there
        ends[end] = ends.get(end, Fraction()) + count
    for here, ends in ways.items():
        total = sum(ends.values())
        ways[here] = {there: count / total for there, count in ends.items()}
    for gone in [state for state in ways if state is not START]:
        mine = ways.pop(gone)
        stays = mine.pop(gone, Fraction())
        for ends in ways.values():
            if share := ends.pop(gone, Fraction()):
                for there, part in mine.items():
                    ends[there] = ends.get(there, Fraction()) + share * part / (1 - stays)
    return ways.get(START, {}).get(CONVERTED, Fraction())
