"""Events of a program reach the rows, with Kafka there from the start and without it."""

import json
from typing import Any

import pytest

from connectors import producer
from connectors.collector import keys
from connectors.producer import local, to_collector
from deploy.local.ports import Addresses
from tests.integration.test_governing import onethread


def receipt(number: int) -> dict[str, Any]:
    card = {"kind": "loyalty_card", "value": "2600000000048"}
    return {"event_id": f"producer-{number}", "channel": "pos", "type": "order_placed", "source": "till",
            "occurred_at": "2026-02-05T10:00:00+02:00", "identifiers": [card],
            "order": {"order_id": f"producer-{number}", "total": "5", "currency": "EUR"}}


@pytest.mark.timeout(300)
def test_what_a_program_told_becomes_rows_whichever_way_it_went(
    running_stack: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Any,
) -> None:
    with monkeypatch.context() as cut:
        cut.setenv("ONETHREAD_KAFKA", "127.0.0.1:1")
        cut.setattr(producer, "POLICY_S", 0.1)
        with local("till") as till:
            assert till.send(receipt(1)) is None
            assert till.waiting == 1
    with local("till") as till:
        till.send_many([receipt(2), receipt(2)])
        till.flush()
    key, _ = keys.add(running_stack.home, "remote", channels=("pos",))
    with to_collector(running_stack.collector_url, key, tmp_path / "remote.db") as remote:
        remote.send(receipt(3))
        remote.flush()
    onethread("settle")
    query = "SELECT event_id FROM touchpoints WHERE startsWith(event_id, 'producer-') ORDER BY event_id"
    shown = onethread("sql", query, "--format", "JSONCompactColumns")
    assert json.loads(shown) == [["producer-1", "producer-2", "producer-3"]]
