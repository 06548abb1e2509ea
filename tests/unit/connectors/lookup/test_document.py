"""What is told of a customer, on literal histories."""

import msgspec

from connectors.lookup.document import CONTACTS_SHOWN
from tests.oracle.build import event
from tests.unit.connectors.lookup.reads import bought, content, days_ago, told_of
from tests.unit.streams.core.graphs import Graph

ME = ("phone", "p")


def cart(name: str, days: float, *skus: str, kind: str = "cart_updated") -> object:
    body = content(skus=list(skus), amount=150_000 if skus else None, currency="EUR" if skus else None)
    return event(name, days_ago(days), "phone:p", type=kind, content=body, device="mobile")


def test_names_and_identifiers_are_of_the_whole_person() -> None:
    graph = Graph(3).see(
        event("1", days_ago(3), "phone:p", "anonymous_id:c", traits={"name": "Sample One"}),
        event("2", days_ago(2), "anonymous_id:c", traits={"name": "Sample Two"}, preferences={"contact_mode": "write"},
              consents={"sms": False}),
    )
    found = told_of(graph, ("anonymous_id", "c"))
    assert (found["known"], found["shared"], found["names"]) == (True, False, {"name": "Sample Two"})
    assert [(i["kind"], i["value"], i["last_seen_at"]) for i in found["identifiers"]] == [
        ("anonymous_id", "c", "2026-02-27T00:00:00+00:00"), ("phone", "p", "2026-02-26T00:00:00+00:00")]
    assert (found["preferences"], found["consent"]) == ({"contact_mode": "write"}, {"sms": False})


def test_a_cart_is_open_until_an_order_is_placed_or_it_is_emptied() -> None:
    left = Graph().see(cart("1", 2, "tea", "cup"))  # type: ignore[arg-type]
    assert told_of(left, ME)["open_cart"] == {
        "at": "2026-02-27T00:00:00+00:00", "channel": "web", "device": "mobile", "skus": ["tea", "cup"],
        "amount": "15", "currency": "EUR", "checkout_started": False,
    }
    assert told_of(left.see(bought("o1", 1, "phone:p")), ME)["open_cart"] is None
    emptied = Graph().see(cart("1", 2, "tea"), cart("2", 1))  # type: ignore[arg-type]
    assert told_of(emptied, ME)["open_cart"] is None


def test_a_checkout_without_goods_is_of_the_cart_before_it() -> None:
    graph = Graph().see(cart("1", 2, "tea"), cart("2", 1, kind="checkout_started"))  # type: ignore[arg-type]
    found = told_of(graph, ME)["open_cart"]
    assert (found["skus"], found["amount"], found["checkout_started"]) == (["tea"], "15", True)
    assert found["at"] == "2026-02-28T00:00:00+00:00"


def test_contacts_of_all_channels_the_latest_first_without_what_a_sensor_saw() -> None:
    told = [event(f"e{n}", days_ago(20 - n), "phone:p", channel="web" if n % 2 else "chat") for n in range(15)]
    seen = event("seen", days_ago(1), "phone:p", channel="wifi", type="wifi_seen", role="observation")
    found = told_of(Graph().see(*told, seen), ME)["last_contacts"]
    assert len(found) == CONTACTS_SHOWN
    assert [(c["at"][:10], c["channel"]) for c in found[:2]] == [("2026-02-23", "chat"), ("2026-02-22", "web")]


def test_an_open_order_stands_apart_from_one_that_is_done() -> None:
    asked = event("ask", days_ago(1), "phone:p", type="order_requested", order={"order_id": "o2"})
    done = bought("o1", 5, "phone:p")
    over = event("end", days_ago(4), "phone:p", type="order_fulfilled", role="order_fact", order={"order_id": "o1"})
    found = told_of(Graph().see(asked, done, over), ME)
    assert [(o["order_id"], o["status"]) for o in found["open_orders"]] == [("o2", "requested")]
    assert [(o["order_id"], o["status"], o["total"]) for o in found["last_orders"]] == [("o1", "fulfilled", "10")]


def test_a_promise_is_open_until_its_time_then_overdue_and_a_kept_one_is_not_told() -> None:
    graph = Graph().see(
        event("1", days_ago(3), "phone:p", type="promise_made", promise_id="late", promise_kind="refund",
              due_ms=days_ago(1)),
        event("2", days_ago(3), "phone:p", type="promise_made", promise_id="soon", promise_kind="reply",
              due_ms=days_ago(-1)),
        event("3", days_ago(3), "phone:p", type="promise_made", promise_id="kept", promise_kind="stock",
              due_ms=days_ago(-1)),
        event("4", days_ago(2), "phone:p", type="promise_kept", promise_id="kept", promise_kind="stock"),
    )
    found = told_of(graph, ME)["open_promises"]
    assert [(p["promise_id"], p["status"]) for p in found] == [("late", "overdue"), ("soon", "open")]


def test_where_they_stopped() -> None:
    graph = Graph().see(
        event("1", days_ago(2), "phone:p", type="product_viewed", content=content(skus=["lamp"])),
        event("2", days_ago(1.9), "phone:p", type="product_searched", content=content(query="lamp shade")),
        event("3", days_ago(1.8), "phone:p", channel="app", device="mobile"),
    )
    found = told_of(graph, ME)["resume"]
    assert (found["path"], found["outcome"], found["stage"], found["last_device"]) == (
        ["web", "app"], "open", "consider", "mobile")
    assert found["product"] == {
        "sku": "lamp", "at": "2026-02-27T00:00:00+00:00", "channel": "web", "type": "product_viewed"}
    assert found["query"] == "lamp shade"
    assert told_of(graph, ME, journey_gap="1d")["resume"]["outcome"] == "abandoned"


def test_of_an_identifier_of_many_people_nothing_is_told_but_that() -> None:
    graph = Graph().see(*(event(str(n), n, "email:till", f"loyalty_card:card{n}") for n in range(5)))
    found = told_of(graph, ("email", "till"))
    assert found == {"person_id": found["person_id"], "shared": True, "known": False}


def test_a_document_is_json() -> None:
    graph = Graph().see(
        bought("o1", 5, "phone:p"), cart("1", 2, "tea"),  # type: ignore[arg-type]
        event("2", days_ago(3), "phone:p", type="message_received", channel="chat", message_id="m",
              text="Good day"),
    )
    found = told_of(graph, ME)
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert found["conversation"]["messages"][0]["text"] == "Good day"
    assert found["missing"] == []
