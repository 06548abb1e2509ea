"""Who a call is about."""

from typing import Any

import pytest

from tests.unit.connectors.segment.samples import call, decoded, named, track


def test_every_identifier_that_the_specification_has() -> None:
    event = decoded(call(
        userId=8812, context={
            "device": {"id": "d-1", "advertisingId": "ad-1", "token": "push-1", "adTrackingEnabled": True},
            "traits": {"email": "ann@example.com", "phone": "+380441234567"},
            "externalIds": [{"id": "c-9", "type": "crm_id", "collection": "users"}],
        },
    ))
    assert named(event) == {
        "customer_id": "8812", "anonymous_id": "a-1", "device_id": "d-1", "advertising_id": "ad-1",
        "push_token": "push-1", "email": "ann@example.com", "phone": "+380441234567", "crm_id": "c-9",
    }
    assert "traits" not in event
    assert set(event["properties"]) == {"event", "context.device.adTrackingEnabled"}


def test_an_advertising_id_is_not_kept_where_tracking_is_off() -> None:
    event = decoded(call(context={"device": {"advertisingId": "ad-1", "adTrackingEnabled": False}}))
    assert named(event) == {"anonymous_id": "a-1"}
    assert "ad-1" not in str(event)


def test_a_user_id_that_is_an_email_is_one() -> None:
    assert named(decoded(call(userId="ann@example.com"))) == {"email": "ann@example.com", "anonymous_id": "a-1"}


@pytest.mark.parametrize(("previous", "kind"), [("a-0", "anonymous_id"), ("old@example.com", "email")])
def test_alias_joins_what_the_customer_was_with_what_it_is(previous: str, kind: str) -> None:
    event = decoded(call(type="alias", event=None, anonymousId=None, userId="u-1", previousId=previous))
    assert named(event) == {"customer_id": "u-1", kind: previous}
    assert (event["type"], event["role"]) == ("identified", "record")


def test_identify_tells_traits_in_one_spelling() -> None:
    event = decoded(call(type="identify", event=None, userId="u-1", traits={
        "email": "ann@example.com", "firstName": "Ann", "last_name": "Example", "address": {"city": "Kyiv"},
        "logins": 5, "tags": ["a"], "age": None,
    }))
    assert event["traits"] == {
        "first_name": "Ann", "last_name": "Example", "address.city": "Kyiv", "logins": "5", "tags": '["a"]',
    }
    assert named(event)["email"] == "ann@example.com"
    assert "role" not in event


def test_identify_that_only_updates_is_nobodys_act() -> None:
    event = decoded(call(type="identify", event=None, context={"active": False}))
    assert event["role"] == "record"


def test_what_a_group_is_called_and_how_it_is_reached_is_not_the_customers_own() -> None:
    event = decoded(call(type="group", event=None, groupId="g-1", traits={"email": "office@example.com", "name": "X"}))
    assert named(event) == {"anonymous_id": "a-1"}
    assert event["traits"] == {"group_id": "g-1", "group.email": "office@example.com", "group.name": "X"}
    assert "properties" not in event


@pytest.mark.parametrize("properties", [
    {"recipient": "friend@example.com"}, {"form": {"mail": ["x", {"to": "friend@example.com"}]}},
    {"mobile_number": "+380 44 123 45 67"}, {"phone": "0441234567"},
])
def test_addresses_stand_where_only_few_may_look(properties: dict[str, Any]) -> None:
    event = decoded(call(properties=properties))
    assert named(event) == {"anonymous_id": "a-1"}
    assert len(event["traits"]) == 1
    assert "example.com" not in str(event["properties"])
    assert "44" not in str(event["properties"])


def test_a_pages_address_does_not_tell_an_email() -> None:
    url = "https://shop.example/?email=ann%40example.com&utm_source=news#to=bob@example.com"
    event = decoded(call(context={"page": {"url": url, "search": "?email=ann%40example.com&utm_source=news"}}))
    assert event["properties"]["url"] == "https://shop.example/?email=~&utm_source=news#to=~"
    assert event["properties"]["context.page.search"] == "?email=~&utm_source=news"
    assert event["traits"] == {
        "url.email": "ann@example.com", "url.to": "bob@example.com", "context.page.search.email": "ann@example.com",
    }
    assert named(event) == {"anonymous_id": "a-1"}
    assert event["campaign"] == {"source": "news"}


def test_numbers_that_are_no_phones_stay_properties() -> None:
    told = {"mobile": True, "phone_model": "1234567", "order_phone": 7, "mobile_visits": 12345678}
    assert "traits" not in decoded(call(properties=told))


def test_an_email_that_is_none_is_a_trait() -> None:
    event = decoded(call(type="identify", event=None, traits={"email": "none given", "phone": "ask"}))
    assert (named(event), event["traits"]) == ({"anonymous_id": "a-1"}, {"email": "none given", "phone": "ask"})


def test_who_opens_a_mail_may_be_another() -> None:
    event = decoded(track("Email Opened", email_id="e-1") | {"userId": "u-1"})
    assert event["identifiers"] == [
        {"kind": "customer_id", "value": "u-1"}, {"kind": "anonymous_id", "value": "a-1", "confidence": 0.8},
    ]


def test_consents_by_category() -> None:
    context = {"consent": {"categoryPreferences": {"Advertising": True, "Analytics": False, "Other": "maybe"}}}
    event = decoded(call(context=context))
    assert event["consent"] == {"Advertising": True, "Analytics": False}
    assert event["properties"]["context.consent.categoryPreferences.Other"] == "maybe"


def test_a_list_of_external_ids_that_is_none_of_ours_stays() -> None:
    rows = [{"id": "x", "type": "account", "collection": "accounts"}, "odd"]
    event = decoded(call(context={"externalIds": rows, "externalId": [{"type": "crm_id", "id": "c-1"}]}))
    assert named(event) == {"anonymous_id": "a-1", "crm_id": "c-1"}
    assert "accounts" in event["traits"]["externalIds"]
