"""`onethread why` on a terminal."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rich.console import Console

from cli.why import page

AT = datetime(2026, 2, 17, 18, 12, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)
PHONE, CLICK = {"kind": "phone", "value": "+380670009001"}, {"kind": "click_id", "value": "g-1"}


def shown(told: dict[str, Any]) -> list[str]:
    console = Console(width=100, no_color=True)
    with console.capture() as printed:
        console.print(page(told, "Europe/Kyiv"))
    return [" ".join(line.split()) for line in printed.get().splitlines()]


def seen(**fields: Any) -> dict[str, Any]:
    event = {"event_id": "e-1", "occurred_at": AT, "channel": "web", "source": "site", "type": "page_viewed"}
    return {"rule": None, "events": 3, "first_seen_at": AT, "last_seen_at": AT + timedelta(1), "seen": [event]} | fields


def apart(because: str, **fields: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"shared": [], "rules": [], "limits": [], "refused": [], "refused_more": 0, "in_common": []}
    return {"a": PHONE, "b": CLICK, "same": False, "person_ids": [ONE, OTHER], "because": because} | empty | fields


def test_a_chain_is_read_from_top_to_bottom() -> None:
    chain = [{"from": PHONE, "to": CLICK, **seen()}]
    assert shown({"a": PHONE, "b": CLICK, "same": True, "person_ids": [ONE], "chain": chain}) == [
        f"One person {ONE}", "", "phone:+380670009001", "│ 17 Feb 20:12 web site page viewed e-1", "│ and 2 more",
        "click_id:g-1"]


def test_a_link_by_rule_is_read_with_its_reason() -> None:
    rule = {"rule_id": "r-1", "at": AT, "reason": "told at the till"}
    chain = [{"from": PHONE, "to": CLICK, "rule": rule, "events": 0, "seen": []}]
    assert "│ linked by rule r-1, 17 Feb 20:12: told at the till" in shown(
        {"a": PHONE, "b": CLICK, "same": True, "person_ids": [ONE], "chain": chain})


def test_each_reason_to_be_apart_reads_as_a_sentence() -> None:
    pair = {"a": CLICK, "b": PHONE}
    rule = {**pair, "rule_id": "r-1", "at": AT, "reason": "two people"}
    weak = {**pair, **seen(), "refused_because": "weak", "missing": "events", "events_needed": 5, "threshold": 0.95}
    page = shown(apart(
        "shared", shared=[{**PHONE, "met": 4000}], rules=[rule], refused=[weak], refused_more=7, in_common=[CLICK],
        limits=[{"kind": "customer_id", "limit": 1, "together": 2}, {"kind": None, "limit": 1000, "together": 1200}],
    ))
    for line in (
        "phone:+380670009001 belongs to many people: it was seen with 4,000 others and ties nobody",
        "│ held apart by rule r-1, 17 Feb 20:12: two people", "click_id:g-1 – phone:+380670009001",
        "together they would hold 2 customer_id; the policy allows 1",
        "together they would hold 1,200 identifiers; the policy allows 1,000",
        "│ seen together, but not enough: 3 of 5 events that it needs", "and 7 more pairs",
        "both were seen with click_id:g-1: many people's, so it ties nobody",
    ):
        assert line in page
    uncertain = {**weak, "missing": "confidence"}
    assert "│ seen together, but not enough: what its 3 events are worth is less than 0.95" in shown(
        apart("weak", refused=[uncertain]))
    assert "no event named identifiers of both" in shown(apart("never"))
