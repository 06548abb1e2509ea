"""The oracle's identity on worlds small enough to settle by hand."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from streams.core.event import Event
from streams.core.policy import Policy, default
from tests.oracle.build import event
from tests.oracle.keys import node_key, uuid8
from tests.oracle.read import PEPPER, contested, groups, person_of, rows, shared, whose


def limited(kind: str, **columns: Any) -> Policy:
    kinds = dict(default().kinds)
    return replace(default(), kinds=MappingProxyType(kinds | {kind: replace(kinds[kind], **columns)}))


def test_one_event_joins_its_identifiers_and_a_common_one_joins_two_events() -> None:
    tables = rows(
        event("1", 0, "email:a", "device_id:d"), event("2", 9, "device_id:d", "phone:p"), event("3", 9, "phone:q"),
    )
    assert groups(tables) == {frozenset("adp"), frozenset("q")}
    assert len(tables["persons"]) == 2


def test_fourth_email_makes_a_device_shared_and_three_do_not() -> None:
    four = [event(str(n), n, "device_id:d", f"email:e{n}") for n in range(4)]
    assert shared(rows(*four[:3])) == set()
    assert len(groups(rows(*four[:3]))) == 1
    assert shared(rows(*four)) == {"d"}
    assert len(groups(rows(*four))) == 5


def test_partners_of_different_personal_kinds_are_counted_apart() -> None:
    mixed = [event("1", 1, "device_id:d", "email:1", "email:2"), event("2", 2, "device_id:d", "phone:1", "phone:2")]
    assert shared(rows(*mixed)) == set()


def test_a_kind_is_not_counted_against_itself() -> None:
    emails = [event(str(n), n, "email:hub", f"email:e{n}") for n in range(4)]
    assert shared(rows(*emails)) == set()


def test_weak_edges_count_towards_sharedness() -> None:
    faint = [event(str(n), n, "device_id:d", f"email:e{n}@0.1") for n in range(4)]
    assert shared(rows(*faint)) == {"d"}


def test_click_seen_in_two_browsers_is_shared() -> None:
    clicks = [event(str(n), n, "click_id:c", f"anonymous_id:c{n}") for n in range(2)]
    assert shared(rows(*clicks[:1])) == set()
    assert shared(rows(*clicks)) == {"c"}


def test_card_seen_with_21_orders_on_one_day_is_shared_and_20_or_two_days_are_not() -> None:
    def sale(n: int, at_ms: int) -> Event:
        return event(str(n), at_ms, "loyalty_card:till", type="order_placed", order={"order_id": f"o{n}"})
    day_ms = 86_400_000
    sales = [sale(n, day_ms + n) for n in range(20)]
    assert shared(rows(*sales)) == set()
    assert shared(rows(*sales, sale(20, 2 * day_ms))) == set()
    assert shared(rows(*sales, sale(20, day_ms - 1))) == set()
    assert shared(rows(*sales, sale(20, 2 * day_ms - 1))) == {"till"}


def test_touchpoint_with_only_shared_identifiers_belongs_to_the_first_of_them() -> None:
    events = [event(str(n), n, "device_id:d", f"email:e{n}") for n in range(4)]
    tables = rows(*events, event("alone", 9, "device_id:d"))
    assert whose(tables, "alone") == (person_of(tables, "d"), "device_id")
    assert whose(tables, "2") == (person_of(tables, "e2"), "email")
    pseudo = tables["persons"][person_of(tables, "d"),]
    assert pseudo[1:3] == (False, True)
    assert (pseudo[10], pseudo[11]) == (1, 0)


def test_one_forwarded_mail_joins_nobody_and_two_clicks_do() -> None:
    click = [event(str(n), n, "email:a@0.8", "device_id:d") for n in range(2)]
    assert len(groups(rows(click[0]))) == 2
    assert len(groups(rows(*click))) == 1


def test_exact_copy_is_no_second_evidence_and_conflicting_copy_is() -> None:
    first = event("1", 0, "email:a@0.8", "device_id:d", offset=1)
    again = event("1", 0, "email:a@0.8", "device_id:d", offset=2)
    other = event("1", 0, "email:a@0.8", "device_id:d", offset=3, device="tv")
    assert len(groups(rows(first, again))) == 2
    assert len(groups(rows(first, other))) == 1


def test_sensor_needs_its_number_of_sightings() -> None:
    passes = [event(str(n), n, "wifi_mac:m", "loyalty_card:c") for n in range(3)]
    assert len(groups(rows(*passes[:2]))) == 2
    assert len(groups(rows(*passes))) == 1


def test_limit_refuses_the_older_login_and_contests_the_device() -> None:
    """customer_id allows one a person; the later edge is united first and the tablet goes with it."""
    tables = rows(event("mum", 10, "customer_id:m", "device_id:t"), event("dad", 20, "customer_id:d", "device_id:t"))
    assert groups(tables) == {frozenset("m"), frozenset("dt")}
    assert contested(tables) == {"t"}


def test_contested_tablet_goes_to_whoever_had_logged_in() -> None:
    tables = rows(
        event("early", 5, "device_id:t"), event("mum", 10, "customer_id:m", "device_id:t"),
        event("evening", 19, "device_id:t"), event("dad", 20, "customer_id:d", "device_id:t"),
        event("same", 20, "device_id:t"), event("night", 99, "device_id:t"),
    )
    mum, dad = (person_of(tables, who) for who in "md")
    assert [whose(tables, e)[0] for e in ("early", "mum", "evening", "dad", "same", "night")] == [mum] * 3 + [dad] * 3
    assert whose(tables, "evening")[1] == "customer_id"


def test_contested_without_personal_partner_stays_with_its_own_person() -> None:
    policy = limited("crm_id", per_person=1)
    tables = rows(event("1", 1, "crm_id:a", "push_token:p"), event("2", 2, "crm_id:b", "push_token:p"),
                  event("3", 3, "push_token:p"), policy=policy)
    assert contested(tables) == {"p"}
    assert whose(tables, "3") == (person_of(tables, "b"), "push_token")


def test_equal_strength_contests_the_later_in_text_order() -> None:
    policy = limited("phone", per_person=1)
    tables = rows(event("1", 1, "phone:a", "phone:b"), policy=policy)
    assert contested(tables) == {"b"}
    assert len(groups(tables)) == 2


def test_kin_that_is_not_contested_decides() -> None:
    """The tablet is contested, the push token seen with it in the same event is not."""
    policy = limited("push_token", strength=20)
    tables = rows(
        event("mum", 10, "customer_id:m", "device_id:t"), event("dad", 20, "customer_id:d", "device_id:t"),
        event("push", 15, "device_id:t", "push_token:p"), policy=policy,
    )
    assert whose(tables, "push") == (person_of(tables, "p"), "push_token")
    assert person_of(tables, "p") == person_of(tables, "d")


def test_person_stops_growing_at_the_policys_number() -> None:
    policy = replace(default(), person_identifiers_max=2)
    tables = rows(event("1", 1, "email:a", "email:b"), event("2", 2, "email:b", "email:c"), policy=policy)
    assert groups(tables) == {frozenset("a"), frozenset("bc")}
    assert contested(tables) == {"b"}


def test_person_id_is_of_the_first_seen_then_the_strongest() -> None:
    older = rows(event("1", 5, "device_id:d"), event("2", 9, "device_id:d", "email:a"))
    assert person_of(older, "a") == uuid8(node_key(("device_id", "d"), PEPPER))
    equal = rows(event("1", 9, "device_id:d", "email:a"))
    assert person_of(equal, "a") == uuid8(node_key(("email", "a"), PEPPER))
    assert UUID(bytes=person_of(equal, "a")).version == 8


def test_known_needs_an_unshared_identifier_of_strength_60() -> None:
    tables = rows(event("1", 1, "payment_token:x"), event("2", 1, "telegram_id:y"))
    assert [tables["persons"][person_of(tables, v),][1] for v in "xy"] == [False, True]
