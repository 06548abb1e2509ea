"""Touches and what six models give them, on cases worked by hand."""

from typing import Any

import pytest

from streams.core.credit import MODELS, WHOLE, credit_row, decayed, first_touch, shares, touches
from streams.core.event import Event, pack
from streams.core.facts import TABLES
from tests.oracle.build import CONTENT, event

DAY_MS = 86_400_000
HALF_HOUR_MS = 1_800_000
COLUMNS = [c.name for c in TABLES["credits"].columns]


def act(event_id: str, at_ms: int, **fields: Any) -> Event:
    return event(event_id, at_ms, "email:a", **fields)


def exposed(event_id: str, at_ms: int, type_: str = "message_sent", **fields: Any) -> Event:
    return act(event_id, at_ms, **{"type": type_, "role": "exposure", "channel": "email", **fields})


def told(*way: Event) -> list[tuple[str, str]]:
    """(kind, event_id) of the touches; interactions of one channel are one visit here."""
    channel_of = {e.event_id: e.channel.encode() for e in way}
    return [(t.kind, t.event.event_id) for t in touches(way, lambda event_id: channel_of[event_id])]


def row(*way: Event, placed_ms: int = 100, window_ms: int = 90 * DAY_MS) -> dict[str, Any]:
    """The row by column; a half-life is seven days."""
    placing = act("placing", placed_ms, type="order_placed", channel="pos", order={"order_id": "o"})
    channel_of = {e.event_id: e.channel.encode() for e in way}
    made = credit_row(b"p", placing, way, lambda event_id: channel_of[event_id], window_ms, 7 * DAY_MS)
    return dict(zip(COLUMNS, made, strict=True))


def test_a_visit_is_its_first_interaction() -> None:
    assert told(act("1", 0), act("2", 1), act("3", 2, channel="app")) == [("visit", "1"), ("visit", "3")]


def test_four_events_of_one_mail_are_one_touch_and_the_furthest_stands() -> None:
    mail = {"message_id": "m", "channel": "email"}
    way = [
        exposed("1", 0, **mail), exposed("2", 1, "message_delivered", **mail),
        act("3", 2, type="message_opened", **mail),
        act("4", 3, type="message_clicked", **mail), act("5", 4, type="message_clicked", **mail),
    ]
    assert told(*way) == [("message", "4")]
    assert told(*way[:3]) == [("message", "3")]
    assert told(way[0], exposed("6", 9, message_id="other")) == [("message", "1"), ("message", "6")]


def test_an_ad_seen_and_clicked_is_one_touch() -> None:
    ad = {"click_id": "k", "channel": "ads"}
    clicks = [act("2", 5, type="ad_clicked", **ad), act("3", 9, type="ad_clicked", **ad)]
    assert told(exposed("1", 0, "ad_viewed", **ad), *clicks) == [("ad", "2")]


@pytest.mark.parametrize(("pause_ms", "expected"), [
    (0, ["ad"]), (HALF_HOUR_MS, ["ad"]), (HALF_HOUR_MS + 1, ["ad", "visit"]),
])
def test_a_visit_that_begins_with_a_click_shortly_before_belongs_to_it(pause_ms: int, expected: list[str]) -> None:
    way = [act("1", 0, type="ad_clicked", click_id="k", channel="ads"), act("2", pause_ms, click_id="k")]
    assert [kind for kind, _ in told(*way)] == expected


def test_a_visit_before_the_click_or_with_another_one_is_a_touch() -> None:
    click = act("2", 5, type="ad_clicked", click_id="k", channel="ads")
    assert told(act("1", 4, click_id="k"), click) == [("visit", "1"), ("ad", "2")]
    assert told(click, act("3", 6, click_id="other")) == [("ad", "2"), ("visit", "3")]


def test_a_visit_that_begins_with_a_mails_id_belongs_to_the_mail() -> None:
    mail = act("1", 0, type="message_clicked", message_id="m", channel="email")
    assert told(mail, act("2", 1, message_id="m")) == [("message", "1")]


def test_each_call_is_a_touch_and_a_visit_that_begins_with_one_is_its() -> None:
    phone = {"channel": "call_centre"}
    way = [
        exposed("1", 0, "call_made", message_id="c", **phone),
        act("2", 1, type="call_answered", message_id="c", **phone),
        act("3", 2, type="call_received", **phone), act("4", 3, type="form_submitted", **phone),
    ]
    assert told(*way) == [("call", "2"), ("call", "3")]


def test_other_exposures_are_touches_each() -> None:
    way = [exposed("1", 0, "offer_shown"), exposed("2", 1, "ad_viewed"), exposed("3", 2)]
    assert told(*way) == [("exposure", "1"), ("exposure", "2"), ("exposure", "3")]


def test_a_customers_message_is_part_of_a_visit() -> None:
    assert told(act("1", 0, type="message_received", message_id="m", channel="chat")) == [("visit", "1")]


def test_a_lone_receipt_credits_itself() -> None:
    alone = row()
    assert (alone["event_ids"], alone["touches"], alone["channels"]) == (["placing"], ["order"], ["pos"])
    assert all(alone[model] == [WHOLE] for model in MODELS)
    assert (alone["acquired_at"], alone["acquisition_channel"]) == (100, "pos")


def test_a_touch_exactly_the_window_back_counts_and_one_before_only_acquires() -> None:
    way = [act("1", 9, channel="ads"), act("2", 10, channel="web")]
    found = row(*way, placed_ms=100, window_ms=90)
    assert (found["event_ids"], found["linear"]) == (["2"], [WHOLE])
    assert (found["acquired_at"], found["acquisition_channel"]) == (9, "ads")
    beyond = row(*way, placed_ms=100, window_ms=89)
    assert (beyond["touches"], beyond["acquisition_channel"]) == (["order"], "ads")


def test_six_models_share_three_touches() -> None:
    """Ages of two, one and no half-lives; the last is direct."""
    day = 7 * DAY_MS
    found = row(
        act("1", 0, channel="ads", campaign="c"), act("2", day, channel="web", referrer="r"),
        act("3", 2 * day, channel="app"),
        placed_ms=2 * day,
    )
    assert {model: found[model] for model in MODELS} == {
        "first": [WHOLE, 0, 0], "last": [0, 0, WHOLE], "last_non_direct": [0, WHOLE, 0],
        "linear": [333_333_333_333, 333_333_333_333, 333_333_333_334],
        "time_decay": [142_857_142_857, 285_714_285_714, 571_428_571_429],
        "position": [400_000_000_000, 200_000_000_000, 400_000_000_000],
    }


@pytest.mark.parametrize(("n", "expected"), [
    (1, [WHOLE]), (2, [WHOLE // 2] * 2), (3, [4 * WHOLE // 10, 2 * WHOLE // 10, 4 * WHOLE // 10]),
    (4, [4 * WHOLE // 10, WHOLE // 10, WHOLE // 10, 4 * WHOLE // 10]),
])
def test_position_by_number_of_touches(n: int, expected: list[int]) -> None:
    assert row(*(act(str(i), i, channel=f"c{i}") for i in range(n)))["position"] == expected


def test_last_non_direct_falls_back_to_last() -> None:
    assert row(act("1", 0, channel="web"), act("2", 1, channel="app"))["last_non_direct"] == [0, WHOLE]


@pytest.mark.parametrize("field", ["campaign", "click_id", "message_id", "referrer"])
def test_what_says_whence_a_visit_came_makes_it_not_direct(field: str) -> None:
    found = row(act("1", 0, channel="web", **{field: "x"}), act("2", 1, channel="app"))
    assert found["last_non_direct"] == [WHOLE, 0]


@pytest.mark.parametrize("weights", [[1] * 7, [1] * 6, [5, 1, 1, 5], [1] * 1000, [0, 0, 3], [10**30, 1, 1]])
def test_shares_sum_to_the_whole_and_none_is_negative(weights: list[int]) -> None:
    found = shares(weights)
    assert sum(found) == WHOLE
    assert min(found) >= 0
    exact = [WHOLE * weight / sum(weights) for weight in weights]
    assert all(abs(share - e) <= len(weights) for share, e in zip(found, exact, strict=True))


def test_a_weight_halves_with_every_half_life() -> None:
    whole = decayed(0, 10)
    assert [decayed(10 * n, 10) for n in range(4)] == [whole, whole // 2, whole // 4, whole // 8]
    assert abs(decayed(5, 10) ** 2 - whole * whole // 2) < whole * 4
    assert decayed(DAY_MS * 365, 1) == 0


def test_touches_carry_their_campaign() -> None:
    content = list(CONTENT)
    content[5:8] = ["google", "cpc", "spring"]
    found = row(act("1", 0, channel="web", campaign="spring", content=pack(content)), act("2", 1, channel="app"))
    assert (found["campaign_sources"], found["campaign_mediums"], found["campaign_names"]) == (
        ["google", ""], ["cpc", ""], ["spring", ""])
    assert (found["acquisition_source"], found["acquisition_medium"], found["acquisition_campaign"]) == (
        "google", "cpc", "spring")


def test_the_first_touch_is_that_of_all_touches() -> None:
    """A mail that was opened later stands where it was opened: something else came first."""
    way = [
        exposed("1", 0, message_id="m"), act("2", 1, role="record"), act("3", 5), exposed("4", 6, "message_delivered"),
        act("5", 9, type="message_opened", message_id="m", channel="email"),
    ]
    channel_of = {e.event_id: e.channel.encode() for e in way}
    found = first_touch(way, lambda event_id: channel_of[event_id])
    assert found is not None
    assert (found.kind, found.event.event_id) == ("visit", "3")
    assert first_touch([way[1]], lambda _: None) is None
