"""The load of the benchmark: the same for one seed, in order, accepted whole, of the size of real events."""

import random
from itertools import pairwise

from deploy.bench.events import event, generate
from schemas.records import CHANNEL_EVENT
from streams.core.accept import Accepted, Rules, accept
from streams.core.channels import registry
from streams.core.policy import default

EVENTS = list(generate(2000, people=200, seed=5))


def test_one_seed_makes_the_same_events() -> None:
    assert list(generate(2000, people=200, seed=5)) == EVENTS
    assert list(generate(2000, people=200, seed=6)) != EVENTS


def test_events_come_in_the_order_of_their_time_with_ids_of_their_own() -> None:
    assert all(a["occurred_at"] <= b["occurred_at"] for a, b in pairwise(EVENTS))
    assert len({e["event_id"] for e in EVENTS}) == len(EVENTS) == 2000


def test_a_later_part_follows_in_time_and_repeats_no_id() -> None:
    later = list(generate(100, people=200, seed=5, part=1))
    assert later[0]["occurred_at"] > EVENTS[-1]["occurred_at"] - 5 * 86_400_000
    assert not {e["event_id"] for e in later} & {e["event_id"] for e in EVENTS}


def test_every_event_is_accepted_with_all_its_identifiers() -> None:
    rules = Rules(default(), registry({}), "", "UTC")
    for sent in EVENTS:
        record = CHANNEL_EVENT.decode(CHANNEL_EVENT.encode(sent))
        outcome = accept(record, ("t", 0, 0), 2**41, bytes(16), sent["channel"], rules)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.notes == ()


def test_events_have_the_size_of_real_ones() -> None:
    sizes = [len(CHANNEL_EVENT.encode(sent)) for sent in EVENTS]
    assert 400 <= sum(sizes) / len(sizes) <= 900


def test_people_log_in_buy_write_and_visit_stores() -> None:
    types = {sent["type"] for sent in EVENTS}
    assert {"product_viewed", "logged_in", "order_placed", "order_fulfilled", "message_received", "card_shown"} <= types
    assert {sent["channel"] for sent in EVENTS} >= {"web", "app", "telegram", "call_centre", "pos", "delivery"}


def test_two_events_of_equal_content_have_ids_of_their_own() -> None:
    rng = random.Random(1)
    one, other = (event(rng, "web", "page_viewed", 0, [("anonymous_id", "a-1")]) for _ in range(2))
    assert one.pop("event_id") != other.pop("event_id")
    assert one == other
