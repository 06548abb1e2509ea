"""The graph's promises on literal events; orders, repeats and restarts at random are tests/properties."""

from streams.core.event import Event
from streams.core.messages import observe
from streams.core.partition import merges
from streams.core.policy import default
from tests.oracle.build import event
from tests.unit.streams.core.graphs import MINUTE, Graph

A, B, TABLET = ("customer_id", "a"), ("customer_id", "b"), ("device_id", "t")


def test_a_login_makes_cookie_and_customer_one_person_with_the_older_id() -> None:
    graph = Graph().see(event("1", 0, "anonymous_id:c"), event("2", MINUTE, "anonymous_id:c", "customer_id:a"))
    assert graph.person("anonymous_id", "c") == graph.person("customer_id", "a")
    assert [row[0] for row in graph.rows("persons")] == [graph.person("anonymous_id", "c")]
    assert graph.person("anonymous_id", "c")[:6] == graph.keys.node(("anonymous_id", "c"))[:6]


def test_the_same_rows_for_both_orders_of_two_events() -> None:
    first, second = event("1", 0, "anonymous_id:c"), event("2", MINUTE, "anonymous_id:c", "customer_id:a")
    one, other = Graph().see(first, second), Graph().see(second, first)
    for table in ("persons", "identifiers", "touchpoints", "sessions", "visits", "identifier_sightings"):
        assert one.rows(table) == other.rows(table)


def test_a_merge_is_told_with_its_event() -> None:
    graph = Graph().see(event("1", 0, "phone:p"), event("2", 1, "email:e"), event("3", 2, "phone:p", "email:e"))
    (merge,) = graph.rows("merges")
    assert merge[0] == graph.person("phone", "p")
    assert merge[2:] == ("merged", "3", 1002, "email with phone")


def test_pointers_lead_to_the_smallest_key() -> None:
    graph = Graph(3).see(event("1", 0, "phone:p", "email:e"), event("2", 1, "email:e", "device_id:d"))
    members = [("phone", "p"), ("email", "e"), ("device_id", "d")]
    assert {graph.root(m) for m in members} == {min(members, key=graph.keys.node)}


def test_an_identifier_of_too_many_people_is_a_pseudo_person() -> None:
    events = [event(str(n), n, "email:till", f"loyalty_card:card{n}") for n in range(5)]
    graph = Graph().see(*events)
    shared = {row[1]: row[4] for row in graph.rows("identifiers")}
    assert shared == {"email": True, "loyalty_card": False}
    assert len({graph.person("loyalty_card", f"card{n}") for n in range(5)}) == 5
    assert sum(1 for row in graph.rows("persons") if row[2]) == 1


def test_a_cashiers_own_card_is_busy_on_one_day() -> None:
    events = [
        event(str(n), n, "loyalty_card:own", order={"order_id": f"o{n}"}, type="order_placed") for n in range(21)
    ]
    assert Graph().see(*events[:20]).rows("identifiers")[0][4] is False
    shared = {row[1:3]: row[4] for row in Graph().see(*events).rows("identifiers")}
    assert shared["loyalty_card", "own"] is True


def test_an_evening_on_the_family_tablet_goes_to_whoever_had_logged_in() -> None:
    graph = Graph().see(
        event("1", 0, "device_id:t", "customer_id:a"),
        event("2", 10, "device_id:t"),
        event("3", 20, "device_id:t", "customer_id:b"),
        event("4", 30, "device_id:t"),
    )
    owner = {row[1]: row[0] for row in graph.rows("touchpoints")}
    assert owner["1"] == owner["2"] == graph.person("customer_id", "a")
    assert owner["3"] == owner["4"] == graph.person("customer_id", "b")
    assert {row[2]: row[5] for row in graph.rows("identifiers")} == {"a": False, "b": False, "t": True}


def test_a_late_event_between_two_sessions_joins_them() -> None:
    graph = Graph().see(event("1", 0, "phone:p"), event("2", 50 * MINUTE, "phone:p"))
    assert len(graph.rows("sessions")) == 2
    graph.see(event("3", 25 * MINUTE, "phone:p"))
    assert [row[2:5] for row in graph.rows("sessions")] == [(0, 50 * MINUTE, 3)]


def _copies(graph: Graph) -> list[tuple[int, int]]:
    return [row[17:19] for row in graph.rows("touchpoints")]


def test_a_repeat_from_another_position_is_a_copy_and_a_replay_is_not() -> None:
    first = event("1", 0, "phone:p", offset=1)
    assert _copies(Graph().see(first, first)) == [(1, 0)]
    assert _copies(Graph().see(first, event("1", 0, "phone:p", offset=2))) == [(2, 0)]


def test_of_conflicting_copies_the_smaller_digest_stays_whichever_came_first() -> None:
    copies = [event("1", 0, "phone:p", channel="web", offset=1), event("1", 0, "phone:p", channel="app", offset=2)]
    winner = min(copies, key=lambda e: e.digest)
    for order in (copies, copies[::-1]):
        (row,) = Graph().see(*order).rows("touchpoints")
        assert row[7] == winner.channel
        assert row[17:19] == (2, 1)


def test_a_restart_in_the_middle_changes_nothing() -> None:
    events: list[Event] = [
        event("1", 0, "anonymous_id:c"), event("2", MINUTE, "anonymous_id:c", "customer_id:a"),
        event("3", 2 * MINUTE, "customer_id:a", "phone:p"), event("4", 90 * MINUTE, "phone:p"),
    ]
    straight, restarted = Graph(3).see(*events), Graph(3)
    for e in events:
        restarted.see(e)
        restarted.restart()
    assert straight.kept == restarted.kept
    assert straight.stores == restarted.stores


def test_one_sighting_by_a_sensor_makes_no_person() -> None:
    graph = Graph().see(event("1", 0, "phone:p", "face_id:f"))
    assert graph.person("phone", "p") != graph.person("face_id", "f")
    graph.see(event("2", 1, "phone:p", "face_id:f"))
    assert graph.person("phone", "p") == graph.person("face_id", "f")


def test_an_identifier_that_moves_between_living_persons_is_a_split() -> None:
    assert [m.action for m in merges({A: b"1", TABLET: b"1", B: b"2"}, {A: b"1", TABLET: b"2", B: b"2"})] == [
        "split"
    ]


def test_an_event_arrives_once_wherever_it_is_kept_later() -> None:
    """When its anchor turns out to be shared, it moves to another keeper."""
    own = ("loyalty_card", "own")
    events = [
        event(str(n), n, "loyalty_card:own", f"email:e{n}", order={"order_id": f"o{n}"}, type="order_placed")
        for n in range(21)
    ]
    assert {observe(e, default()).to for e in events} == {own}
    graph = Graph(4).see(*events, *events)
    assert own not in {observe(e, default(), [(own, 1)]).to for e in events}, "no longer kept there"
    assert sorted(graph.arrived) == [(e.at_ms, e.received_ms) for e in events]
