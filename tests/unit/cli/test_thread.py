"""What ties each step of a thread to the steps before it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from cli.thread import rendered, steps

START = datetime(2026, 2, 17, 18, 0, tzinfo=UTC)


def touch(minute: int, channel: str, identified_by: str, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{minute}", "occurred_at": START + timedelta(minutes=minute), "channel": channel,
        "type": "message_received",
        "identified_by": identified_by, "click_id": None, "order_id": None, "device": None, "store_id": None,
        "amount": None, "currency": None, "skus": [], "query": None, "campaign_name": None,
    } | fields


def named(minute: int, kind: str, value: str = "x") -> dict[str, Any]:
    return {"kind": kind, "value": value, "first_seen_at": START + timedelta(minutes=minute)}


def knots(touchpoints: list, identifiers: list, joins: list | None = None) -> list:
    return [(step.tie, step.brings) for step in steps(touchpoints, identifiers, joins or [])]


def test_a_step_hangs_on_the_step_that_brought_its_identifier():
    touches = [touch(0, "chat", "phone"), touch(5, "instagram", "instagram_id"), touch(9, "call_centre", "phone")]
    assert knots(touches, [named(0, "phone"), named(5, "instagram_id")]) == [
        (None, ("phone",)), (None, ("instagram_id",)), (("phone", 1), ())]


def test_a_click_ties_a_visit_whose_cookie_is_new():
    touches = [touch(0, "ads", "click_id", click_id="c"), touch(1, "web", "anonymous_id", click_id="c")]
    found = knots(touches, [named(0, "click_id", "c"), named(1, "anonymous_id")])
    assert found[1] == (("click_id", 1), ("anonymous_id",))


def test_another_click_does_not_tie():
    touches = [touch(0, "ads", "click_id", click_id="c"), touch(1, "web", "anonymous_id", click_id="d")]
    assert knots(touches, [named(0, "click_id", "c"), named(1, "anonymous_id")])[1][0] is None


def test_an_event_that_merged_two_persons_is_tied_by_the_pair_that_met_in_it():
    touches = [touch(0, "web", "anonymous_id"), touch(1, "chat", "phone")]
    joins = [{"event_id": "e1", "reason": "anonymous_id with phone"}]
    found = knots(touches, [named(0, "anonymous_id"), named(1, "phone")], joins)
    assert found[1] == (("anonymous_id", 1), ("phone",))


def test_the_hash_of_an_email_is_not_told():
    assert knots([touch(0, "web", "email")], [named(0, "email"), named(0, "email_sha256")]) == [(None, ("email",))]


def test_of_two_of_a_kind_the_latest_ties():
    touches = [touch(0, "web", "phone"), touch(1, "web", "phone"), touch(2, "web", "phone")]
    assert knots(touches, [named(0, "phone", "1"), named(1, "phone", "2")])[2] == (("phone", 2), ())


def test_the_page_fits_a_hundred_columns_and_tells_days_and_pauses():
    touches = [
        touch(0, "ads", "click_id", click_id="c", type="ad_clicked", campaign_name="winter-light", device="desktop"),
        touch(61, "web", "anonymous_id", click_id="c"),
        touch(60 * 24, "pos", "order_id", order_id="o", store_id="S2", amount=None),
    ]
    console = Console(width=100, no_color=True)
    with console.capture() as page:
        identifiers = [named(0, "click_id", "c"), named(61, "anonymous_id")]
        console.print(rendered(steps(touches, identifiers, []), "Europe/Kyiv"))
    lines = page.get().splitlines()
    assert max(len(line) for line in lines) <= 100
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "Tuesday, 17 February 2026" in text
    assert "Wednesday, 18 February 2026" in text
    assert "┊ 1 h 1 min" in text
    assert "● 1 20:00 ads desktop ad clicked · winter-light +click_id" in text
    assert "● 2 21:01 web message received click_id from 1 +anonymous_id" in text
