"""The mapping as data, and what a deployment adds to it."""

from pathlib import Path

import pytest

from connectors.segment import decode, default, load
from connectors.segment.mapping import is_field
from streams.core.event_types import TYPES
from streams.errors import UsageError
from tests.unit.connectors.segment.samples import RECEIVED_MS, SOURCE, track


def test_without_a_file_of_its_own_a_deployment_has_ours(tmp_path: Path) -> None:
    assert load(tmp_path) is default()


def test_a_deployment_adds_rows_and_kinds_and_leaves_values_out(tmp_path: Path) -> None:
    (tmp_path / "segment.toml").write_text("""
drop = ["context.ip", "properties.debug"]

[identifiers]
"traits.club_card" = "loyalty_card"

[events."My Event"]
type = "consulted"
channel = "kiosk"
fields = { "shop" = "place.store_id", "mail" = "identifiers.email", "topic.name" = "message.topic" }

[events."Completed Order"]
type = "order_paid"
use = ["order"]
""")
    mapping = load(tmp_path)
    given = track("my event", shop="S1", mail="ann@example.com", topic={"name": "shoes"}, debug=1)
    given["context"] = {"ip": "10.0.0.1", "traits": {"club_card": "123456"}}
    events = decode(given, SOURCE, RECEIVED_MS, mapping)
    assert isinstance(events, list)
    assert events[0] | {"identifiers": None, "occurred_at": None} == {
        "event_id": "shop:m-1", "channel": "kiosk", "type": "consulted", "source": "shop", "occurred_at": None,
        "place": {"store_id": "S1"}, "message": {"topic": "shoes"}, "properties": {"event": "my event"},
        "identifiers": None,
    }
    assert [(row["kind"], row["value"]) for row in events[0]["identifiers"]] == [
        ("anonymous_id", "a-1"), ("loyalty_card", "123456"), ("email", "ann@example.com"),
    ]
    placed = decode(track("Completed Order", order_id="o-1"), SOURCE, RECEIVED_MS, mapping)
    assert isinstance(placed, list)
    assert placed[0]["type"] == "order_paid"


@pytest.mark.parametrize(("text", "named"), [
    ("[event.X]\ntype = 'a'", "`event`"),
    ("[events.X]", 'events."X": Object missing required field `type`'),
    ("[events.X]\ntype = 'a'\naliases = 'b'", 'events."X"'),
    ("[events.X]\ntype = 'a'\nset = { 'consent.a' = 1 }", 'events."X"'),
    ("[events.X]\ntype = 'a'\nsums = { 'order.total' = [[]] }", 'events."X".sums'),
    ("[calls]\npage = 7", "calls.page"),
    ("[identifiers]\nuserId = 7", "identifiers"),
    ("[line]\nsku = 'id'", "line"),
    ("[events.X]\ntype = 'My Event'", 'events."X".type'),
    ("[events.X]\ntype = 'a'\nkind = 'b'", 'events."X": Object contains unknown field `kind`'),
    ("[events.X]\ntype = 'a'\nuse = ['cards']", 'events."X".use'),
    ("[events.X]\ntype = 'a'\nfields = { a = 'order.colour' }", "order.colour"),
    ("[events.X]\ntype = 'a'\nlines = 'wishes'", 'events."X".lines'),
    ("[events.X]\ntype = 'a'\nrole = 'buyer'", 'events."X".role'),
    ("[events.X]\ntype = 'a'\nconfidence = 2", 'events."X".confidence'),
    ("events = 7", "events"),
    ("[events\n", "not valid TOML"),
])
def test_a_wrong_file_says_where(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "segment.toml").write_text(text)
    with pytest.raises(UsageError, match=r"segment\.toml") as error:
        load(tmp_path)
    assert named in str(error.value)


def test_fields_are_those_of_the_schema() -> None:
    assert all(map(is_field, ("order.delivery.carrier", "identifiers.email", "traits.x", "query", "consent.a")))
    assert not any(map(is_field, ("order", "orders.total", "identifiers", "", "identifiers.")))


def test_every_type_that_needs_more_than_an_identifier_has_a_row_that_fills_it() -> None:
    needy = {name for name, kind in TYPES.items() if kind.needs}
    rows = {row.type: row for row in default().rows}
    assert needy <= rows.keys()
    for name in needy - {"cart_updated"}:
        assert "order.order_id" in dict(map(reversed, rows[name].fields)), name  # type: ignore[arg-type]
