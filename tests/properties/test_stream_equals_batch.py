"""Whatever the order, the repeats and the restarts: the sink ends with the rows of the batch answer."""

from random import Random

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from examples.sample import lines
from streams.core.facts import Key, Row
from streams.core.policy import default
from tests.oracle.batch import COVERED, Tables
from tests.oracle.lines import accepted
from tests.simulation.broker import Run
from tests.simulation.compare import differences, oracle
from tests.strategies import DURATIONS, World, worlds

SEEDS = st.integers(0, 2**32 - 1)
EXAMPLES = settings(
    deadline=None, print_blob=True, phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow],
)


def rows(world: World, seed: int, disorder: bool = True) -> Tables:
    """What the sink holds after one run; not the evidence, of which the clusters of a shared end tell parts."""
    sink = Run(world, Random(seed), disorder=disorder).finish()
    return {table: sink.rows(table) for table in COVERED}


@settings(EXAMPLES, max_examples=300)
@given(worlds(), SEEDS)
def test_rows_in_the_sink_are_those_of_the_batch(world: World, seed: int) -> None:
    assert differences(oracle(world), Run(world, Random(seed)).finish()) == []


def test_twenty_orders_of_one_file_give_equal_rows() -> None:
    """With one partition and with several, restarts in the middle, 30 of 100 events sent twice."""
    world = World(default(), tuple(accepted(lines(1, 12))), durations=DURATIONS | {"session_gap_ms": 1_800_000})
    first = rows(world, 0)
    assert differences(oracle(world), Run(world, Random(0)).finish()) == []
    assert all(rows(world, seed) == first for seed in range(1, 20))


@settings(EXAMPLES, max_examples=60)
@given(worlds(12), SEEDS)
def test_one_partition_in_order_gives_what_many_in_disorder_give(world: World, seed: int) -> None:
    sink = Run(world, Random(seed), partitions=1, disorder=False).finish()
    in_order = {table: sink.rows(table) for table in COVERED}
    assert differences(in_order, Run(world, Random(seed)).finish()) == []


@settings(EXAMPLES, max_examples=60)
@given(worlds(12), SEEDS)
def test_everything_sent_twice_changes_only_copies(world: World, seed: int) -> None:
    again = [
        msgspec.structs.replace(e, position=("events.zzz", 0, offset)) for offset, e in enumerate(world.events)
    ]
    twice = rows(World(world.policy, (*world.events, *again)), seed)
    assert _without_copies(twice) == _without_copies(rows(world, seed))
    counts = {key: 2 * row[17] for key, row in rows(world, seed)["touchpoints"].items()}
    assert {key: row[17] for key, row in twice["touchpoints"].items()} == counts


def _without_copies(tables: Tables) -> Tables:
    def cut(row: Row) -> Row:
        return (*row[:17], *row[18:])
    touchpoints: dict[Key, Row] = {key: cut(row) for key, row in tables["touchpoints"].items()}
    return tables | {"touchpoints": touchpoints}
