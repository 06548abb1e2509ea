"""A look-up on a running stack says what ClickHouse says a moment later, follows merges, and forgets who was erased."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from connectors.collector import keys
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import profile
from tests.integration.test_governing import onethread

PHONE, MAIL = {"kind": "phone", "value": "+380670007001"}, {"kind": "email", "value": "look.up@example.com"}
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=100)


def line(number: int, days: float, kind: str, *ids: dict[str, str], channel: str = "web", **fields: Any) -> str:
    at = (START + timedelta(days=days)).isoformat()
    return json.dumps({"event_id": f"look-up-{number}", "channel": channel, "type": kind, "occurred_at": at,
                       "identifiers": ids, **fields})


def tell(*lines: str) -> None:
    onethread("emit", "-", stdin="\n".join(lines))
    onethread("settle")


class Till:
    """A source with a key for reading."""

    def __init__(self, addresses: Addresses, home: Path) -> None:
        text, _ = keys.add(home, "till", scope="read")
        self.client = httpx.Client(base_url=addresses.collector_url, auth=(text, ""), trust_env=False)

    def ask(self, path: str) -> httpx.Response:
        return self.client.get(f"/v1/persons/{path}")


@pytest.fixture
def till(running_stack: Addresses) -> Till:
    return Till(running_stack, running_stack.home)


@pytest.mark.timeout(300)
def test_a_look_up_follows_a_customer_through_orders_a_merge_and_an_erasure(
    running_stack: Addresses, till: Till,
) -> None:
    item = {"sku": "lamp", "quantity": "2", "price": "10.50"}
    tell(
        line(1, 0, "order_placed", PHONE, order={"order_id": "look-1", "currency": "EUR", "items": [item]}),
        line(2, 95, "order_placed", PHONE, channel="pos", place={"store_id": "S1"},
             order={"order_id": "look-2", "currency": "EUR", "total": "7", "payments": [{"method": "cash"}]}),
        line(3, 99, "cart_updated", MAIL, traits={"name": "Sample"}, consent={"email": True},
             cart={"items": [item], "total": "21", "currency": "EUR"}),
        line(4, 99.5, "callback_requested", MAIL),
    )
    mail = till.ask("email/Look.Up@example.com").json()
    assert (mail["status"], mail["names"], mail["consent"]) == ("prospect", {"name": "Sample"}, {"email": True})
    assert (mail["open_cart"]["skus"], [p["kind"] for p in mail["open_promises"]]) == (["lamp"], ["callback"])

    tell(line(5, 99.9, "logged_in", PHONE, MAIL))
    whole = till.ask("phone/+380670007001").json()
    _as_clickhouse_says(running_stack, whole)
    assert (whole["ltv"]["orders"], whole["ltv"]["revenue"], whole["open_cart"]["skus"]) == (2, "28.0000", ["lamp"])
    assert [order["order_id"] for order in whole["last_orders"]] == ["look-2", "look-1"]
    for path in (f"person/{mail['person_id']}", f"person/{whole['person_id']}", "email/look.up@example.com"):
        found = till.ask(path).json()
        assert {**found, "as_of": ""} == {**whole, "as_of": ""}

    onethread("erase", "email:look.up@example.com", "--reason", "asked", "--yes")
    for path in (f"person/{whole['person_id']}", "email/look.up@example.com", "phone/+380670007001"):
        assert till.ask(path).status_code == 404


def _as_clickhouse_says(addresses: Addresses, found: dict[str, Any]) -> None:
    """Every figure that both tell is the same; of each list the ids."""
    shown = profile(connect(addresses.clickhouse_url), UUID(found["person_id"]))
    person = shown.person
    same = ("known", "shared", "status", "unnoticed_by", "preferences", "consent", "home_store_id", "devices")
    assert {name: found[name] for name in same} == {name: person[name] for name in same}
    assert (found["ltv"]["orders"], found["ltv"]["revenue"]) == (person["orders"], str(person["revenue"]))
    assert {(i["kind"], i["value"], i["last_seen_at"]) for i in found["identifiers"]} == {
        (i["kind"], i["value"], i["last_seen_at"].isoformat()) for i in shown.identifiers}
    assert {p["promise_id"]: p["status"] for p in found["open_promises"]} == {
        p["promise_id"]: p["status"] for p in shown.open_promises}
    last = shown.journeys[-1]
    assert (found["resume"]["journey_id"], found["resume"]["outcome"], found["resume"]["stage"]) == (
        str(last["journey_id"]), last["outcome"], last["stage"])
    assert {order["order_id"]: order["status"] for order in found["last_orders"]} == {
        order["order_id"]: order["status"] for order in shown.orders}
