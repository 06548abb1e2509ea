"""A failing case is made small: what it fails without is left out, and it still fails."""

from collections.abc import Collection
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from streams.core import resolve
from tests.simulation.run import drawn, of_core, options_of, smaller
from tests.simulation.shrinking import shrunk


@dataclass(frozen=True)
class Case:
    steps: tuple[int, ...]
    faults: tuple[int, ...] = ()


CASE = Case(tuple(range(100)), tuple(range(5)))


@pytest.mark.parametrize("needed", [(), (0,), (99,), (3, 17, 98), (41, 42), tuple(range(30, 60))])
def test_only_what_the_failure_needs_is_left(needed: Collection[int]) -> None:
    assert shrunk(CASE, ("steps", "faults"), lambda some: {*needed} <= {*some.steps}) == Case(tuple(needed))


def test_parts_that_are_not_named_stay() -> None:
    assert shrunk(CASE, ("faults",), lambda some: 4 in some.faults) == Case(CASE.steps, (4,))


def test_after_so_many_tries_the_smallest_so_far_is_given() -> None:
    tried = []

    def fails(some: Case) -> bool:
        tried.append(some)
        return 99 in some.steps

    assert shrunk(CASE, ("steps",), fails, tries_max=2) == Case(tuple(range(50, 100)), CASE.faults)
    assert len(tried) == 2


def test_a_core_that_forgets_the_limits_of_a_person_is_shown_by_few_events() -> None:
    """Of 29 events and four rules: limits take two events that unite more than they allow."""
    asked = 5, 40, ["rules"]
    world, _ = drawn(*asked)
    with patch.object(resolve, "_within_limits", lambda *_: True):
        least, why = smaller(*drawn(*asked))
        told = of_core(5, options_of(["--events", "40", "--with", "rules"]))
    assert len(world.events) > 20
    assert len(least.events) <= 4
    assert why
    assert told[told.index("a smaller one that fails as well:") + 1 :] == [*map(str, least.events), *why[:8]]
