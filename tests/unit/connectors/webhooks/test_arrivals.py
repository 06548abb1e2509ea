"""What tells no time is dated by its first arrival."""

from connectors.webhooks.arrivals import Arrivals


def test_a_repeat_is_dated_by_the_first_arrival() -> None:
    arrivals = Arrivals()
    assert arrivals.date({"event_id": "e1", "occurred_at": 100}, 100) == {"event_id": "e1", "occurred_at": 100}
    assert arrivals.date({"event_id": "e1", "occurred_at": 200}, 200) == {"event_id": "e1", "occurred_at": 100}
    assert arrivals.date({"event_id": "e2", "occurred_at": 200}, 200) == {"event_id": "e2", "occurred_at": 200}


def test_what_tells_its_own_time_keeps_it() -> None:
    arrivals = Arrivals()
    for told in (50, "2026-02-16T12:00:00Z"):
        event = {"event_id": "e1", "occurred_at": told}
        assert arrivals.date(event, 100) is event
    assert arrivals.date({"occurred_at": 100}, 100) == {"occurred_at": 100}


def test_only_the_latest_are_remembered() -> None:
    arrivals = Arrivals(events_max=2)
    for number in range(3):
        arrivals.date({"event_id": f"e{number}", "occurred_at": number}, number)
    assert arrivals.date({"event_id": "e2", "occurred_at": 9}, 9)["occurred_at"] == 2
    assert arrivals.date({"event_id": "e0", "occurred_at": 9}, 9)["occurred_at"] == 9
