"""The oracle's sessions, visits and persons on literal days."""

from typing import Any

from streams.core.event import Event
from tests.oracle.build import event
from tests.oracle.read import GAP_MS, table

DAY_MS = 86_400_000


def view(event_id: str, at_ms: int, **fields: Any) -> Event:
    return event(event_id, at_ms, "email:a", **fields)


def test_pause_of_exactly_the_gap_stays_and_one_more_cuts() -> None:
    assert [s["touchpoints"] for s in table("sessions", view("1", 0), view("2", GAP_MS))] == [2]
    assert [s["touchpoints"] for s in table("sessions", view("1", 0), view("2", GAP_MS + 1))] == [1, 1]


def test_late_event_joins_two_sessions() -> None:
    (session,) = table("sessions", view("1", 0), view("3", 2 * GAP_MS), view("2", GAP_MS))
    assert (session["started_at"], session["ended_at"], session["touchpoints"]) == (0, 2 * GAP_MS, 3)


def test_session_tells_how_the_customer_moved() -> None:
    (session,) = table(
        "sessions",
        view("1", 1, channel="web", device="desktop", campaign="ny", store_id="S1"),
        view("2", 2, channel="chat", device="mobile"), view("3", 3, channel="chat"),
        view("4", 4, channel="web", device="desktop", order={"order_id": "o"}),
        view("5", 5, channel="ads", role="exposure"),
    )
    assert session["channels"] == ["web", "chat"]
    assert session["devices"] == ["desktop", "mobile"]
    assert (session["switches"], session["device_switches"], session["parallel"]) == (2, 2, True)
    assert (session["entry_channel"], session["exit_channel"], session["entry_campaign"]) == ("web", "web", "ny")
    assert (session["stores"], session["order_ids"], session["touchpoints"]) == (["S1"], ["o"], 4)


def test_visits_cut_by_channel_and_device_inside_one_session() -> None:
    events = [view("1", 0, device="desktop", referrer="r"), view("2", GAP_MS, channel="chat"), view("3", 2 * GAP_MS)]
    found = table("visits", *events, view("4", 2 * GAP_MS, device="desktop"))
    assert sorted((v["channel"], v["device"] or "", v["started_at"], v["touchpoints"]) for v in found) == [
        ("chat", "", GAP_MS, 1), ("web", "", 2 * GAP_MS, 1),
        ("web", "desktop", 0, 1), ("web", "desktop", 2 * GAP_MS, 1),
    ]
    assert len({v["session_id"] for v in found}) == 1


def test_exposure_belongs_to_no_session() -> None:
    (touch,) = table("touchpoints", view("1", 0, role="exposure", type="ad_viewed"))
    assert (touch["session_id"], touch["visit_id"]) == (None, None)


def test_copies_and_conflicts_are_counted_and_the_smaller_digest_stays() -> None:
    a, b = (view("1", 0, offset=n, device=device) for n, device in ((5, "tv"), (6, "tablet")))
    again = view("1", 0, offset=3, device="tv")
    (touch,) = table("touchpoints", a, b, again, a)
    assert touch["device"] == min((a, b), key=lambda e: e.digest).device
    assert (touch["copies"], touch["conflicts"]) == (3, 1)


def test_person_remembers_first_use_and_the_store_of_most_days() -> None:
    (person,) = table(
        "persons",
        view("1", 0, role="record", channel="crm", store_id="S0", device="other"),
        view("2", 1, channel="pos", store_id="S2", device="pos"), view("3", 2, channel="pos", store_id="S2"),
        view("4", DAY_MS, channel="pos", store_id="S1"), view("5", 2 * DAY_MS, channel="web", role="exposure"),
    )
    assert (person["first_channel"], person["channels"], person["devices"]) == ("pos", ["pos", "web"], ["pos"])
    assert person["home_store_id"] == "S1"
    assert (person["first_seen_at"], person["last_seen_at"], person["last_interaction_at"]) == (0, 2 * DAY_MS, DAY_MS)
    assert (person["touchpoints"], person["sessions"], person["identifier_kinds"]) == (5, 2, {"email": 1})


def test_person_channels_count_by_role() -> None:
    found = table("person_channels", view("1", 0), view("2", 5, role="exposure"), view("3", 6, channel="chat"),
                  view("4", 7, role="record"))
    columns = ("channel", "first_at", "last_at", "interactions", "exposures", "visits", "sessions_started")
    assert sorted(tuple(row[c] for c in columns) for row in found) == [
        ("chat", 6, 6, 1, 0, 1, 0), ("web", 0, 7, 1, 1, 1, 1),
    ]
