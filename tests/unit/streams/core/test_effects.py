from streams.core.effects import ROWS_MAX, Effects
from streams.core.facts import decode, encode


def test_facts_leave_packed_by_table_with_versions_first() -> None:
    effects = Effects(facts={
        ("person_channels", b"p", "web"): (7, (b"p", "web", 1, 1, 1, 0, 1, 1)),
        ("orders", b"p", "o"): (8, None),
        ("person_channels", b"p", "app"): (9, None),
    })
    channels, orders = (decode(encode(facts)) for facts in effects.packed_facts())
    assert (channels.table, channels.upserts, channels.tombstones) == (
        "person_channels", [[7, b"p", "web", 1, 1, 1, 0, 1, 1]], [[9, b"p", "app"]],
    )
    assert (orders.table, orders.upserts, orders.tombstones) == ("orders", [], [[8, b"p", "o"]])


def test_a_record_holds_no_more_rows_than_it_may() -> None:
    facts = {("orders", b"p", str(n)): (n, None) for n in range(ROWS_MAX + 1)}
    assert [len(f.tombstones) for f in Effects(facts=dict(facts)).packed_facts()] == [ROWS_MAX, 1]


def test_times_of_what_arrived_go_with_the_last_rows_that_show_it() -> None:
    touchpoints = {("touchpoints", b"p", str(n)): (n, (b"p", str(n))) for n in range(ROWS_MAX + 1)}
    effects = Effects(facts={**touchpoints, ("orders", b"p", "o"): (8, None)}, arrived=[(1, 2)])
    found = [(f.table, len(f.upserts), f.arrived) for f in map(decode, map(encode, effects.packed_facts()))]
    assert found == [("touchpoints", ROWS_MAX, []), ("touchpoints", 1, [(1, 2)]), ("orders", 0, [])]


def test_what_arrived_without_a_touchpoint_goes_with_whatever_leaves_last() -> None:
    effects = Effects(facts={("persons", b"p"): (1, None), ("orders", b"p", "o"): (8, None)}, arrived=[(1, 2)])
    assert [f.arrived for f in effects.packed_facts()] == [[], [(1, 2)]]
