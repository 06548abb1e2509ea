"""The stories come out as told, by the independent batch answer to the identity rules."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from examples.sample import golden
from examples.sample.life import identifier
from examples.sample.stories import CASHIER_CARD, RECYCLED_PHONE, TABLET, TILL_EMAIL, tell_all
from streams.core.accept import Accepted, accept
from streams.core.facts import TABLES
from streams.core.policy import default
from streams.core.reading import Reader
from tests.oracle.batch import Tables, expected
from tests.oracle.read import DURATIONS
from tests.unit.examples.test_sample_accepted import KAFKA_MS, RULES


@pytest.fixture(scope="module")
def tables() -> Tables:
    reader = Reader(json.loads((Path(__file__).parents[3] / "schemas/events/channel_event.avsc").read_text()))
    told: list[dict[str, Any]] = []
    tell_all(1, told)
    events = []
    for offset, event in enumerate(told):
        line = json.dumps(event).encode()
        position = (f"events.{event['channel']}", 0, offset)
        outcome = accept(reader.read(line), position, KAFKA_MS, blake2b(line, digest_size=16).digest(), None, RULES)
        if isinstance(outcome, Accepted):
            events.append(outcome.event)
    return expected(events, default(), DURATIONS, b"test")


def _rows(tables: Tables, name: str) -> list[dict[str, Any]]:
    columns = [column.name for column in TABLES[name].columns]
    return [dict(zip(columns, row, strict=True)) for row in tables[name].values()]


def _identifier(tables: Tables, kind: str, value: str) -> dict[str, Any]:
    return next(row for row in _rows(tables, "identifiers") if (row["kind"], row["value"]) == (kind, value))


def _person(tables: Tables, kind: str, number: int) -> bytes:
    return _identifier(tables, kind, identifier(kind, number)["value"])["person_id"]


def test_golden_story_is_one_person_with_one_order(tables):
    person = _identifier(tables, "phone", golden.PHONE)["person_id"]
    touches = [r for r in _rows(tables, "touchpoints") if r["person_id"] == person]
    channels = dict.fromkeys(r["channel"] for r in sorted(touches, key=lambda r: r["occurred_at"]))
    assert list(channels) == ["ads", "web", "chat", "instagram", "call_centre", "pos"]
    [order] = [r for r in _rows(tables, "orders") if r["person_id"] == person]
    assert (order["order_id"], order["requested_channel"], order["placed_channel"], order["fulfilled_channel"],
            order["fulfilled_store_id"]) == (golden.ORDER, "instagram", "call_centre", "pos", golden.STORE)


def test_golden_story_is_one_journey_to_that_order(tables):
    person = _identifier(tables, "phone", golden.PHONE)["person_id"]
    [journey] = [r for r in _rows(tables, "journeys") if r["person_id"] == person]
    assert journey["path"] == ["ads", "web", "chat", "ads", "instagram", "call_centre"]
    assert journey["path_touchpoints"] == [1, 3, 4, 1, 2, 2]
    assert (journey["order_id"], journey["stage"], journey["after_sale"]) == (golden.ORDER, "after_sale", 3)
    assert (journey["start_campaign_source"], journey["start_campaign_name"]) == ("google", "winter-light")
    assert (journey["end_type"], journey["obstacles"], journey["unanswered_at"]) == ("order_placed", [], None)


def test_what_many_people_use_is_shared(tables):
    shared = {(r["kind"], r["value"]) for r in _rows(tables, "identifiers") if r["shared"]}
    named = {(kind, value) for kind, value in shared if kind != "email_sha256"}
    assert named == {("email", TILL_EMAIL), ("loyalty_card", CASHIER_CARD)}


def test_a_family_on_one_tablet_stays_three_people(tables):
    assert len({_person(tables, "customer_id", number) for number in (9100, 9101, 9102)}) == 3
    assert _identifier(tables, "anonymous_id", TABLET)["contested"]


def test_a_recycled_number_goes_to_its_new_owner(tables):
    new, old = _person(tables, "customer_id", 9401), _person(tables, "customer_id", 9400)
    phone = _identifier(tables, "phone", RECYCLED_PHONE)
    assert new != old
    assert phone["person_id"] == new
    assert phone["contested"]


def test_anonymous_receipts_find_their_person_when_the_card_is_shown(tables):
    person = _person(tables, "loyalty_card", 9500)
    orders = [r for r in _rows(tables, "orders") if r["person_id"] == person]
    assert sorted(r["anonymous"] for r in orders) == [False, True, True, True, True]


def test_pick_up_is_no_second_purchase(tables):
    person = _person(tables, "loyalty_card", 9600)
    [order] = [r for r in _rows(tables, "orders") if r["person_id"] == person]
    assert (order["placed_channel"], order["paid_channel"], order["fulfilled_channel"]) == ("web", "payment", "pos")


def test_a_return_elsewhere_counts_in_the_order(tables):
    person = _person(tables, "viber_id", 9650)
    [order] = [r for r in _rows(tables, "orders") if r["person_id"] == person]
    assert (order["placed_channel"], order["status"], order["returned_amount"]) == ("app", "partly_returned", 9_980_000)


def test_a_guests_order_is_theirs_after_they_sign_up(tables):
    person = _person(tables, "customer_id", 9700)
    assert [r["order_id"] for r in _rows(tables, "orders") if r["person_id"] == person] == ["web-guest"]


def test_a_forwarded_newsletter_merges_nobody(tables):
    assert _person(tables, "email", 9800) != _person(tables, "email", 9801)
