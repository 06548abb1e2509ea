"""The batch answer itself: a function of the set of events, whose rows hang together."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import expected
from tests.properties.test_stream_equals_batch import EXAMPLES
from tests.simulation.broker import PEPPER
from tests.simulation.compare import oracle
from tests.strategies import World, worlds


@settings(EXAMPLES, max_examples=100)
@given(worlds(), st.integers(0, 99))
def test_order_of_events_within_a_file_does_not_matter(world: World, seed: int) -> None:
    events = list(world.events)
    Random(seed).shuffle(events)
    assert expected(events, world.policy, world.durations, PEPPER) == oracle(world)


@settings(EXAMPLES, max_examples=100)
@given(worlds())
def test_rows_hang_together(world: World) -> None:
    """Every person is somebody's, every touchpoint counted once, every stretch within its person."""
    tables = oracle(world)
    people = {row[0] for row in tables["persons"].values()}
    assert {row[3] for row in tables["identifiers"].values()} == people
    assert sum(row[10] for row in tables["persons"].values()) == len(tables["touchpoints"])
    assert len({row[1] for row in tables["touchpoints"].values()}) == len({e.event_id for e in world.events})
    assert sum(row[17] for row in tables["touchpoints"].values()) == len({e.position for e in world.events})
    sessions = {(row[0], row[2]) for row in tables["touchpoints"].values() if row[2]}
    assert sessions == tables["sessions"].keys()
    assert sum(row[11] for row in tables["persons"].values()) == len(sessions)
    assert {row[0] for row in tables["orders"].values()} <= people
