"""A person as the views hold it: found by identifier, by id, by an id that was merged away."""

import uuid
from datetime import UTC, datetime

from sinks.clickhouse import profile
from tests.unit.sinks.clickhouse.conftest import Engine, person, row


def merged(into: int, gone: int, at: int) -> list:
    return row("merges", person_id=person(into), other_person_id=person(gone), action="merged", event_id=f"e{at}",
               at=at, reason="email with phone")


def test_a_person_is_found_by_an_identifier_in_its_normal_form(engine: Engine) -> None:
    engine.write("identifiers", row("identifiers", node=person(1), kind="phone", value="+380670009001",
                                    person_id=person(7)))
    assert profile.person_of(engine.client, "phone", "+380670009001") == uuid.UUID(int=7)
    assert profile.person_of(engine.client, "email", "+380670009001") is None
    assert profile.person_of(engine.client, "phone", "+380670009002") is None


def test_a_merged_id_leads_to_its_survivor_over_several_merges(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1)))
    engine.write("merges", merged(into=2, gone=3, at=1), merged(into=1, gone=2, at=2))
    assert profile.survivor_of(engine.client, uuid.UUID(int=3)) == uuid.UUID(int=1)
    assert profile.survivor_of(engine.client, uuid.UUID(int=1)) == uuid.UUID(int=1)


def test_an_id_that_never_was_leads_nowhere_nor_does_a_circle(engine: Engine) -> None:
    engine.write("merges", merged(into=2, gone=3, at=1), merged(into=3, gone=2, at=2))
    assert profile.survivor_of(engine.client, uuid.UUID(int=9)) is None
    assert profile.survivor_of(engine.client, uuid.UUID(int=3)) is None


def test_the_profile_holds_what_is_the_persons_in_order_of_time(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1)), row("persons", person_id=person(2)))
    engine.write("sessions", *(row("sessions", person_id=person(who), session_id=person(at), started_at=at)
                               for who, at in ((1, 30), (1, 20), (2, 10))))
    engine.write("orders", row("orders", person_id=person(1), order_id="a", person_shared=False, placed_at=5))
    engine.write("order_items", row("order_items", person_id=person(1), order_id="a", line_id="1", sku="apple"))
    found = profile.profile(engine.client, uuid.UUID(int=1))
    assert [s["session_id"].int for s in found.sessions] == [20, 30]
    assert ([o["order_id"] for o in found.orders], [i["sku"] for i in found.items]) == (["a"], ["apple"])
    assert found.zone == "UTC"


def test_times_know_their_zone(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1), first_seen_at=1_700_000_000_123))
    [found] = profile.select(engine.client, "SELECT first_seen_at FROM onethread.persons")
    assert found["first_seen_at"] == datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)


def test_a_touchpoint_names_identifiers_by_their_nodes(engine: Engine) -> None:
    nodes = [uuid.UUID(int=8), uuid.UUID(int=9)]
    engine.write("touchpoints", row("touchpoints", person_id=person(1), nodes=[node.bytes for node in nodes]))
    engine.write("identifiers", row("identifiers", person_id=person(1), node=nodes[0].bytes))
    assert [touchpoint["nodes"] for touchpoint in profile.thread(engine.client, uuid.UUID(int=1))] == [nodes]
    found = profile.select(engine.client, "SELECT node FROM onethread.identifiers")
    assert found == [{"node": nodes[0]}]
