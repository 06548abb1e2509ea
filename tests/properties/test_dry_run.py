"""The dry run says what the workers then do: persons of the logs' records are those of the sink."""

from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.core.dry_run import Persons, State, compare, persons
from streams.core.keys import Keys
from tests.simulation.broker import PEPPER, Run
from tests.simulation.stores import Sink
from tests.strategies import Change, World, worlds

KEYS = Keys(PEPPER, 4)
PARTS = ("rules", "policies")


@settings(
    deadline=None, print_blob=True, max_examples=80, phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow],
)
@given(worlds(20, PARTS), st.integers(0, 2**32 - 1))
def test_the_present_policy_gives_the_persons_that_are_there(world: World, seed: int) -> None:
    run = Run(world, Random(seed))
    sink = run.finish()
    found = persons(state_of(run), world.policies[-1], KEYS)
    assert shown(found) == shown_in(sink)
    assert not compare(found, found)


@settings(
    deadline=None, print_blob=True, max_examples=80, phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow],
)
@given(worlds(20, PARTS), worlds(1), st.integers(0, 2**32 - 1))
def test_another_policy_gives_what_applying_it_would(world: World, other: World, seed: int) -> None:
    before = Run(world, Random(seed))
    before.finish()
    told = persons(state_of(before), other.policy, KEYS)
    changes = (*world.changes, Change(other.policy))
    applied = World(world.policy, world.events, world.durations, world.words, changes=changes)
    assert shown(told) == shown_in(Run(applied, Random(seed)).finish())


def state_of(run: Run) -> State:
    state = State()
    for store in run.stores:
        for key, value in store.items():
            state.put(key, value)
    return state



def shown(found: Persons) -> dict[tuple[str, str], tuple[bytes, bool, bool]]:
    return {i: (who, i in found.shared, i in found.contested) for i, who in found.owner.items()}


def shown_in(sink: Sink) -> dict[tuple[str, str], tuple[bytes, bool, bool]]:
    return {(row[1], row[2]): (row[3], row[4], row[5]) for row in sink.rows("identifiers").values()}
