"""A look-up reads from the state what the sink was told, whatever happened: rules, policies, erasures, crashes."""

from random import Random
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.lookup.held import Held, Reading
from streams.core import policy
from streams.core.event import NodeKey
from streams.core.facts import Row
from streams.core.walk import End, key_of_person, walk
from tests.simulation.broker import Run
from tests.simulation.policy_file import known_policy
from tests.simulation.stores import Sink
from tests.strategies import World, worlds

SEEDS = st.integers(0, 2**32 - 1)
EXAMPLES = settings(
    deadline=None, print_blob=True, phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow],
)
OF_PERSON = (
    "persons", "identifiers", "touchpoints", "sessions", "journeys", "person_channels", "orders", "order_items",
    "shipments", "conversations", "conversation_messages", "promises", "person_traits", "identifier_sightings",
)


def looked_up(run: Run, key: NodeKey) -> Held | None:
    """As the collector does it, with every partition at one worker."""
    found = walk(dict(enumerate(run.stores)), run.shaping.keys, key)
    return None if found.end is not End.ROOT else Reading(run.shaping, run.world.policy).person(found)


def told(sink: Sink, who: bytes) -> dict[str, list[Row]]:
    owner = {"identifiers": 3}
    rows = {table: [row for row in sink.rows(table).values() if row[owner.get(table, 0)] == who] for table in OF_PERSON}
    return {table: sorted(found, key=repr) for table, found in rows.items() if found}


@settings(EXAMPLES, max_examples=30)
@given(worlds(24, ("rules", "policies", "erasures")), SEEDS)
def test_who_holds_an_identifier_is_told_with_the_rows_of_the_sink(world: World, seed: int) -> None:
    run = Run(world, Random(seed))
    sink = run.finish()
    owned = {row[0]: (row[3], row[4]) for row in sink.rows("identifiers").values()}
    ruled = {run.shaping.keys.node(end) for word in world.words for end in word.pair}
    with patch.object(policy, "parse", known_policy):
        for node in {run.shaping.keys.node((k, v)) for event in world.events for k, v, _ in event.ids}:
            held = looked_up(run, node)
            if node not in owned:  # nothing left names it, but a rule may still say whose it is
                assert held is None or node in ruled
                continue
            assert held is not None
            assert (held.person_id, held.is_shared) == owned[node]
            if not held.is_shared:
                got = {table: sorted(rows, key=repr) for table, rows in held.rows.items() if table in OF_PERSON}
                assert got == told(sink, held.person_id)


@settings(EXAMPLES, max_examples=15)
@given(worlds(24), SEEDS)
def test_a_person_id_leads_to_the_person_and_one_that_was_merged_to_its_survivor(world: World, seed: int) -> None:
    run = Run(world, Random(seed))
    sink = run.finish()
    now = {row[0]: row[2] for row in sink.rows("persons").values()}
    merged = {row[1] for row in sink.rows("merges").values() if row[2] == "merged"}
    holder = {row[0]: row[3] for row in sink.rows("identifiers").values()}
    for who in {*now, *merged}:
        store = run.stores[run.shaping.keys.partition(NodeKey(who))]
        key = key_of_person(store, who)
        assert key is not None
        held = looked_up(run, key)
        assert held is not None
        assert held.person_id == (who if who in now else holder[key])


def test_nobody_has_an_id_that_never_was() -> None:
    assert key_of_person(Run(World(policy.default(), ()), Random(0)).stores[0], bytes(16)) is None
