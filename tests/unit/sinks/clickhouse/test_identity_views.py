"""The views on identity: what ties, what was believed when, what somebody should look at."""

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from sinks.clickhouse import migrations
from streams.core.policy import parse
from tests.unit.sinks.clickhouse.conftest import Engine, person, row


def owned(node: int, at: int, sequence: int, who: int) -> list[Any]:
    return row("identifier_owners", node=person(node), at=at, sequence=sequence, person_id=person(who))


def named(*nodes: int) -> list[list[Any]]:
    return [row("identifiers", node=person(node), kind="phone", value=str(node)) for node in nodes]


def edge(who: int, a: int, b: int, **values: Any) -> list[Any]:
    ends = {"kind_a": "email", "value_a": str(a), "kind_b": "phone", "value_b": str(b)}
    return row("evidence", person_id=person(who), node_a=person(a), node_b=person(b), **ends | values)


def history(engine: Engine) -> list[tuple[Any, ...]]:
    return [(value, who.int, since, until) for value, who, since, until in engine.rows(
        "SELECT value, person_id, toUnixTimestamp64Milli(valid_from), toUnixTimestamp64Milli(valid_to)"
        " FROM onethread.identifier_history ORDER BY value, valid_from")]


def test_evidence_of_several_clusters_is_one_row(engine: Engine) -> None:
    engine.write(
        "evidence",
        edge(9, 1, 2, events=2, first_seen_at=5, last_seen_at=9, first_event_id="b", conducts=False,
             refused_because="shared"),
        edge(3, 1, 2, events=1, first_seen_at=3, last_seen_at=4, first_event_id="a", conducts=True),
        edge(4, 5, 6, conducts=False, refused_because="weak"), edge(8, 5, 6, conducts=False, refused_because="limit"),
    )
    assert engine.rows(
        "SELECT person_id, value_a, events, toUnixTimestamp64Milli(first_seen_at),"
        " toUnixTimestamp64Milli(last_seen_at), first_event_id, conducts, refused_because"
        " FROM onethread.evidence ORDER BY value_a"
    ) == [(uuid.UUID(int=3), "1", 3, 3, 9, "a", True, None), (uuid.UUID(int=4), "5", 2, *[1_700_000_000_123] * 2, "x",
                                                              False, "limit")]


def test_history_draws_together_what_did_not_change(engine: Engine) -> None:
    engine.write("identifiers", *named(1, 2))
    engine.write("identifier_owners", owned(1, 10, 1, 7), owned(1, 20, 2, 7), owned(1, 30, 3, 8), owned(2, 15, 1, 8))
    assert history(engine) == [("1", 7, 10, 30), ("1", 8, 30, None), ("2", 8, 15, None)]


def test_history_ends_with_what_was_worked_last_whatever_event_caused_it(engine: Engine) -> None:
    """An event of a partition that lagged behind is received earlier and worked later."""
    engine.write("identifiers", *named(1, 2))
    engine.write("identifier_owners", owned(1, 10, 1, 7), owned(1, 30, 2, 8), owned(1, 20, 3, 9))
    assert history(engine) == [("1", 7, 10, 30), ("1", 9, 30, None)]


def test_steps_of_one_event_count_as_one(engine: Engine) -> None:
    engine.write("identifiers", *named(1, 2))
    engine.write("identifier_owners", owned(1, 10, 1, 7), owned(1, 20, 2, 8), owned(1, 20, 3, 7))
    assert history(engine) == [("1", 7, 10, None)]


def test_the_past_is_asked_by_time(engine: Engine) -> None:
    engine.write("identifiers", *named(1, 2))
    engine.write("identifier_owners", owned(1, 1000, 1, 7), owned(2, 2000, 2, 7), owned(1, 3000, 3, 8))

    def persons(at: str) -> list[tuple[Any, ...]]:
        return engine.rows("SELECT toString(person_id), identifier_kinds, identifiers "
                           f"FROM onethread.persons_as_of(at = '1970-01-01 00:00:{at}') ORDER BY 1")

    assert [persons(at) for at in ("00.999", "01", "02.999")] == [
        [], [(str(uuid.UUID(int=7)), {"phone": 1}, 1)], [(str(uuid.UUID(int=7)), {"phone": 2}, 2)]]
    assert [who for who, _, _ in persons("03")] == [str(uuid.UUID(int=7)), str(uuid.UUID(int=8))]
    assert engine.rows("SELECT value, valid_to FROM onethread.identifiers_as_of(at = '1970-01-01 00:00:01')") == [
        ("1", datetime(1970, 1, 1, 0, 0, 3))]


def test_two_persons_too_large_to_be_one_are_an_alert(engine: Engine) -> None:
    """A limit of a kind refuses edges too; that is no alarm."""
    for who, first, last in ((1, 1, 600), (2, 601, 1200), (3, 2000, 2001)):
        engine.write("identifiers", *(row("identifiers", node=person(n), person_id=person(who), shared=False)
                                      for n in range(first, last + 1)))
    engine.write("evidence", *(edge(1, 1, b, conducts=False, refused_because="limit", last_seen_at=b)
                               for b in (700, 701, 2000)))
    assert engine.rows(
        "SELECT toUnixTimestamp64Milli(at), kind, person_id, identifier_kind, figure, limit, detail"
        " FROM onethread.identity_alerts"
    ) == [(701, "person_identifiers_max", uuid.UUID(int=1), None, 1200, 1000,
           f"not united with {uuid.UUID(int=2)} by 2 pairs, the last of email with phone")]


def test_a_shared_identifier_that_met_many_is_an_alert_and_so_is_a_person_of_many_touches(engine: Engine) -> None:
    engine.write("identifiers", row("identifiers", node=person(1), kind="email", person_id=person(1), shared=True),
                 row("identifiers", node=person(2), kind="email", person_id=person(2), shared=True))
    engine.write("evidence", *(edge(n, who, n, last_seen_at=n, conducts=False, refused_because="shared")
                               for who, partners in ((1, 101), (2, 100)) for n in range(10, 10 + partners)))
    engine.write("persons", *(row("persons", person_id=person(n), shared=False, touchpoints=touches)
                              for n, touches in ((5, 10_000), (6, 10_001))))
    assert engine.rows("SELECT kind, person_id, identifier_kind, figure, limit, detail FROM onethread.identity_alerts"
                       " ORDER BY kind") == [
        ("person_touchpoints", uuid.UUID(int=6), None, 10_001, 10_000, ""),
        ("super_identifier", uuid.UUID(int=1), "email", 101, 100, "met phone"),
    ]


def test_the_view_of_the_policy_shows_the_one_applied(engine: Engine) -> None:
    text = """
        version = "2"
        threshold = 0.9
        person_identifiers_max = 50
        [kinds]
        phone = { strength = 80, personal = true, per_person = 5, shared_above = "none", busy_above = 20,
                  min_events = 1, form = "phone" }
        """.replace(",\n                 ", ",")
    assert engine.rows("SELECT threshold, shared_above FROM onethread.policy WHERE kind = 'phone'") == [(0.95, 3)]
    try:
        migrations.show_policy(engine.url, parse(text, "test"))
        assert engine.rows("SELECT * FROM onethread.policy") == [("phone", 80, True, 5, None, [], 20, 1, 0.9, 50)]
    finally:
        migrations.show_policy(engine.url, migrations.default())


def test_limits_of_alerts_are_those_of_the_policy_applied(engine: Engine) -> None:
    engine.write("identifiers", row("identifiers", node=person(1), kind="email", person_id=person(1), shared=True))
    engine.write("evidence", *(edge(n, 1, n, conducts=False, refused_because="shared") for n in range(10, 13)))
    engine.write("persons", row("persons", person_id=person(5), shared=False, touchpoints=4))

    def alerts(touchpoints: int | None, partners: int | None) -> list[tuple[Any, ...]]:
        limits = {"person_touchpoints": touchpoints, "super_identifier": partners}
        migrations.show_policy(engine.url, replace(migrations.default(), alerts=limits))
        return engine.rows("SELECT kind, figure, limit FROM onethread.identity_alerts ORDER BY kind")

    try:
        assert alerts(3, 2) == [("person_touchpoints", 4, 3), ("super_identifier", 3, 2)]
        assert alerts(4, 3) == []
        assert alerts(None, None) == []
    finally:
        migrations.show_policy(engine.url, migrations.default())


def test_a_person_who_may_be_several_is_an_alert(engine: Engine) -> None:
    engine.write("alerts", row("alerts", person_id=person(5), kind="many_names", at=7, figure=6, limit=5,
                               detail="name"))
    assert engine.rows(
        "SELECT toUnixTimestamp64Milli(at), kind, person_id, identifier_kind, figure, limit, detail"
        " FROM onethread.identity_alerts"
    ) == [(7, "many_names", uuid.UUID(int=5), None, 6, 5, "name")]
