"""Talk on a running stack: conversations, promises and attributes as rows, the settings that shape them, and `who`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from tests.integration.test_governing import onethread, tables

EMAIL = {"kind": "email", "value": "talk@example.com"}


def tell(*events: dict[str, Any]) -> None:
    """Events of one customer, whose `at` is a time of one day, settled."""
    lines = [json.dumps({
        "event_id": f"talk-{number}", "occurred_at": f"2026-02-05T{event.pop('at')}:00Z", "identifiers": [EMAIL],
        **event,
    }) for number, event in enumerate(events)]
    onethread("emit", "-", stdin="\n".join(lines))
    onethread("settle")


def rows(addresses: Addresses, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connect(addresses.clickhouse_url).query(query, tz_mode="aware").result_rows]


def due_at(addresses: Addresses) -> datetime:
    (at,), = rows(addresses, "SELECT due_at FROM onethread.promises WHERE kind = 'callback' AND done_at IS NULL")
    assert isinstance(at, datetime)
    return at


@pytest.mark.timeout(600)
def test_talk_becomes_rows_and_another_gap_reaches_the_past_and_back(running_stack: Addresses, tmp_path: Path) -> None:
    operator = {"id": "op-1", "role": "operator"}
    tell(
        {"at": "10:00", "channel": "chat", "type": "message_received", "preference": {"contact_mode": "write"},
         "message": {"message_id": "tm-1", "conversation_id": "tc-1", "text": "Where is my parcel, please?"}},
        {"at": "10:02", "channel": "chat", "type": "message_sent", "staff": operator,
         "message": {"message_id": "tm-2", "conversation_id": "tc-1", "text": "I will ask."}},
        {"at": "11:30", "channel": "call_centre", "type": "call_received", "consent": {"sms": False},
         "message": {"message_id": "tm-3", "wait_ms": 4000}, "staff": {"id": "op-2", "role": "operator"}},
        {"at": "11:40", "channel": "web", "type": "callback_requested", "traits": {"name": "Sample"}},
        {"at": "11:50", "channel": "call_centre", "type": "promise_made", "promise": {"kind": "refund"},
         "staff": operator, "order": {"order_id": "talk-order"}},
        {"at": "11:55", "channel": "call_centre", "type": "promise_kept", "promise": {"kind": "refund"}},
    )
    said = "SELECT channels, staff, staff_changes, messages_in, messages_out, calls, first_response_s " \
        "FROM onethread.conversations WHERE person_id IN (SELECT person_id FROM onethread.identifiers " \
        "WHERE value = 'talk@example.com') ORDER BY started_at"
    assert rows(running_stack, said) == [
        (["chat", "call_centre", "web"], ["op-1", "op-2"], 1, 2, 1, 1, 120)]
    assert due_at(running_stack) == datetime(2026, 2, 5, 11, 55, tzinfo=UTC)
    found = json.loads(onethread("who", "email:talk@example.com", "--json"))
    assert found["person"]["preferences"] == {"contact_mode": "write"}
    assert found["person"]["consent"] == {"sms": False}
    assert [(p["kind"], p["status"]) for p in found["open_promises"]] == [("callback", "overdue")]

    before = tables(running_stack)
    other, back = tmp_path / "other.toml", tmp_path / "back.toml"
    other.write_text('conversation_gap = "1h"\ncallback_due = "1h"\n')
    back.write_text('conversation_gap = "24h"\ncallback_due = "15m"\n')
    assert "applied: conversation_gap 1d → 1h" in onethread("config", "apply", str(other))
    assert [row[0] for row in rows(running_stack, said)] == [["chat"], ["call_centre", "web"]]
    assert due_at(running_stack) == datetime(2026, 2, 5, 12, 40, tzinfo=UTC)
    onethread("config", "apply", str(back))
    assert tables(running_stack) == before
