"""What ties each step of a thread to the steps before it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rich.console import Console

from cli.thread import rendered, steps

START = datetime(2026, 2, 17, 18, 0, tzinfo=UTC)
PHONE, OTHER, CLICK, COOKIE, INSTAGRAM = (
    {"node": UUID(int=number), "kind": kind, "value": f"v{number}"}
    for number, kind in enumerate(("phone", "phone", "click_id", "anonymous_id", "instagram_id"))
)
PERSON = [PHONE, OTHER, CLICK, COOKIE, INSTAGRAM]


def touch(minute: int, channel: str, *named: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Found through the first of the identifiers it names."""
    return {
        "event_id": f"e{minute}", "occurred_at": START + timedelta(minutes=minute), "channel": channel,
        "type": "message_received", "identified_by": named[0]["kind"] if named else None,
        "nodes": [row["node"] for row in named], "order_id": None, "device": None, "store_id": None,
        "amount": None, "currency": None, "skus": [], "query": None, "campaign_name": None,
    } | fields


def knots(*touchpoints: dict[str, Any], identifiers: list[dict[str, Any]] = PERSON) -> list[tuple[Any, Any]]:
    return [(step.tie, step.brings) for step in steps(list(touchpoints), identifiers)]


def test_a_step_hangs_on_the_step_that_brought_its_identifier() -> None:
    assert knots(touch(0, "chat", PHONE), touch(5, "instagram", INSTAGRAM), touch(9, "call_centre", PHONE)) == [
        (None, ("phone",)), (None, ("instagram_id",)), (("phone", 1), ())]


def test_a_click_ties_a_visit_whose_cookie_is_new() -> None:
    found = knots(touch(0, "ads", CLICK), touch(1, "web", COOKIE, CLICK))
    assert found[1] == (("click_id", 1), ("anonymous_id",))


def test_two_steps_of_one_instant_do_not_bring_the_same() -> None:
    assert knots(touch(0, "ads", CLICK), touch(0, "web", CLICK)) == [(None, ("click_id",)), (("click_id", 1), ())]


def test_what_found_the_person_ties_before_what_came_up_later() -> None:
    found = knots(touch(0, "chat", PHONE), touch(1, "instagram", INSTAGRAM), touch(2, "instagram", PHONE, INSTAGRAM),
                  touch(3, "instagram", INSTAGRAM, PHONE, identified_by="crm_id"))
    assert [tie for tie, _ in found] == [None, None, ("phone", 1), ("instagram_id", 2)]


def test_another_value_of_a_kind_does_not_tie() -> None:
    assert knots(touch(0, "web", PHONE), touch(1, "web", OTHER))[1] == (None, ("phone",))


def test_identifiers_of_somebody_else_tie_nothing() -> None:
    """A till's e-mail is named by many events, and is nobody's."""
    assert knots(touch(0, "pos", PHONE), touch(1, "pos", PHONE), identifiers=[]) == [(None, ()), (None, ())]


def test_the_hash_of_an_email_is_not_told() -> None:
    sha256 = {"node": UUID(int=9), "kind": "email_sha256", "value": "h"}
    assert knots(touch(0, "web", PHONE, sha256), identifiers=[PHONE, sha256]) == [(None, ("phone",))]


def test_the_page_fits_a_hundred_columns_and_tells_days_and_pauses() -> None:
    touches = [
        touch(0, "ads", CLICK, type="ad_clicked", campaign_name="winter-light", device="desktop"),
        touch(61, "web", COOKIE, CLICK),
        touch(60 * 24, "pos", order_id="o", store_id="S2"),
    ]
    console = Console(width=100, no_color=True)
    with console.capture() as page:
        console.print(rendered(steps(touches, PERSON), "Europe/Kyiv"))
    lines = page.get().splitlines()
    assert max(len(line) for line in lines) <= 100
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "Tuesday, 17 February 2026" in text
    assert "Wednesday, 18 February 2026" in text
    assert "┊ 1 h 1 min" in text
    assert "● 1 20:00 ads desktop ad clicked · winter-light +click_id" in text
    assert "● 2 21:01 web message received click_id from 1 +anonymous_id" in text
