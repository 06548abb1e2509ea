"""`onethread who`: what may stand for a person, and what the card and the document show."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from cli import looks
from cli.card import card
from cli.way import MODELS
from cli.who import document, find_person, plain, split
from sinks.clickhouse.profile import Profile
from streams.core.policy import default
from streams.errors import OneThreadError, UsageError

AT = datetime(2026, 2, 17, 18, 12, tzinfo=UTC)
ID = UUID("548d8728-b189-8ea2-9c5e-b700b5e420fa")


class Views:
    """Stands for ClickHouse: knows one phone."""

    def query(self, query: str, parameters: dict[str, Any], **_: Any) -> "Views":
        self.found = [{"person_id": ID}] if parameters.get("value") == "+380670009001" else []
        return self

    def named_results(self) -> list[dict[str, Any]]:
        return self.found


def profile(**fields: Any) -> Profile:
    person = {
        "person_id": ID, "known": True, "shared": False, "first_seen_at": AT, "last_seen_at": AT,
        "first_channel": "web",
        "home_store_id": None, "devices": ["desktop"], "touchpoints": 1, "sessions": 0, "orders": 0,
        "revenue": Decimal(0), "returned": Decimal(0), "currency": "UAH",
        "preferences": {}, "consent": {}, "acquired_at": None, "status": None, "unnoticed_by": [],
        "probability_alive": None, "predicted_orders": None, "predicted_revenue": None, "predicted_at": None,
    }
    lists = "identifiers", "channels", "sessions", "journeys", "open_promises", "orders", "items", "credits"
    empty: dict[str, Any] = {name: [] for name in lists}
    return Profile(**{"person": person | fields.pop("person", {}), **empty, "zone": "Europe/Kyiv"} | fields)


def page(found: Profile) -> str:
    console = Console(width=100, no_color=True)
    with console.capture() as shown:
        console.print(card(found))
    return shown.get()


ORDER = {
    "order_id": "o-1", "status": "fulfilled", "total": Decimal("1298.0000"), "currency": "UAH",
    "requested_at": None, "requested_channel": None, "placed_at": AT, "placed_channel": "web", "placed_store_id": None,
    "ready_at": None, "ready_store_id": None, "paid_at": None, "paid_channel": None, "paid_store_id": None,
    "fulfilled_at": datetime(2026, 2, 19, 16, 6, tzinfo=UTC), "fulfilled_channel": "pos", "fulfilled_store_id": "S2",
    "cancelled_at": None, "cancelled_channel": None,
}
ITEM = {"order_id": "o-1", "sku": "apple", "name": "Apples", "quantity": Decimal("0.4560"), "unit": "kg"}


@pytest.mark.parametrize(("text", "pair"), [
    ("phone:067", ("phone", "067")),
    ("instagram_id:17841400:9", ("instagram_id", "17841400:9")),
    ("order_id:till:S1/3", ("order_id", "till:S1/3")),
])
def test_the_first_colon_splits(text, pair):
    assert split(text) == pair


@pytest.mark.parametrize("text", ["phone", ":x", "phone:", "phone: "])
def test_what_is_no_pair_is_wrong_usage(text):
    with pytest.raises(UsageError, match="expected KIND:VALUE"):
        split(text)


@pytest.mark.parametrize("value", ["+380670009001", "067 000 90 01", "+38 (067) 000-90-01"])
def test_a_value_is_normalised_as_in_events(value):
    assert find_person(Views(), "phone", value, "UA", default()) == ID
    assert find_person(Views(), "whatsapp", value, "UA", default()) == ID


def test_an_unknown_identifier_is_told_by_its_kind():
    with pytest.raises(OneThreadError, match=r"^no such phone$"):
        find_person(Views(), "phone", "+380670009999", "UA", default())


def test_a_value_that_identifies_nobody_says_why():
    with pytest.raises(OneThreadError, match="no such email: the value is refused as blocked"):
        find_person(Views(), "email", "noreply@example.com", "UA", default())


def test_a_kind_that_is_none_is_wrong_usage():
    with pytest.raises(UsageError, match="no kind 'fone'"):
        find_person(Views(), "fone", "1", "UA", default())


def test_person_takes_a_uuid_only():
    with pytest.raises(UsageError, match="expected person:UUID"):
        find_person(Views(), "person", "4711", "UA", default())


def test_the_card_leaves_out_what_is_not_known():
    shown = page(profile())
    assert "known" in shown
    for heading in ("Identifiers", "Channels", "Sessions", "Orders", "home store", "returned", "None"):
        assert heading not in shown


def test_the_first_channel_is_told_apart_from_the_first_sight():
    """A CRM's record dates a person before it was met on any channel."""
    assert "met first on  web" in page(profile())
    assert "met first on" not in page(profile(person={"first_channel": None}))


def test_the_card_tells_what_the_person_prefers_and_allows():
    person = {"preferences": {"contact_mode": "write"}, "consent": {"sms": False, "email": True}}
    shown = page(profile(person=person))
    assert "prefers       contact_mode write" in shown
    assert "consents      email given, sms withdrawn" in shown
    assert "prefers" not in page(profile())


def test_the_card_tells_of_open_promises():
    promise = {"kind": "callback", "status": "overdue", "requested_at": AT, "promised_at": None, "promised_by": None,
               "due_at": AT}
    shown = " ".join(page(profile(open_promises=[promise])).replace("│", " ").split())
    assert "Open promises" in shown
    assert "callback 17 Feb 20:12 17 Feb 20:12 overdue" in shown
    assert "Open promises" not in page(profile())


def test_the_card_tells_an_orders_stages_over_the_channels():
    shown = " ".join(page(profile(orders=[ORDER], items=[ITEM])).replace("│", " ").split())
    assert "1,298.00 UAH" in shown
    assert "placed web 17 Feb 20:12 → fulfilled pos S2 19 Feb" in shown
    assert "0.456 kg Apples" in shown


JOURNEY = {
    "started_at": AT, "days": 0.7, "outcome": "converted", "path": ["ads", "web"], "stage": "buy",
    "obstacles": ["payment_failed"],
}


def credit(event_id: str, minute: int, model: str, share: str) -> dict[str, Any]:
    return {"order_id": "o-1", "event_id": event_id, "at": AT.replace(minute=minute), "model": model, "touch": "visit",
            "channel": "ads" if minute < 20 else "web", "credit": Decimal(share), "campaign_name": None,
            "campaign_source": "google" if minute < 20 else None}


def test_the_card_shows_the_way_to_the_last_order_and_its_credits():
    rows = [credit(event_id, minute, model, share) for model in MODELS
            for event_id, minute, share in (("b", 20, "0.333333333333"), ("a", 10, "0"))]
    lines = [" ".join(line.split()) for line in page(profile(
        journeys=[JOURNEY], orders=[ORDER], items=[ITEM], credits=rows,
        person={"acquired_at": AT, "acquisition_channel": "ads", "acquisition_campaign": None,
                "acquisition_source": "google"},
    )).splitlines()]
    assert "│ acquired 17 Feb 20:12 through ads, google │" in lines
    assert "│ 17 Feb 20:12 16 h 48 min converted ads → web buy payment_failed │" in lines
    first, second = [line for line in lines if "visit" in line]
    assert first == "│ 17 Feb 20:10 ads visit · google · · · · · · │"
    assert second == "│ 17 Feb 20:20 web visit 33.3% 33.3% 33.3% 33.3% 33.3% 33.3% │"


def test_the_document_nests_items_and_is_json():
    told = json.loads(json.dumps(document(profile(orders=[ORDER], items=[ITEM])), default=plain))
    assert told["person"]["person_id"] == str(ID)
    assert told["person"]["first_seen_at"] == "2026-02-17T18:12:00+00:00"
    assert told["orders"][0]["items"][0]["quantity"] == "0.4560"
    assert told.keys() == {"person", "identifiers", "channels", "sessions", "journeys", "orders", "open_promises"}


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 min"), (59, "0 min"), (60, "1 min"), (3600, "1 h"), (58_620, "16 h 17 min"), (90_060, "1 d 1 h"),
])
def test_a_pause_is_told_in_its_two_largest_units(seconds, text):
    assert looks.pause(seconds) == text


def test_a_card_tells_status_and_what_is_expected() -> None:
    told = page(profile(person={
        "status": "unnoticed", "unnoticed_by": ["pos", "wifi"], "probability_alive": 0.1234,
        "predicted_orders": 1.26, "predicted_revenue": Decimal("412.5"), "predicted_at": AT,
    }))
    assert "unnoticed (pos, wifi), alive with 12%" in told
    assert "1.3 orders for 412.50 UAH in the 12 months from 2026-02-17" in told


def test_a_card_without_a_status_and_a_run_says_nothing_of_them() -> None:
    told = page(profile())
    assert "status" not in told
    assert "LTV" not in told
