"""The shortcut for one more touchpoint equals making the whole view anew, and is taken where it should be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core import increment, newcomers, partition
from streams.core.cluster import Cluster, Kept
from streams.core.event import Event, Identifier
from streams.core.facts import TABLES, index_of
from streams.core.messages import PolicyChange
from streams.core.policy import default
from streams.core.rows import Changes, Rows, View, view
from streams.core.shaping import Shaping
from tests.oracle.build import event, money
from tests.simulation.broker import Run
from tests.simulation.policy_file import to_toml
from tests.strategies import make_world
from tests.unit.streams.core.graphs import MINUTE, Graph

KINDS = [
    ("page_viewed", "interaction"), ("ad_viewed", "exposure"), ("wifi_seen", "observation"), ("noted", "record"),
    ("order_placed", "interaction"), ("order_paid", "order_fact"), ("order_requested", "interaction"),
    ("message_received", "interaction"), ("message_sent", "exposure"), ("call_answered", "interaction"),
    ("callback_requested", "interaction"), ("callback_promised", "exposure"), ("message_opened", "interaction"),
    ("order_placed", "interaction"), ("order_returned", "order_fact"),
]


_COPIES = index_of("touchpoints", "copies")


def _events(random: Random) -> list[Event]:
    events = []
    for n in range(random.randint(2, 40)):
        type_, role = random.choice(KINDS)
        person = random.randint(1, 2)
        ids = [f"anonymous_id:{person}{random.choice('ab')}"]
        ids += [f"customer_id:{person}"] if random.randint(0, 2) == 0 else []
        order = {"order_id": f"o{random.randint(1, 5)}", "total": money(10), "currency": "EUR",
                 "items": [{"sku": random.choice("uuv")}], "delivery": {"status": random.choice(["packed", "delayed"])}}
        named = type_.startswith("order") and (type_ != "order_returned" or random.choice([True, False]))
        events.append(event(
            str(n), random.randint(0, 60) * 7 * MINUTE, *ids, type=type_, role=role,
            channel=random.choice(["web", "pos"]),
            device=random.choice([None, "desktop", "mobile"]), store_id=random.choice([None, None, "S1", "S2"]),
            conversation_id=random.choice([None, None, None, "c1", "c2"]), staff=random.choice([None, "s7"]),
            campaign=random.choice([None, None, "spring"]),
            message_id=random.choice([None, "m1"]), click_id=random.choice([None, None, "k1"]),
            **({"order": order} if named or random.randint(0, 5) == 0 else {}),
            **({"returned": {"return_id": random.choice("qr"), "amount": n}} if type_ == "order_returned" else {}),
            city=random.choice([None, *"cdefghij"]),
            **({"traits": {"name": random.choice("abcdefgh")}, "consents": {"email": person == 1}} if n % 4 == 0
               else {}),
        ))
    if random.choice([True, False]):  # as most events come
        events.sort(key=lambda e: (e.at_ms, e.event_id))
    return events


def _copies(seen: View) -> int:
    return sum(row[_COPIES] for key, row in seen.rows.items() if key[0] == "touchpoints")


def _see_checked(events: list[Event], journey_gap_ms: int = 60 * MINUTE) -> int:
    """How often a shortcut was taken; each time it is held against the whole."""
    with _checked() as taken:
        Graph(1, journey_gap_ms=journey_gap_ms).see(*events)
    return len(taken)


@contextmanager
def _checked() -> Iterator[list[Cluster]]:
    """Holds every shortcut against the whole; of which clusters they were."""
    taken: list[Cluster] = []

    def compare(cluster: Cluster, shaping: Shaping, seen: View, before: Rows, changes: Changes) -> None:
        taken.append(cluster)
        whole = view(cluster, shaping)
        if _copies(seen) == _copies(whole):  # else the rest of a small cluster, or of a batch, is on its way
            assert (seen.rows, seen.orders, seen.whose()) == (whole.rows, whole.orders, whole.whose())
        keys = seen.rows.keys() | before.keys()
        assert changes == {k: seen.rows.get(k) for k in keys if before.get(k) != seen.rows.get(k)}

    def checked(cluster: Cluster, shaping: Shaping, seen: View, kept: Kept) -> Changes | None:
        before = dict(seen.rows)
        changes = increment.add(cluster, shaping, seen, kept)
        if changes is not None:
            compare(cluster, shaping, seen, before, changes)
        return changes

    def checked_join(
        cluster: Cluster, shaping: Shaping, seen: View, members: set[Identifier], waiting: int,
    ) -> Changes | None:
        before = dict(seen.rows)
        changes = newcomers.join(cluster, shaping, seen, members, waiting)
        if changes is not None:
            compare(cluster, shaping, seen, before, changes)
        return changes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "add", checked)
        patch.setattr(partition, "join", checked_join)
        yield taken


def test_the_shortcuts_equal_the_whole_where_limits_refuse_and_policies_change() -> None:
    """Tight limits: identifiers go from person to person with each login."""
    with _checked() as taken:
        for seed in range(12):
            random = Random(seed)
            world = make_world(random, 40, ["rules", "policies"] if seed % 2 else [])
            Run(world, random).finish()
    assert sum(bool(cluster.resolution.contested) for cluster in taken) > 20


def test_one_login_after_another_is_told_without_making_all_anew() -> None:
    """A person at its limit: each new device takes the place of the oldest, whose touchpoints stay."""
    policy = PolicyChange(0, 1, to_toml(replace(default(), person_identifiers_max=10)), 0)
    graph = Graph(1)
    graph.partitions[0].work([policy])
    with _checked() as taken:
        graph.see(*(event(f"{n:03}", n * MINUTE, "customer_id:broken", f"device_id:d{n % 25}") for n in range(100)))
    assert len(taken) > 100


@settings(max_examples=120, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_shortcut_equals_the_whole(random: Random) -> None:
    _see_checked(_events(random), random.choice([20, 35, 70, 1000]) * MINUTE)


def test_the_shortcut_equals_the_whole_in_worlds_as_busy_as_they_come() -> None:
    """Plain seeds: Hypothesis prefers small worlds, in which late touches seldom meet an order."""
    for seed in range(150):
        random = Random(seed)
        _see_checked(_events(random), random.choice([20, 35, 70, 1000]) * MINUTE)


def test_the_shortcut_is_taken_for_whoever_comes_again() -> None:
    assert _see_checked([event(str(n), n * MINUTE, "anonymous_id:a") for n in range(5)]) == 4
    assert sum(_see_checked(_events(Random(seed))) for seed in range(10)) > 30


@settings(max_examples=120, deadline=None)
@given(st.randoms(use_true_random=False))
def test_touchpoints_told_together_leave_the_rows_that_they_leave_one_by_one(random: Random) -> None:
    """Of merges apart, which are history: who had been met depends on what was told in between."""
    events, one_by_one, together = _events(random), Graph(1), Graph(1)
    one_by_one.see(*events)
    start = 0
    while start < len(events):
        end = start + random.randint(1, 12)
        together.see_together(*events[start:end])
        start = end
    for table in TABLES.keys() - {"merges", "identifier_owners"}:
        assert together.rows(table) == one_by_one.rows(table)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_open_session_extended_touch_by_touch_equals_the_whole(random: Random) -> None:
    at, events = 0, []
    for n in range(25):
        at += random.choice([0, 1, 10, 29, 30, 31]) * MINUTE
        type_, role = random.choice([*KINDS, KINDS[0], KINDS[0]])
        events.append(event(
            f"{n:02}", at, "customer_id:1", type=type_, role=role, channel=random.choice(["web", "app", "pos"]),
            device=random.choice([None, "desktop", "mobile"]), store_id=random.choice([None, "S1", "S2"]),
            campaign=random.choice([None, "spring"]),
        ))
    assert _see_checked(events) >= 20
