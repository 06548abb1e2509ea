"""Orders that look alike, returns without an order, late merges: the sink ends with the rows of the batch answer."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.event import Event
from streams.core.facts import TABLES
from streams.core.policy import default
from tests.oracle.build import event
from tests.properties.test_stream_equals_batch import EXAMPLES, SEEDS
from tests.simulation.broker import Run
from tests.simulation.compare import differences, oracle
from tests.strategies import DAY_MS, GAP_MS, World

SUSPECTED = [c.name for c in TABLES["orders"].columns].index("suspected_duplicate_of")


def _world(random: Random) -> World:
    """Two customers who order the same few things over and over, some of it before they are known to be themselves."""
    return World(default(), tuple(_event(random, f"e{n}") for n in range(random.randint(2, 20))))


def _event(random: Random, event_id: str) -> Event:
    cookie, customer = random.choice("abc"), random.choice("12")
    ids = random.choice([[f"anonymous_id:{cookie}"], [f"customer_id:{customer}"]] * 3
                        + [[f"anonymous_id:{cookie}", f"customer_id:{customer}"]])
    at = DAY_MS + random.choice([0, 1, GAP_MS, 2 * GAP_MS, 2 * GAP_MS + 1, 3 * GAP_MS, 4 * GAP_MS])
    type_ = random.choice(["order_placed"] * 5 + ["order_cancelled", "order_updated", "order_returned"])
    order: dict[str, Any] = {"order_id": f"o{random.randint(1, 8)}", "total": 10_000}
    if type_ in ("order_placed", "order_updated"):
        order["items"] = [{"sku": random.choice("uuuuv")}]
        order |= random.choice([{}, {}, {"receipt_id": "r"}])
    told: dict[str, Any] = {"order": order}
    if type_ == "order_returned":
        told["returned"] = {"return_id": random.choice("qr"), "amount": random.choice([4_000, 10_000])}
        told = told if random.randint(0, 1) else {"returned": told["returned"]}
    return event(event_id, at, *ids, type=type_, channel=random.choice(["web", "pos", "app"]), **told)


WORLDS = st.randoms(use_true_random=False).map(_world)


@settings(EXAMPLES, max_examples=150)
@given(WORLDS, SEEDS)
def test_orders_that_look_alike_are_told_as_in_the_batch(world: World, seed: int) -> None:
    assert differences(oracle(world), Run(world, Random(seed)).finish()) == []


def test_such_worlds_have_what_they_are_made_for() -> None:
    tables = [oracle(_world(Random(seed))) for seed in range(50)]
    assert sum(row[SUSPECTED] is not None for t in tables for row in t["orders"].values()) > 20
    assert sum(key[1] == "" for t in tables for key in t["returns"]) > 10
