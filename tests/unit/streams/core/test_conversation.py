"""Conversations on literal talk."""

from typing import Any

from streams.core.conversation import Conversations
from streams.core.event import Event
from streams.core.facts import TABLES
from streams.core.sayings import Sayings
from streams.core.shaping import Shaping
from tests.oracle.build import event
from tests.unit.streams.core.graphs import Graph

GAP_MS = 24 * 3_600_000
MINUTE = 60_000
SHAPING = Shaping(Graph(1).keys, 30 * MINUTE)


def says(event_id: str, at_ms: int, kind: str = "message_received", **fields: Any) -> Event:
    """The customer writes in the chat, unless told otherwise."""
    ours = kind in ("message_sent", "call_made", "callback_promised", "promise_made", "promise_kept", "message_failed")
    return event(event_id, at_ms, "email:a", **{"channel": "chat", "type": kind,
                                                "role": "exposure" if ours else "interaction"} | fields)


def parted(*events: Event) -> list[list[str]]:
    """The event ids of each conversation, of events without one apart."""
    of = Conversations(events, GAP_MS).of
    groups: dict[str | None, list[str]] = {}
    for e in events:
        groups.setdefault(of.get(e.event_id), []).append(e.event_id)
    return list(groups.values())


def rows(table: str, *events: Event) -> list[dict[str, Any]]:
    sayings = Sayings()
    for e in events:
        sayings.hear(e)
    names = [column.name for column in TABLES[table].columns]
    found = sayings.rows(bytes(16), SHAPING).items()
    return [dict(zip(names, row, strict=True)) for key, row in found if key[0] == table]


def one(*events: Event) -> dict[str, Any]:
    (row,) = rows("conversations", *events)
    return row


def test_a_pause_of_exactly_the_gap_goes_on_and_one_more_begins_anew() -> None:
    assert parted(says("1", 0), says("2", GAP_MS)) == [["1", "2"]]
    assert parted(says("1", 0), says("2", GAP_MS + 1)) == [["1"], ["2"]]


def test_one_conversation_id_is_one_conversation_whatever_the_pause() -> None:
    assert parted(says("1", 0, conversation_id="c"), says("2", 9 * GAP_MS, conversation_id="c")) == [["1", "2"]]


def test_two_conversation_ids_are_two_without_a_pause() -> None:
    assert parted(says("1", 0, conversation_id="c"), says("2", 1, conversation_id="d")) == [["1"], ["2"]]


def test_a_chat_that_goes_on_by_phone_is_one_conversation() -> None:
    call = says("2", 5 * MINUTE, "call_answered", channel="call_centre")
    assert one(says("1", 0, conversation_id="c"), call)["channels"] == ["chat", "call_centre"]


def test_what_names_no_conversation_goes_on_with_the_last_and_else_with_the_next() -> None:
    a, b = says("a", 0), says("b", 1, conversation_id="c")
    c, d = says("c", 2), says("d", 3, conversation_id="d")
    assert parted(a, b, c, d, says("e", 4)) == [["a", "b", "c"], ["d", "e"]]


def test_what_names_no_conversation_is_not_drawn_to_one_beyond_a_pause() -> None:
    found = Conversations([says("a", 0), says("b", GAP_MS + 1, conversation_id="c")], GAP_MS)
    assert list(found.speech) != ["c"]
    assert found.of["b"] == "c"


def test_what_belongs_to_a_conversation_does_not_prolong_it() -> None:
    promise = says("2", GAP_MS, "promise_made")
    assert parted(says("1", 0), promise, says("3", GAP_MS + 1)) == [["1", "2"], ["3"]]


def test_a_promise_after_the_gap_belongs_to_none() -> None:
    assert parted(says("1", 0), says("2", GAP_MS + 1, "promise_made")) == [["1"], ["2"]]
    assert "2" not in Conversations([says("1", 0), says("2", GAP_MS + 1, "promise_made")], GAP_MS).of


def test_a_report_belongs_to_the_conversation_of_its_message_long_after() -> None:
    sent, again = (says(n, at, "message_sent", message_id="m") for n, at in (("1", 0), ("2", 3 * GAP_MS)))
    read = says("3", 9 * GAP_MS, "message_opened", message_id="m")
    assert parted(sent, again, read) == [["1", "3"], ["2"]]
    assert one(sent, read)["ended_at"] == 0


def test_a_report_on_an_unknown_message_belongs_to_none() -> None:
    found = Conversations([says("1", 0), says("2", 1, "message_opened", message_id="m")], GAP_MS)
    assert "2" not in found.of


def test_an_order_on_a_channel_of_the_conversation_is_its_order() -> None:
    order = says("2", MINUTE, "order_placed", order={"order_id": "o"})
    assert one(says("1", 0), order)["order_id"] == "o"
    assert one(says("1", 0), says("2", MINUTE, "order_placed", order={"order_id": "o"}, channel="web"))[
        "order_id"] is None
    late = says("2", GAP_MS + 1, "order_placed", order={"order_id": "o"})
    assert one(says("1", 0), late)["order_id"] is None


def test_an_order_leaves_a_conversation_that_another_came_before() -> None:
    """A message that arrives late, of another channel, is what the order came after."""
    sayings = Sayings()
    order = says("3", 3, "order_placed", order={"order_id": "o"})
    for e in (says("1", 1, conversation_id="c"), order):
        sayings.insert(e, bytes(16), SHAPING)
    assert sayings.conversation_of["3"] == "c"
    _, moves = sayings.insert(says("2", 2, conversation_id="d", channel="viber"), bytes(16), SHAPING)
    assert moves == {"2": "d", "3": None}


def test_waits_are_from_the_first_unanswered_word_to_ours() -> None:
    row = one(
        says("1", 0), says("2", 5_000), says("3", 71_900, "message_sent"), says("4", 80_000),
        says("5", 80_000 + 200_000, "message_sent"), says("6", 300_000), says("7", 310_000),
    )
    assert (row["first_response_s"], row["longest_wait_s"], row["waiting_since"]) == (71, 200, 300_000)


def test_a_missed_call_waits_for_the_call_back() -> None:
    row = one(says("1", 0, "call_missed"), says("2", 9_000, "call_made"), says("3", 12_000, "call_answered"))
    assert (row["first_response_s"], row["calls"], row["messages_in"]) == (12, 3, 0)


def test_on_a_call_that_we_took_the_caller_waited_on_the_line() -> None:
    row = one(says("1", 0, "call_received", wait_ms=7_000))
    assert (row["first_response_s"], row["longest_wait_s"]) == (7, 7)
    assert one(says("1", 0, "call_received"))["first_response_s"] is None


def test_nobody_waits_before_anybody_asked() -> None:
    row = one(says("1", 0, "message_sent"), says("2", 5_000, "message_sent"))
    assert (row["first_response_s"], row["messages_out"], row["waiting_since"]) == (None, 2, None)


def test_staff_changes_are_handovers() -> None:
    staff = ["bot-1", "bot-1", None, "op-1", "op-2", "op-1"]
    events = [says(str(n), n, "message_sent", staff=who, is_bot=who == "bot-1") for n, who in enumerate(staff)]
    row = one(*events)
    assert (row["staff"], row["staff_changes"], row["bot"]) == (["bot-1", "op-1", "op-2"], 3, True)


def test_a_topic_raised_on_another_channel_or_with_other_staff_is_said_again() -> None:
    def asked(event_id: str, at: int, **fields: Any) -> Event:
        return says(event_id, at, topic="delivery", **fields)
    answered = says("b", 2, "message_sent", staff="op-1")
    assert one(asked("a", 1), answered, asked("c", 3))["repeats"] == 0
    assert one(asked("a", 1), answered, asked("c", 3, channel="viber"))["repeats"] == 1
    handed_over = says("c", 3, "message_sent", staff="op-2")
    assert one(asked("a", 1), answered, handed_over, asked("d", 4), asked("e", 5))["repeats"] == 1
    assert one(asked("a", 1, staff="op-1"), asked("b", 2, staff="op-2"))["repeats"] == 1


def test_a_text_said_again_is_a_repeat_unless_it_is_short() -> None:
    long, short = "Where is my parcel?", "Thank you."
    assert one(says("1", 1, text=long), says("2", 2, text=f" WHERE is  {long[9:]}"))["repeats"] == 1
    assert one(says("1", 1, text=short), says("2", 2, text=short))["repeats"] == 0
    assert one(says("1", 1, text=long), says("2", 2, "message_sent", text=long))["repeats"] == 0


def test_a_text_of_twelve_characters_counts_and_one_less_does_not() -> None:
    assert one(says("1", 1, text="x" * 12), says("2", 2, text="x" * 12))["repeats"] == 1
    assert one(says("1", 1, text="x" * 11), says("2", 2, text="x" * 11))["repeats"] == 0


def test_a_row_names_200_topics_at_most() -> None:
    row = one(*(says(f"{n:03}", n, topic=f"t{n}") for n in range(201)))
    assert row["topics"] == [f"t{n}" for n in range(200)]


def test_events_of_one_message_are_one_message() -> None:
    made = says("1", 0, "call_made", message_id="m", channel="call_centre")
    spoke = says("2", 9_000, "call_answered", message_id="m", staff="op-1", duration_ms=94_000, recording_url="s3://r")
    (message,) = rows("conversation_messages", made, spoke)
    assert {name: message[name] for name in ("message_id", "at", "channel", "type", "from_customer", "staff",
                                             "recording_url", "duration_ms")} == {
        "message_id": "m", "at": 0, "channel": "call_centre", "type": "call_made", "from_customer": False,
        "staff": "op-1", "recording_url": "s3://r", "duration_ms": 94_000,
    }
    assert one(made, spoke)["calls"] == 1


def test_who_spoke_is_told_of_every_message() -> None:
    kinds = ("message_received", "call_received", "consulted", "call_answered", "message_sent")
    found = rows("conversation_messages", *(says(str(n), n, kind, text=kind) for n, kind in enumerate(kinds)))
    assert [(m["text"], m["from_customer"]) for m in found] == [
        ("message_received", True), ("call_received", True), ("consulted", True), ("call_answered", False),
        ("message_sent", False),
    ]


def test_a_page_seen_in_a_conversation_is_part_of_it_and_no_message() -> None:
    page = event("2", 5, "email:a", conversation_id="c")
    assert one(says("1", 0, conversation_id="c"), page)["ended_at"] == 5
    assert len(rows("conversation_messages", says("1", 0, conversation_id="c"), page)) == 1
