"""Rules and policies may come at any moment: the last word and the last policy decide, and nothing else stays."""

from dataclasses import fields, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.facts import index_of
from streams.core.policy import Policy, default, parse
from tests.oracle.batch import COVERED, Tables
from tests.oracle.build import event, identifier
from tests.oracle.rules import Word
from tests.properties.test_stream_equals_batch import EXAMPLES, SEEDS
from tests.simulation.broker import Run
from tests.simulation.compare import differences, held, oracle
from tests.simulation.policy_file import to_toml
from tests.simulation.stores import Sink
from tests.strategies import DAY_MS, Change, World, make_world, worlds

_NODES = index_of("touchpoints", "nodes")


def rows(world: World, seed: int) -> Tables:
    """Rows that two runs may be compared by: how much is told of a pair with one shared end is a run's own."""
    sink = run(world, seed)
    assert differences(oracle(world), sink) == []
    found = held(sink, (*COVERED, "evidence", "rules"))
    shared = {node for (node,), row in found["identifiers"].items() if row[4]}
    return found | {"evidence": {pair: row for pair, row in found["evidence"].items() if shared.isdisjoint(pair)}}


def run(world: World, seed: int) -> Sink:
    return Run(world, Random(seed)).finish()


@settings(EXAMPLES, max_examples=150)
@given(worlds(16, ["rules"]), SEEDS)
def test_the_last_word_on_each_pair_holds(world: World, seed: int) -> None:
    assert differences(oracle(world), run(world, seed)) == []


@settings(EXAMPLES, max_examples=150)
@given(worlds(16, ["rules", "policies"]), SEEDS)
def test_the_last_policy_decides_over_everything(world: World, seed: int) -> None:
    assert differences(oracle(world), run(world, seed)) == []


def test_what_is_parted_from_somebody_has_its_own_touchpoints() -> None:
    """Plain seeds: where it is seen alone, it is never the person's whom a rule parts it from."""
    parted = 0
    for seed in range(60):
        random = Random(seed)
        ids = ["customer_id:v1", "customer_id:v2", "phone:v3", "email:v4", "device_id:v5", "device_id:v6"]
        events = [event(f"e{n}", n, *random.sample(ids, random.choice([1, 1, 2, 3]))) for n in range(15)]
        pairs = [sorted(identifier(one)[:2] for one in random.sample(ids, 2)) for _ in range(2)]
        words = tuple(Word((a, b), "unlink", f"r{n}", 1) for n, (a, b) in enumerate(pairs))
        world = World(default(), tuple(events), words=words)
        sink = run(world, seed)
        assert differences(oracle(world), sink) == [], seed
        owner = {node: row for (node,), row in sink.rows("identifiers").items()}
        for row in sink.rows("rules").values():
            for end, other in (row[:2], row[1::-1]):
                if row[6] == "unlink" and owner.keys() >= {end, other} and not (owner[end][4] or owner[other][4]):
                    alone = [t for t in sink.rows("touchpoints").values() if t[_NODES] == [end]]
                    assert all(touch[0] != owner[other][3] for touch in alone), seed
                    parted += len(alone)
    assert parted > 10


def test_evidence_is_counted_once_after_a_policy_that_made_it_weak() -> None:
    kinds = dict(default().kinds)
    weak = replace(default(), kinds=kinds | {"phone": replace(kinds["phone"], min_events=2)})
    events = (event("1", 1, "email:a", "phone:p"),)
    world = World(default(), events, changes=(Change(weak), Change(default())))
    assert all(differences(oracle(world), run(world, seed)) == [] for seed in range(9))


@settings(EXAMPLES, max_examples=60)
@given(worlds(12, ["rules", "policies"]), SEEDS)
def test_policy_a_then_b_then_a_is_as_a_alone(world: World, seed: int) -> None:
    alone = replace(world, changes=())
    there_and_back = replace(world, changes=(*world.changes, Change(world.policy, world.durations)))
    assert rows(there_and_back, seed) == rows(alone, seed)


@settings(EXAMPLES, max_examples=60)
@given(worlds(12, ["rules"]), SEEDS)
def test_dropped_rules_leave_everything_as_before(world: World, seed: int) -> None:
    dropped = [Word(pair, "drop", f"z{n}", DAY_MS + 9) for n, pair in enumerate({w.pair: 0 for w in world.words})]
    before, after = replace(world, words=()), replace(world, words=(*world.words, *dropped))
    assert rows(after, seed) == rows(before, seed)


@settings(EXAMPLES, max_examples=50)
@given(st.randoms(use_true_random=False))
def test_a_policy_written_as_a_file_is_read_as_the_same_policy(random: Random) -> None:
    for policy in (default(), *make_world(random, 1, ["policies"]).policies):
        assert _told(parse(to_toml(policy), "policy.toml")) == _told(policy)


def _told(policy: Policy) -> list[object]:
    told = {field.name: getattr(policy, field.name) for field in fields(policy)}
    blocked = {kind: (row.values, bool(row.pattern)) for kind, row in told.pop("blocked").items()}
    return [blocked, *(dict(value) if hasattr(value, "keys") else value for value in told.values())]
