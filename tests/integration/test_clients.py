"""The SDKs of Segment and RudderStack, unmodified, against a running stack: what they tell ends in ClickHouse.

And what a browser and a shop's server tell of one order, in Segment's words, is one person's way to it.

Those for Node come from npm into a folder that is kept between runs; without node or npm's registry their test skips.
"""

import hashlib
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

from connectors.collector import keys
from deploy.local.ports import Addresses
from deploy.local.settle import drained
from sinks.clickhouse.client import connect
from tests.integration.pipeline import await_rest

NODE = Path(__file__).parents[1] / "fixtures/node"
AT = datetime(2026, 2, 5, 10, 0, tzinfo=UTC)


class Shop:
    """A source of the running stack, and what is known of its customers."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.url = addresses.collector_url
        self.key, _ = keys.add(addresses.home, "shop", channels=("web",))

    def settle(self) -> None:
        assert drained(self.url, 60)
        await_rest(self.addresses)

    def rows(self, query: str) -> list[Any]:
        return list(connect(self.addresses.clickhouse_url).query(query).result_rows)

    def told_of(self, prefix: str) -> tuple[set[tuple[str, str]], list[str], list[Any]]:
        """(identifiers, types of touchpoints in order, orders) of the one person that a client told about."""
        (person,), = self.rows(f"SELECT person_id FROM onethread.identifiers WHERE value = '{prefix}-u-1'")
        whose = f"WHERE person_id = '{person}'"
        held = self.rows(f"SELECT kind, value FROM onethread.identifiers {whose} AND kind != 'email_sha256'")
        touches = self.rows(f"SELECT type FROM onethread.touchpoints {whose} ORDER BY type")
        orders = self.rows(
            "SELECT order_id, toString(total), currency, status, placed_channel, toString(placed_at)"
            f" FROM onethread.orders {whose}",
        )
        return {(kind, value) for kind, value in held}, [type_ for type_, in touches], orders


@pytest.fixture(scope="module")
def shop(running_stack: Addresses) -> Shop:
    return Shop(running_stack)


def expected(prefix: str) -> tuple[set[tuple[str, str]], list[str], list[Any]]:
    """What every client tells: who, and by an alias whom else that was, a page and an order."""
    held = {
        ("customer_id", f"{prefix}-u-1"), ("anonymous_id", f"{prefix}-a-1"), ("email", f"{prefix}@example.com"),
        ("order_id", f"{prefix}-o-1"), ("anonymous_id", f"{prefix}-a-0"),
    }
    orders = [(f"{prefix}-o-1", "27.5", "EUR", "placed", "web", "2026-02-05 10:00:00.000")]
    return held, ["identified", "identified", "order_placed", "page_viewed"], orders


def order(prefix: str) -> dict[str, Any]:
    return {
        "order_id": f"{prefix}-o-1", "total": 27.5, "currency": "EUR",
        "products": [{"sku": "A", "name": "Mug", "price": 13.75, "quantity": 2, "position": 1}],
    }


@pytest.fixture(scope="module")
def python(shop: Shop) -> Shop:
    """The shop after both clients for Python have told."""
    for client_of, prefix in ((Segment, "ps"), (Rudder, "pr")):
        failed: list[Any] = []
        client = client_of(shop.key, host=shop.url, gzip=True, on_error=lambda error, _, to=failed: to.append(error))
        client.identify(f"{prefix}-u-1", {"email": f"{prefix}@example.com"}, timestamp=AT)
        client.track(f"{prefix}-u-1", "Order Completed", order(prefix), timestamp=AT, anonymous_id=f"{prefix}-a-1")
        client.page(f"{prefix}-u-1", None, "Home", timestamp=AT)
        client.alias(f"{prefix}-a-0", f"{prefix}-u-1", timestamp=AT)
        client.shutdown()
        assert failed == []
    shop.settle()
    return shop


@pytest.mark.parametrize("prefix", ["ps", "pr"])
def test_clients_for_python_tell_a_person_touchpoints_and_an_order(python: Shop, prefix: str) -> None:
    assert python.told_of(prefix) == expected(prefix)


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder with the clients from npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    wanted = NODE / "package.json"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "onethread" / f"node-clients-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]}"
    if not (folder / ".ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted, folder)
        quiet = ("--no-package-lock", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")
        command = [npm, "install", *quiet]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"npm's registry does not give the clients: {done.stderr.strip()[:300]}")
        (folder / ".ready").touch()
    return folder


@pytest.fixture(scope="module")
def node(shop: Shop, modules: Path) -> Shop:
    """The shop after both clients for Node have told."""
    for which, prefix in (("SEGMENT", "ns"), ("RUDDER", "nr")):
        command = ["node", str(NODE / "send.cjs"), str(modules), shop.url, shop.key, which, prefix]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr[:2000]
    shop.settle()
    return shop


@pytest.mark.parametrize("prefix", ["ns", "nr"])
def test_clients_for_node_tell_the_same(node: Shop, prefix: str) -> None:
    """RudderStack's says that its body, JSON in gzip, is a form."""
    assert node.told_of(prefix) == expected(prefix)


LANDED = {"page": {"url": "https://shop.example/mugs?gclid=wG1&utm_campaign=spring", "referrer": "https://s.example/"}}
MUG = {"sku": "M-1", "name": "Mug", "price": 20, "quantity": 2}


def told(event: str, minute: int, who: dict[str, str], context: dict[str, Any] | None = None, **properties: Any) -> Any:
    """A track call on a day in February."""
    return {
        "type": "track", "event": event, "messageId": f"w-{event}-{minute}", "context": context or {},
        "timestamp": f"2026-02-05T10:{minute:02}:00Z", "properties": properties, **who,
    }


def test_a_browser_and_a_server_tell_one_way_to_an_order(shop: Shop) -> None:
    """They share no identifier but the number of the order, which the checkout tells before there is one."""
    visitor, customer, leaver = {"anonymousId": "w-a-1"}, {"userId": "w-u-1"}, {"anonymousId": "w-a-2"}
    page = told("x", 1, visitor, LANDED) | {"type": "page", "event": None}
    calls = [
        page,
        told("Product Viewed", 2, visitor, LANDED, sku="M-1", name="Mug", price=20, currency="EUR"),
        told("Product Added", 3, visitor, cart_id="c-1", currency="EUR", **MUG),
        told("Checkout Started", 4, visitor, order_id="w-o-1", value=40, currency="EUR", products=[MUG]),
        told("Order Completed", 5, customer, order_id="w-o-1", total=40, currency="EUR", products=[MUG]),
        told("Order Refunded", 50, customer, order_id="w-o-1", total=10, currency="EUR"),
        told("Product Added", 6, leaver, cart_id="c-2", currency="EUR", **MUG),
    ]
    for key in (shop.key, shop.key):
        answer = httpx.post(f"{shop.url}/v1/batch", json={"batch": calls}, auth=(key, ""))
        assert answer.json() == {"success": True, "accepted": len(calls), "refused": []}
    shop.settle()
    held, types, orders = shop.told_of("w")
    assert held == {("customer_id", "w-u-1"), ("anonymous_id", "w-a-1"), ("order_id", "w-o-1"), ("click_id", "wG1")}
    assert len(types) == 6, "what was sent twice is there once"
    assert [row[:5] for row in orders] == [("w-o-1", "40", "EUR", "partly_returned", "web")]
    assert shop.rows(
        "SELECT outcome, toString(revenue), start_campaign_source, start_campaign_name, path FROM onethread.journeys"
        " WHERE order_id = 'w-o-1'",
    ) == [("converted", "30", "google", "spring", ["web"])]
    assert shop.rows(
        "SELECT c.outcome, c.skus FROM onethread.abandoned_carts AS c INNER JOIN onethread.identifiers AS i"
        " ON i.person_id = c.person_id WHERE i.value IN ('w-a-1', 'w-a-2')",
    ) == [("lost", ["M-1"])]
