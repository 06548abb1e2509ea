"""Both edges of the gap, what counts for a session, and that rows are a function of the set."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core import ids
from streams.core.event import Event
from streams.core.facts import TABLES, Row
from streams.core.session import Cut, cut

PERSON = b"p" * 16
GAP_MS = 30 * 60_000
T0 = 1_770_000_000_000


def touch(event_id: str, at_ms: int, **fields: Any) -> Event:
    values: dict[str, Any] = {
        "received_ms": 0, "position": ("events.web", 0, 0), "digest": b"", "ids": (), "channel": "web",
        "type": "page_viewed", "role": "interaction", "device": None, "store_id": None, "staff": None,
        "order_id": None, "campaign": None, "referrer": None, "click_id": None, "message_id": None,
        "conversation_id": None, "content": b"", **fields,
    }
    return Event(event_id=event_id, at_ms=T0 + at_ms, **values)


def sessions(*touches: Event, gap_ms: int = GAP_MS) -> list[dict[str, Any]]:
    return [named("sessions", row) for row in cut(PERSON, touches, gap_ms).sessions]


def visits(*touches: Event, gap_ms: int = GAP_MS) -> list[dict[str, Any]]:
    return [named("visits", row) for row in cut(PERSON, touches, gap_ms).visits]


def named(table: str, row: Row) -> dict[str, Any]:
    return dict(zip((c.name for c in TABLES[table].columns), row, strict=True))


def test_pause_equal_to_the_gap_stays_in_the_session() -> None:
    (session,) = sessions(touch("a", 0), touch("b", GAP_MS))
    assert (session["started_at"], session["ended_at"], session["touchpoints"]) == (T0, T0 + GAP_MS, 2)


def test_pause_of_the_gap_and_a_millisecond_cuts() -> None:
    first, second = sessions(touch("a", 0), touch("b", GAP_MS + 1))
    assert (first["session_id"], second["session_id"]) == (ids.session_id("a"), ids.session_id("b"))
    assert (first["ended_at"], second["started_at"]) == (T0, T0 + GAP_MS + 1)


def test_session_may_last_longer_than_the_gap() -> None:
    (session,) = sessions(*(touch(f"e{i}", i * GAP_MS) for i in range(5)))
    assert session["touchpoints"] == 5


def test_late_touchpoint_joins_two_sessions() -> None:
    early, late = touch("a", 0), touch("c", 2 * GAP_MS)
    assert len(sessions(early, late)) == 2
    (joined,) = sessions(early, touch("b", GAP_MS), late)
    assert joined["session_id"] == ids.session_id("a")


def test_gap_of_zero_keeps_simultaneous_touchpoints_together() -> None:
    assert [s["touchpoints"] for s in sessions(touch("a", 0), touch("b", 0), touch("c", 1), gap_ms=0)] == [2, 1]


@pytest.mark.parametrize("role", ["exposure", "observation", "order_fact", "record"])
def test_only_interactions_make_and_prolong_sessions(role: str) -> None:
    result = cut(PERSON, [touch("a", 0), touch("b", GAP_MS, role=role), touch("c", 2 * GAP_MS)], GAP_MS)
    assert result.session_of == {"a": ids.session_id("a"), "c": ids.session_id("c")}
    assert result.visit_of == {"a": ids.visit_id("a"), "c": ids.visit_id("c")}


def test_no_interaction_means_no_rows() -> None:
    assert cut(PERSON, [], GAP_MS) == Cut([], [], {}, {})
    assert cut(PERSON, [touch("a", 0, role="exposure")], GAP_MS) == Cut([], [], {}, {})


def test_session_row_is_told_in_full() -> None:
    rows = cut(PERSON, [
        touch("a", 0, device="desktop", campaign="spring", referrer="search.example"),
        touch("b", 10, channel="call_centre", device="phone", order_id="O1"),
        touch("c", 20, channel="pos", store_id="S1", order_id="O2"),
        touch("d", 30, channel="pos", store_id="S1", order_id="O1", campaign="till"),
    ], GAP_MS).sessions
    assert rows == [(
        PERSON, ids.session_id("a"), T0, T0 + 30, 4, ["web", "call_centre", "pos"], ["desktop", "phone"],
        2, 1, False, "web", "pos", "spring", ["S1"], ["O1", "O2"],
    )]


def test_switches_count_every_change_of_channel() -> None:
    (session,) = sessions(*(touch(f"e{i}", i, channel=c) for i, c in enumerate(["web", "chat", "chat", "web"])))
    assert (session["switches"], session["channels"]) == (2, ["web", "chat"])


@pytest.mark.parametrize(("devices", "switches", "parallel"), [
    (["mobile", "mobile"], 0, False),
    (["mobile", "desktop"], 1, False),
    (["mobile", "desktop", "tablet"], 2, False),
    (["mobile", "desktop", "mobile"], 2, True),
    (["mobile", "desktop", "tablet", "desktop"], 3, True),
    (["mobile", None, "mobile"], 0, False),
    ([None, "mobile", None, "desktop", None], 1, False),
    (["mobile", None, "desktop", None, "mobile"], 2, True),
    ([None, None], 0, False),
])
def test_devices_are_compared_where_they_are_known(devices: list[str | None], switches: int, parallel: bool) -> None:
    (session,) = sessions(*(touch(f"e{i}", i, device=d) for i, d in enumerate(devices)))
    assert (session["device_switches"], session["parallel"]) == (switches, parallel)
    assert session["devices"] == list(dict.fromkeys(d for d in devices if d))


def test_visit_is_the_cut_over_one_channel_and_device() -> None:
    touches = [
        touch("a", 0, device="desktop", referrer="search.example", campaign="spring"),
        touch("b", GAP_MS, channel="chat", device="mobile"),
        touch("c", GAP_MS + 1, device="desktop", store_id="S1", order_id="O1"),
        touch("d", GAP_MS + 2, device="mobile"),
        touch("e", GAP_MS + 3, device="desktop", referrer="mail.example", store_id="S1", order_id="O2"),
    ]
    session = ids.session_id("a")
    result = cut(PERSON, touches, GAP_MS)
    assert result.visits == [
        (PERSON, ids.visit_id("a"), session, T0, T0, 1, "web", "desktop", "search.example", "spring", [], []),
        (PERSON, ids.visit_id("c"), session, T0 + GAP_MS + 1, T0 + GAP_MS + 3, 2, "web", "desktop", None, None,
         ["S1"], ["O1", "O2"]),
        (PERSON, ids.visit_id("b"), session, T0 + GAP_MS, T0 + GAP_MS, 1, "chat", "mobile", None, None, [], []),
        (PERSON, ids.visit_id("d"), session, T0 + GAP_MS + 2, T0 + GAP_MS + 2, 1, "web", "mobile", None, None, [], []),
    ]
    assert result.visit_of == {e: ids.visit_id(v) for e, v in zip("abcde", "abcdc", strict=True)}
    assert set(result.session_of.values()) == {session}


def test_unknown_device_is_a_device_of_its_own_for_visits() -> None:
    assert [v["device"] for v in visits(touch("a", 0), touch("b", 1, device="mobile"), touch("c", 2))] == [
        None, "mobile",
    ]


def test_pause_equal_to_the_gap_stays_in_the_visit() -> None:
    between = touch("b", 1, channel="chat")
    assert len(visits(touch("a", 0), between, touch("c", GAP_MS))) == 2
    assert len(visits(touch("a", 0), between, touch("c", GAP_MS + 1))) == 3


touches_of_a_person = st.lists(
    st.builds(
        touch,
        st.uuids().map(str), st.integers(0, 12).map(lambda step: step * GAP_MS // 4),
        channel=st.sampled_from(["web", "chat", "pos"]), device=st.sampled_from([None, "mobile", "desktop"]),
        role=st.sampled_from(["interaction", "interaction", "exposure"]),
    ),
    max_size=12, unique_by=lambda e: e.event_id,
).map(lambda touches: sorted(touches, key=lambda e: (e.at_ms, e.event_id)))


@given(touches_of_a_person)
def test_every_interaction_is_in_exactly_one_session_and_visit(touches: list[Event]) -> None:
    result = cut(PERSON, touches, GAP_MS)
    interactions = {e.event_id for e in touches if e.role == "interaction"}
    assert set(result.session_of) == set(result.visit_of) == interactions
    tables = ("sessions", result.sessions, result.session_of), ("visits", result.visits, result.visit_of)
    for table, rows, of in tables:
        told = {row[1]: named(table, row)["touchpoints"] for row in rows}
        assert len(told) == len(rows)
        assert told == {key: list(of.values()).count(key) for key in set(of.values())}


@given(touches_of_a_person)
def test_visit_lies_within_its_session(touches: list[Event]) -> None:
    result = cut(PERSON, touches, GAP_MS)
    for event_id, visit_id in result.visit_of.items():
        (visit,) = (named("visits", row) for row in result.visits if row[1] == visit_id)
        assert visit["session_id"] == result.session_of[event_id]


@given(touches_of_a_person)
def test_neighbours_share_a_session_exactly_when_no_longer_apart_than_the_gap(touches: list[Event]) -> None:
    of = cut(PERSON, touches, GAP_MS).session_of
    interactions = [e for e in touches if e.role == "interaction"]
    for one, next_one in pairwise(interactions):
        assert (of[one.event_id] == of[next_one.event_id]) == (next_one.at_ms - one.at_ms <= GAP_MS)
