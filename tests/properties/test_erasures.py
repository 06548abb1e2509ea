"""Erasures may come at any moment, with rules and policies: what is left is all there is, in the sink and the state."""

from random import Random

import pytest
from hypothesis import given, settings

from streams.core.erasing import FOR_EVER_MS
from streams.core.policy import default
from tests.oracle.build import event
from tests.oracle.erasure import Erasure
from tests.properties.test_stream_equals_batch import EXAMPLES, SEEDS
from tests.simulation.broker import Run
from tests.simulation.compare import wrong
from tests.simulation.run import case
from tests.strategies import World, worlds

LONG_AFTER_MS = 10**15
TOLD = (
    event("1", 1, "email:a", "phone:p"), event("2", 2, "phone:p", "device_id:d"), event("3", 3, "email:b"),
    event("4", 4, "email:b", "customer_id:c"),
)


@settings(EXAMPLES, max_examples=150)
@given(worlds(14, ["erasures"]), SEEDS)
def test_rows_are_those_of_what_is_left(world: World, seed: int) -> None:
    assert wrong(world, Run(world, Random(seed))) == []


@settings(EXAMPLES, max_examples=100)
@given(worlds(14, ["rules", "policies", "erasures"]), SEEDS)
def test_rows_are_those_of_what_is_left_under_the_last_policy_and_words(world: World, seed: int) -> None:
    assert wrong(world, Run(world, Random(seed))) == []


@pytest.mark.parametrize("until_ms", [LONG_AFTER_MS, FOR_EVER_MS])
def test_a_person_is_forgotten_as_a_whole_and_nobody_else(until_ms: int) -> None:
    world = World(default(), TOLD, erasures=(Erasure(("device_id", "d"), until_ms, "x"),))
    run = Run(world, Random(3), disorder=False)
    sink = run.finish()
    assert {row[2] for row in sink.rows("identifiers").values()} == {"b", "c"}
    assert {row[1] for row in sink.rows("touchpoints").values()} == {"3", "4"}
    assert len(sink.rows("erased_records")) == 2
    assert len(sink.rows("erased_identifiers")) == 3


def test_a_person_whose_every_name_was_erased_has_no_rows() -> None:
    """A world that broke off: evidence came for a cluster that kept an event, but nothing that named its person."""
    _, found = case(700389, 40, ["rules", "policies", "erasures"])
    assert not found
