"""The ready questions on talk and attributes, on a handful of rows settled by hand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

NOW_MS = 1_767_225_600_000  # 2026-01-01
DAY_MS = 86_400_000


@pytest.fixture
def present(engine: Engine) -> Any:
    migrations.apply(engine.url, Settings(as_of="2026-01-01"))
    yield engine
    migrations.apply(engine.url, Settings())


def talk(number: int, channels: list[str], days: int = 1, **values: Any) -> list[Any]:
    told = {"channels": channels, "bot": False, "staff_changes": 0, "messages_in": 1, "messages_out": 0, "calls": 0,
            "repeats": 0, "started_at": NOW_MS - days * DAY_MS}
    return row("conversations", conversation_id=str(number), **told | values)


def test_response_times_are_of_conversations_in_which_the_customer_asked(present: Engine) -> None:
    present.write(
        "conversations", talk(1, ["chat", "viber"], first_response_s=60, longest_wait_s=600),
        talk(2, ["chat"], first_response_s=900, longest_wait_s=900), talk(3, ["chat"], first_response_s=901),
        talk(4, ["chat"], waiting_since=NOW_MS - 3_600_001), talk(5, ["chat"], waiting_since=NOW_MS - 3_600_000),
        talk(6, ["chat"]), talk(7, ["chat"], first_response_s=2, bot=True),
    )
    answers = "channel, bot, asked, answered, unanswered_over_1h, share_answered, share_within_15_min, " \
        "median_first_response_s, p90_first_response_s, longest_wait_s"
    assert present.rows(f"SELECT {answers} FROM onethread.response_times ORDER BY bot") == [
        ("chat", False, 5, 3, 1, 0.6, 0.4, 900, 901, 900), ("chat", True, 1, 1, 0, 1, 1, 2, 2, None)]


@pytest.mark.parametrize("view", ["response_times", "said_again"])
def test_a_period_takes_what_began_in_it(present: Engine, view: str) -> None:
    present.write("conversations", *(talk(n, ["chat"], days=n, first_response_s=1) for n in (1, 2, 3)))
    counted = {"response_times": "asked", "said_again": "conversations"}[view]
    asked = f"SELECT {counted} FROM onethread.{view}_between(from = '2025-12-29', to = '2025-12-31')"
    assert present.rows(asked) == [(2,)]


def test_said_again_tells_what_people_went_through(present: Engine) -> None:
    present.write(
        "conversations", talk(1, ["chat"]), talk(2, ["chat"], repeats=2, order_id="o"),
        talk(3, ["chat", "viber"], repeats=1), talk(4, ["chat", "viber"], order_id="o"),
        talk(5, ["call_centre"], messages_in=0, calls=1, staff_changes=1),
        talk(6, ["chat", "viber"], staff_changes=2, repeats=1), talk(7, ["email"], messages_in=0, messages_out=1),
    )
    assert present.rows(
        "SELECT across, conversations, said_again, share, repeats, with_order, order_share, order_share_said_again "
        "FROM onethread.said_again ORDER BY across"
    ) == [
        ("one channel, one of staff", 2, 1, 0.5, 2, 1, 0.5, 1),
        ("several channels", 2, 1, 0.5, 1, 1, 0.5, 0),
        ("several channels and staff", 1, 1, 1, 1, 0, 0, 0),
        ("several staff", 1, 0, 0, 0, 0, 0, None),
    ]


def test_satisfaction_compares_scales_and_counts_complaints(present: Engine) -> None:
    def said(event_id: str, score: float | None, scale_max: float | None, **values: Any) -> list[Any]:
        told = {"occurred_at": NOW_MS - DAY_MS, "channel": "web", "type": "feedback_given"}
        return row("touchpoints", event_id=event_id, score=score, scale_max=scale_max, **told | values)
    present.write(
        "touchpoints", said("1", 8, 10), said("2", 2, 5, person_id=person(2)), said("3", 7, None), said("4", 3, 0),
        said("5", None, None, type="complaint_made"), said("6", None, None), said("7", 5, 5, occurred_at=NOW_MS),
    )
    told = "month, answers, persons, scored, average, content, discontent, complaints"
    assert present.rows(f"SELECT {told} FROM onethread.satisfaction ORDER BY month") == [
        (date(2025, 12, 1), 4, 2, 2, pytest.approx(0.6), 1, 1, 1), (date(2026, 1, 1), 1, 1, 1, 1, 1, 0, 0)]
    period = "onethread.satisfaction_between(from = '2026-01-01', to = '2026-02-01')"
    assert present.rows(f"SELECT answers FROM {period}") == [(1,)]


def test_trait_coverage_is_of_known_people_and_of_what_holds(present: Engine) -> None:
    present.write("persons", *(row("persons", person_id=person(n), known=n != 3, shared=n == 4) for n in range(1, 5)))
    def held(number: int, key: str, days: int, valid_to: int | None = None, source: str = "crm") -> list[Any]:
        return row("person_traits", person_id=person(number), key=key, valid_from=NOW_MS - days * DAY_MS,
                   valid_to=valid_to, source=source)
    present.write("person_traits", held(1, "name", 9, NOW_MS), held(1, "name", 2, source="shop"), held(2, "name", 4),
                  held(3, "name", 1), held(1, "size", 9, NOW_MS))
    present.write("consents", row("consents", person_id=person(1), key="sms", valid_from=NOW_MS - DAY_MS))
    told = "attribute, key, persons, share, outdated, sources, newest_at, median_age_days"
    assert present.rows(f"SELECT {told} FROM onethread.trait_coverage ORDER BY attribute, key") == [
        ("consent", "sms", 1, 0.5, 0, ["x"], datetime(2025, 12, 31), 1),
        ("trait", "name", 2, 1, 1, ["crm", "shop"], datetime(2025, 12, 30), 4),
    ]


def test_duplicate_contacts_are_joined_or_suspected(present: Engine) -> None:
    held = [("crm_id", "a", 1), ("crm_id", "b", 1), ("phone", "p", 1), ("phone", "q", 1), ("customer_id", "c", 2),
            ("customer_id", "d", 1)]
    present.write("identifiers", *(
        row("identifiers", node=person(n), kind=kind, value=value, person_id=person(who), shared=False, first_seen_at=n)
        for n, (kind, value, who) in enumerate(held)))
    def told_of(a: int, b: int, refused: str | None, first_seen_at: int = 7, person_id: bytes = bytes(16)) -> list[Any]:
        """A pair of identifiers by their places in `held`."""
        return row("evidence", node_a=person(a), kind_a=held[a][0], value_a=held[a][1], node_b=person(b),
                   kind_b=held[b][0], value_b=held[b][1], conducts=refused is None, refused_because=refused,
                   first_seen_at=first_seen_at, person_id=person_id)

    present.write(
        "evidence", told_of(4, 2, "limit"), told_of(5, 2, "limit"), told_of(4, 3, "weak"),
        told_of(4, 0, "limit", person_id=person(2)), told_of(4, 0, None, person_id=person(1)),  # it conducts somewhere
    )
    told = "basis, kind, person_id, other_person_id, through, contacts, toUnixTimestamp64Milli(since)"
    assert present.rows(f"SELECT {told} FROM onethread.duplicate_contacts ORDER BY basis") == [
        ("joined", "crm_id", UUID(int=1), None, None, 2, 0),
        ("suspected", "customer_id", UUID(int=2), UUID(int=1), "phone", 2, 7),
    ]
