"""The plan of a chaos run: of one seed always the same, every kind in it, and no two faults on one part."""

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.plan import KINDS, SESSION_S, Fault, plan

WORKERS, BROKERS = 3, 3
SEEDS = range(20)


def dealt(seed: int, faults: int = 200) -> list[Fault]:
    return [fault for step in plan(seed, faults, WORKERS, BROKERS) for fault in step.faults]


def test_one_seed_is_one_plan_and_another_seed_another():
    assert plan(7, 50, WORKERS, BROKERS) == plan(7, 50, WORKERS, BROKERS)
    assert plan(7, 50, WORKERS, BROKERS) != plan(8, 50, WORKERS, BROKERS)


@pytest.mark.parametrize("faults", [1, 2, 25, 200])
def test_there_are_as_many_faults_as_asked_for_numbered_from_one(faults):
    for seed in SEEDS:
        assert [fault.number for fault in dealt(seed, faults)] == list(range(1, faults + 1))


def test_every_kind_and_every_way_of_it_comes_up_in_a_long_run():
    for seed in SEEDS:
        found = dealt(seed)
        assert {fault.kind for fault in found} == KINDS.keys()
    ways = {(fault.kind, fault.how) for seed in SEEDS for fault in dealt(seed)}
    assert ways >= {(name, how) for name, kind in KINDS.items() for how in kind.ways if kind.target != "membership"}


def test_every_kind_is_dealt_before_the_deck_is_dealt_again():
    deck = sum(kind.weight for kind in KINDS.values())
    for seed in SEEDS:
        assert {fault.kind for fault in dealt(seed, deck + len(KINDS))} == KINDS.keys()


def test_two_faults_at_once_never_strike_the_same_part():
    pairs = [step.faults for seed in SEEDS for step in plan(seed, 200, WORKERS, BROKERS) if len(step.faults) > 1]
    assert pairs
    for one, other in pairs:
        assert KINDS[one.kind].target != KINDS[other.kind].target
        assert not (is_of_workers(one) and is_of_workers(other))


def is_of_workers(fault: Fault) -> bool:
    return KINDS[fault.kind].target in ("worker", "workers", "membership")


def test_workers_that_are_struck_or_removed_are_there_and_enough_stay():
    for seed in SEEDS:
        there = {f"worker-{number}" for number in range(WORKERS)}
        for fault in dealt(seed):
            if fault.how == "added":
                assert fault.target == f"worker-{len(there)}"
                there.add(fault.target)
            elif KINDS[fault.kind].target in ("worker", "membership"):
                assert fault.target in there
            if fault.how.startswith("removed"):
                there.remove(fault.target)
                assert fault.target == f"worker-{len(there)}", "as the command takes workers away"
            assert WORKERS <= len(there) <= WORKERS + 2


def test_pauses_and_cuts_of_workers_last_longer_than_their_session():
    for name in ("worker paused", "worker cut off from Kafka"):
        assert KINDS[name].seconds[0] > SESSION_S


def test_every_kind_can_be_done():
    assert FAULTS.keys() == KINDS.keys()
