"""Erasure on literal events: who goes, what stays, and what a late copy brings."""

from streams.core.commands import Erasing, judge
from streams.core.erasing import FOR_EVER_MS, Cut, Drop, Erase, Sleep, Wake
from streams.core.event import Identifier, pack
from streams.core.keys import sealed
from streams.core.messages import Status, observe
from streams.core.policy import default
from streams.core.traces import SUPPRESSED
from tests.oracle.build import event
from tests.unit.streams.core.graphs import Graph

NOW_MS = 10_000


def erase(graph: Graph, x: Identifier, until_ms: int = NOW_MS, name: str = "x1") -> Graph:
    key = graph.keys.node(x)
    graph.work([Erase(sealed(key), 0, key, until_ms, (name, NOW_MS))])
    return graph



def touched(graph: Graph) -> list[str]:
    return sorted(row[1] for row in graph.rows("touchpoints"))


ADA, BOB = event("1", 1, "email:a", "device_id:d"), event("2", 2, "email:b")


def test_the_person_goes_as_a_whole_and_others_stay() -> None:
    graph = erase(Graph().see(ADA, BOB, event("3", 3, "device_id:d")), ("device_id", "d"))
    assert touched(graph) == ["2"]
    assert {row[2] for row in graph.rows("identifiers")} == {"b"}
    assert len(graph.rows("erased_records")) == 2
    assert {row[1] for row in graph.rows("erased_identifiers")} == {
        graph.keys.node(x) for x in (("email", "a"), ("device_id", "d"))}


def test_a_late_copy_is_counted_and_brings_nothing_back() -> None:
    graph = erase(Graph().see(ADA), ("email", "a"))
    copy = event("1", NOW_MS * 9, "email:a", "device_id:d", offset=77)
    graph.see(copy)
    assert touched(graph) == []
    assert copy.position in graph.rows("erased_records")


def test_what_was_received_before_and_comes_later_is_erased_too() -> None:
    graph = erase(Graph(), ("email", "a")).see(event("1", 1, "email:a"))
    assert (touched(graph), len(graph.rows("erased_records"))) == ([], 1)


def test_later_events_start_anew() -> None:
    graph = erase(Graph().see(ADA), ("email", "a")).see(event("9", NOW_MS + 1, "email:a"))
    assert touched(graph) == ["9"]
    assert [row[2] for row in graph.rows("identifiers")] == ["a"]


def test_an_identifier_is_taken_out_of_events_of_others() -> None:
    """The tablet's logins are two persons'; the second's event loses the first's card."""
    graph = Graph().see(
        event("1", 1, "customer_id:m", "device_id:t"), event("2", 2, "customer_id:d", "device_id:t"),
        event("3", 3, "customer_id:d", "customer_id:m"),
    )
    erase(graph, ("customer_id", "m"))
    assert ("customer_id", "m") not in {row[1:3] for row in graph.rows("identifiers")}
    named = {node for row in graph.rows("touchpoints") for node in row[19]}
    assert graph.keys.node(("customer_id", "m")) not in named


def test_what_was_shared_by_partners_that_are_gone_is_shared_no_more() -> None:
    graph = Graph().see(*(event(str(n), n, "device_id:k", f"email:e{n}") for n in range(4)))
    assert [row[2] for row in graph.rows("identifiers") if row[4]] == ["k"]
    erase(graph, ("email", "e0"))
    assert not [row[2] for row in graph.rows("identifiers") if row[4]]


def test_nothing_is_kept_of_who_is_suppressed() -> None:
    graph = erase(Graph().see(ADA), ("email", "a"), FOR_EVER_MS).see(event("9", NOW_MS + 1, "email:a"))
    assert touched(graph) == []
    for store in graph.stores:
        held = {value for key, value in store.items() if key.startswith(SUPPRESSED)}
        assert held == {graph.keys.node(("email", "a")), graph.keys.node(("device_id", "d"))}


def test_no_record_of_the_state_names_who_was_erased() -> None:
    told = event("1", 1, "email:forgotten@example.com", "device_id:forgotten-device")
    graph = erase(Graph().see(told), ("email", "forgotten@example.com"))
    assert not [key for store in graph.stores for key, value in store.items() if b"forgotten" in value]


def test_an_old_answer_that_comes_twice_names_nobody_again_and_makes_nobody_nameless() -> None:
    forgotten, back = ("email", "forgotten@example.com"), ("email", "back@example.com")
    graph = erase(Graph().see(event("1", 1, "email:forgotten@example.com")), forgotten)
    erase(graph.see(event("2", 2, "email:back@example.com")), back, name="x2").see(
        event("9", NOW_MS + 1, "email:back@example.com"))
    graph.work([Wake(forgotten, 0, NOW_MS, ("x1", NOW_MS), is_answer=True)])
    graph.work([Sleep(sealed(graph.keys.node(back)), 0, ("x2", NOW_MS), is_answer=True)])
    named = {name for name in (b"forgotten", b"back") for store in graph.stores for key, value in store.items()
             if key.startswith(b"n") and name in value}
    assert named == {b"back"}


def test_a_command_tells_whom_by_a_key_and_until_when() -> None:
    key = Graph().keys.node(("email", "a"))
    record = {
        "command_id": "c-1", "at": 1, "verb": "erase", "a": None, "b": None, "reason": "asked",
        "document": f'{{"node": "{key.hex()}", "months": [{{"month": "2026-02", "currency": "EUR", "touchpoints": 0, '
                    '"orders": 1, "revenue": 125000}]}',
    }
    judged = judge(record, 7, 5, default(), "")
    assert judged == Erasing(
        Erase(sealed(key), 0, key, 5, ("c-1", 5)), [("c-1", "2026-02", "EUR", 5, 0, 1, 125_000)])
    for document in (None, "", "{}", '{"node": "00"}', f'{{"node": "{key.hex()}", "name": "x"}}'):
        refused = judge(record | {"document": document}, 7, 5, default(), "")
        assert not isinstance(refused, Erasing)


def test_a_value_that_is_blocked_is_everybodys_also_after_an_erasure_that_came_before_it() -> None:
    graph = erase(Graph(), ("device_id", "0"), until_ms=0).see(event("1", 1, "device_id:0"))
    assert [(row[2], row[4]) for row in graph.rows("identifiers")] == [("0", True)]


def test_a_keeper_of_once_forgets_the_names_of_an_event_that_lost_them() -> None:
    """It told what it was seen with, the event went elsewhere, and what comes of it is only that it lost a name."""
    graph, device, customer = Graph(1), ("device_id", "d"), ("customer_id", "c")
    weak = event("1", 1, "customer_id:c@0.5", "device_id:d@0.5")
    graph.work([observe(weak, default(), [(customer, 1)])])
    graph.work([Status(device, 0, customer, 2, ("2", 2))])
    assert names_in(graph, device, customer), "told while it was kept there"
    keys = tuple(map(graph.keys.node, (customer, device)))
    graph.work([Drop(device, 0, keys[1], (Cut("1", keys, keys[:1]),), ("x1", NOW_MS))])
    assert not names_in(graph, device, customer)


def test_a_claim_that_came_before_its_cluster_is_known_when_the_cluster_comes() -> None:
    """It comes once, so it is kept by key while nothing here names whom it is about."""
    graph, device, email = Graph(1), ("device_id", "d"), ("email", "a@b.co")
    graph.see(event("1", 1, "device_id:d", "customer_id:c"))
    root = graph.root(device)
    graph.work([Drop(root, 0, graph.keys.node(email), (Cut("gone", (), ()),), ("x1", NOW_MS))])
    graph.work([Status(root, 0, email, 3, ("2", 2))])
    assert not names_in(graph, root, email)
    graph.see(event("2", 2, "device_id:d", "email:a@b.co"))
    assert [row[4] for row in graph.rows("identifiers") if row[1] == "email"] == [True]


def names_in(graph: Graph, of: Identifier, x: Identifier) -> bool:
    """Whether the record of one identifier's node names another."""
    return pack(x)[1:] in graph.stores[0][b"n" + graph.keys.node(of)]
