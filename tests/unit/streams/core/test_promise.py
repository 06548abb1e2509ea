"""Promises on literal talk."""

from typing import Any

from streams.core.event import Event
from streams.core.ids import promise_id, uuid_text
from tests.unit.streams.core.test_conversation import MINUTE, rows, says

DAY_MS = 24 * 60 * MINUTE


def phone(event_id: str, at_ms: int, kind: str, **fields: Any) -> Event:
    return says(event_id, at_ms, kind, **{"channel": "call_centre", "staff": "op-1"} | fields)


def promises(*events: Event) -> list[dict[str, Any]]:
    return rows("promises", *events)


def one(*events: Event) -> dict[str, Any]:
    (row,) = promises(*events)
    return row


def test_a_callback_requested_by_chat_and_promised_by_phone_is_one_promise() -> None:
    row = one(says("1", 0, "callback_requested", conversation_id="c"), phone("2", MINUTE, "callback_promised"))
    assert (row["kind"], row["requested_at"], row["promised_at"], row["promised_channel"], row["promised_by"]) == (
        "callback", 0, MINUTE, "call_centre", "op-1")
    assert (row["promise_id"], row["conversation_id"]) == (uuid_text(promise_id("1")), "c")


def test_so_it_is_days_later_and_in_another_conversation() -> None:
    answer = phone("2", 3 * DAY_MS, "callback_promised", promise_id="p")
    assert one(says("1", 0, "callback_requested", conversation_id="c"), answer)["promise_id"] == "p"


def test_a_callback_is_due_after_callback_due_unless_told() -> None:
    assert one(says("1", 5, "callback_requested"))["due_at"] == 5 + 15 * MINUTE
    assert one(phone("1", 5, "callback_promised"))["due_at"] == 5 + 15 * MINUTE
    told = one(says("1", 5, "callback_requested"), phone("2", 6, "callback_promised", due_ms=DAY_MS))
    assert told["due_at"] == DAY_MS
    assert one(says("1", 5, "callback_requested"), phone("2", 6, "callback_promised"))["due_at"] == 5 + 15 * MINUTE
    assert one(phone("1", 5, "promise_made"))["due_at"] is None


def test_call_answered_closes_the_earliest_open_callback_and_only_that() -> None:
    first, second = (says(n, at, "callback_requested", conversation_id=n) for n, at in (("a", 0), ("b", 1)))
    found = promises(first, second, phone("3", 2 * DAY_MS, "call_answered"))
    assert [(p["done_at"], p["done_channel"], p["done_by"]) for p in found] == [
        (2 * DAY_MS, "call_centre", "op-1"), (None, None, None)]


def test_of_two_the_one_of_the_same_conversation_is_closed() -> None:
    first, second = (says(n, at, "callback_requested", conversation_id=n) for n, at in (("a", 0), ("b", 1)))
    found = promises(first, second, phone("3", 2, "call_answered"))  # goes on with b
    assert [p["done_at"] for p in found] == [None, 2]


def test_of_two_the_one_of_the_same_promise_id_is_closed() -> None:
    first = phone("1", 0, "callback_promised", promise_id="p")
    second = phone("2", 3 * DAY_MS, "callback_promised", promise_id="q")
    found = promises(first, second, phone("3", 3 * DAY_MS + 1, "call_answered", promise_id="p"))
    assert [p["done_at"] for p in found] == [3 * DAY_MS + 1, None]


def test_another_promise_id_closes_nothing() -> None:
    found = promises(phone("1", 0, "callback_promised", promise_id="p"),
                     phone("2", 1, "callback_done", promise_id="q"))
    assert [p["done_at"] for p in found] == [None]


def test_a_call_answered_closes_no_promise_of_another_kind() -> None:
    row = one(phone("1", 0, "promise_made", promise_kind="refund"), phone("2", 1, "call_answered"))
    assert row["done_at"] is None


def test_promise_kept_closes_its_kind() -> None:
    made = [phone(kind, n, "promise_made", promise_kind=kind) for n, kind in enumerate(("refund", "delivery"))]
    found = promises(*made, phone("z", 9, "promise_kept", promise_kind="delivery"))
    assert [(p["kind"], p["done_at"]) for p in found] == [("refund", None), ("delivery", 9)]


def test_a_call_before_the_request_closes_nothing() -> None:
    assert one(phone("1", 0, "call_answered"), says("2", 0, "callback_requested"))["done_at"] is None


def test_what_is_done_stays_done_and_the_next_request_is_another() -> None:
    done = phone("2", 1, "callback_done")
    found = promises(says("1", 0, "callback_requested"), done, phone("3", 2, "callback_done"),
                     says("4", 3, "callback_requested"))
    assert [p["done_at"] for p in found] == [1, None]


def test_asked_again_in_the_conversation_it_is_the_same_callback() -> None:
    row = one(says("1", 0, "callback_requested"), says("2", MINUTE, "callback_requested"))
    assert row["requested_at"] == 0
    assert len(promises(says("1", 0, "callback_requested", conversation_id="c"),
                        says("2", MINUTE, "callback_requested", conversation_id="d"))) == 2


def test_two_promises_of_another_kind_are_two() -> None:
    assert len(promises(phone("1", 0, "promise_made"), phone("2", 1, "promise_made"))) == 2


def test_a_promise_is_cancelled_by_word_or_with_its_order() -> None:
    asked = says("1", 0, "callback_requested")
    row = one(asked, says("2", 5, "callback_cancelled"), phone("3", 6, "call_answered"))
    assert (row["cancelled_at"], row["done_at"]) == (5, None)
    made = phone("1", 0, "promise_made", promise_kind="delivery", order_id="o")
    cancelled = says("2", 5, "order_cancelled", order_id="o", role="order_fact")
    assert one(made, cancelled)["cancelled_at"] == 5
    assert one(made, says("2", 5, "order_cancelled", order_id="x", role="order_fact"))["cancelled_at"] is None


def test_an_order_cancelled_leaves_alone_what_is_done() -> None:
    made = phone("1", 0, "promise_made", order_id="o")
    cancelled = says("3", 5, "order_cancelled", order_id="o", role="order_fact")
    assert one(made, phone("2", 1, "promise_kept"), cancelled)["cancelled_at"] is None


def test_attempts_are_calls_until_the_promise_is_closed() -> None:
    asked = says("1", 0, "callback_requested")
    calls = [phone(f"2{n}", n, "call_made", message_id=f"m{n}") for n in (1, 2)]
    assert one(asked, *calls)["attempts"] == 2
    assert one(asked, *calls, phone("3", 3, "call_answered", message_id="m2"))["attempts"] == 2
    assert one(asked, *calls, phone("3", 3, "call_answered", message_id="m3"))["attempts"] == 3
    assert one(asked, phone("3", 3, "call_answered"), phone("4", 4, "call_made"))["attempts"] == 1
    assert one(asked, phone("2", 2, "call_made"), phone("3", 3, "call_answered"))["attempts"] == 1
