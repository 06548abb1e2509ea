"""Which touchpoints show a person's channels, devices and home store; what is counted by channel; sightings."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.core.event import Event, Identifier
from streams.core.facts import TABLES, Row
from streams.core.person import DAY_MS, channel_rows, person_row, sighting_rows
from streams.core.session import cut

PERSON = b"p" * 16
GAP_MS = 30 * 60_000
NEVER = (None,) * 5
"""How a person was first touched that never was."""
T0 = 20_000 * DAY_MS  # a UTC midnight


def touch(event_id: str, at_ms: int, **fields: Any) -> Event:
    values: dict[str, Any] = {
        "received_ms": 0, "position": ("events.web", 0, 0), "digest": b"", "ids": (), "channel": "web",
        "type": "page_viewed", "role": "interaction", "device": None, "store_id": None, "staff": None,
        "order_id": None, "campaign": None, "referrer": None, "click_id": None, "message_id": None,
        "conversation_id": None, "content": b"", **fields,
    }
    return Event(event_id=event_id, at_ms=T0 + at_ms, **values)


def person(*touches: Event, first_seen_at: int = T0, kinds: dict[str, int] | None = None) -> dict[str, Any]:
    return named("persons", person_row(PERSON, True, False, first_seen_at, kinds or {}, touches, 3, 2, NEVER))


def home(*visits: tuple[str, int]) -> Any:
    touches = [touch(f"e{i:02}", at, store_id=store) for i, (store, at) in enumerate(visits)]
    return person(*touches)["home_store_id"]


def named(table: str, row: Row) -> dict[str, Any]:
    return dict(zip((c.name for c in TABLES[table].columns), row, strict=True))


def test_person_row_is_told_in_full() -> None:
    touches = [
        touch("a", 0, role="exposure", channel="ads", device="mobile", store_id="S9"),
        touch("b", 10, device="desktop"),
        touch("c", 20, role="observation", channel="wifi", store_id="S1"),
        touch("d", 30, channel="pos", device="mobile"),
        touch("e", 40, role="order_fact", channel="delivery"),
        touch("f", 50, role="record", channel="crm", device="other", store_id="S8"),
    ]
    acquired = T0, "ads", None, None, "spring"
    attributes = {"contact_mode": "write"}, {"sms": False}
    assert person_row(PERSON, True, False, T0 + 5, {"phone": 2, "email": 1}, touches, 1, 4, acquired, attributes) == (
        PERSON, True, False, T0, T0 + 50, T0 + 30, "ads", ["ads", "web", "wifi", "pos", "delivery"],
        ["mobile", "desktop"], {"email": 1, "phone": 2}, 6, 1, "S1", 4, T0, "ads", None, None, "spring",
        *attributes,
    )


def test_person_without_touches_was_seen_but_not_met() -> None:
    """All its events may be touchpoints of others, as on a contested device."""
    assert person_row(PERSON, False, True, T0, {"device_id": 1}, [], 0, 0, NEVER) == (
        PERSON, False, True, T0, None, None, None, [], [], {"device_id": 1}, 0, 0, None, 0, *NEVER, {}, {},
    )


def test_first_seen_is_the_least_of_identifiers_and_touches() -> None:
    assert person(touch("a", 10), first_seen_at=T0 + 5)["first_seen_at"] == T0 + 5
    assert person(touch("a", 3), first_seen_at=T0 + 5)["first_seen_at"] == T0 + 3


def test_record_dates_the_person_but_shows_no_channel() -> None:
    row = person(touch("a", 0, role="record", channel="crm"), touch("b", 10), touch("c", 20, role="record"))
    assert (row["first_channel"], row["channels"], row["last_seen_at"]) == ("web", ["web"], T0 + 20)


def test_identifier_kinds_come_in_text_order() -> None:
    """The order of a Map counts where rows are compared."""
    assert list(person(touch("a", 0), kinds={"phone": 1, "email": 2, "crm_id": 1})["identifier_kinds"]) == [
        "crm_id", "email", "phone",
    ]


def test_home_store_is_that_of_most_days() -> None:
    assert home(("S2", 0), ("S2", DAY_MS), ("S1", 2 * DAY_MS), ("S1", 2 * DAY_MS + 1), ("S1", 2 * DAY_MS + 2)) == "S2"


def test_days_of_the_home_store_are_days_of_utc() -> None:
    assert home(("S2", DAY_MS - 1), ("S2", DAY_MS), ("S1", DAY_MS + 1), ("S1", DAY_MS + 2)) == "S2"
    assert home(("S2", 0), ("S2", DAY_MS - 1), ("S1", DAY_MS), ("S1", 2 * DAY_MS)) == "S1"


def test_at_equal_days_the_home_store_is_the_one_seen_last() -> None:
    assert home(("S1", 0), ("S2", 1)) == "S2"
    assert home(("S2", 0), ("S1", 1), ("S2", 2)) == "S2"


def test_at_equal_days_and_times_the_home_store_is_the_least_id() -> None:
    assert home(("S2", 0), ("S1", 0)) == "S1"
    assert home(("S1", 0), ("S2", 0)) == "S1"


def test_channels_are_counted_by_role() -> None:
    touches = [
        touch("a", 0, role="exposure", channel="ads"),
        touch("b", 10, channel="ads", device="mobile"),
        touch("c", 20, device="mobile"),
        touch("d", 30, device="desktop"),
        touch("e", 40, channel="wifi", role="observation"),
        touch("f", GAP_MS + 31, device="desktop"),
        touch("g", GAP_MS + 41, channel="crm", role="record"),
        touch("h", GAP_MS + 51, channel="ads", role="exposure"),
    ]
    assert channel_rows(PERSON, touches, cut(PERSON, touches, GAP_MS)) == [
        (PERSON, "ads", T0, T0 + GAP_MS + 51, 1, 2, 1, 1),
        (PERSON, "web", T0 + 20, T0 + GAP_MS + 31, 3, 0, 3, 1),
        (PERSON, "wifi", T0 + 40, T0 + 40, 0, 0, 0, 0),
        (PERSON, "crm", T0 + GAP_MS + 41, T0 + GAP_MS + 41, 0, 0, 0, 0),
    ]


def test_sightings_are_the_first_and_last_naming_of_each_identifier() -> None:
    def node_of(identifier: Identifier) -> bytes:
        return ":".join(identifier).encode()

    touches = [
        touch("a", 0, ids=(("device_id", "d1", 1.0), ("email", "someone@example.com", 0.8))),
        touch("b", 10, ids=(("device_id", "d1", 1.0),)),
        touch("c", 20, ids=(("email", "someone@example.com", 1.0),), role="record"),
        touch("d", 30),
    ]
    assert sighting_rows(PERSON, touches, node_of) == [
        (PERSON, b"device_id:d1", "device_id", "d1", T0, T0 + 10),
        (PERSON, b"email:someone@example.com", "email", "someone@example.com", T0, T0 + 20),
    ]


@given(st.lists(
    st.builds(
        touch,
        st.uuids().map(str), st.integers(0, 5).map(lambda step: step * GAP_MS),
        channel=st.sampled_from(["web", "chat", "pos"]), device=st.sampled_from([None, "mobile"]),
        role=st.sampled_from(["interaction", "exposure", "record"]),
    ),
    max_size=10, unique_by=lambda e: e.event_id,
))
def test_channel_rows_add_up_to_the_person(touches: list[Event]) -> None:
    touches.sort(key=lambda e: (e.at_ms, e.event_id))
    made = cut(PERSON, touches, GAP_MS)
    rows = [named("person_channels", row) for row in channel_rows(PERSON, touches, made)]
    assert sum(row["interactions"] for row in rows) == len(made.session_of)
    assert sum(row["visits"] for row in rows) == len(made.visits)
    assert sum(row["sessions_started"] for row in rows) == len(made.sessions)
