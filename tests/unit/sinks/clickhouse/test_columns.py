"""The physical tables follow the facts, and rows arrive in them as they were sent."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sinks.clickhouse.columns import TABLES, Rows, clickhouse_type, flat_columns, physical, to_arrow
from streams.core.event import pack, unpack
from tests.unit.sinks.clickhouse.conftest import Engine, person, row


@pytest.mark.parametrize("name", TABLES)
def test_the_migrations_make_the_columns_and_the_key_of_the_facts(engine: Engine, name: str) -> None:
    table = TABLES[name]
    expected = [(column.name, clickhouse_type(column)) for column in flat_columns(table)]
    assert engine.rows(
        f"SELECT name, type FROM system.columns WHERE database = 'onethread' AND table = '{physical(name)}'"
        " ORDER BY position"
    ) == [*expected, ("version", "UInt64"), ("is_deleted", "UInt8")]
    assert engine.rows(
        "SELECT engine_full LIKE 'ReplacingMergeTree(version, is_deleted) %', trim(BOTH '()' FROM sorting_key)"
        f" FROM system.tables WHERE database = 'onethread' AND name = '{physical(name)}'"
    ) == [(1, ", ".join(column.name for column in table.columns[:table.key]))]


@pytest.mark.parametrize("name", TABLES)
def test_a_row_of_examples_fits_every_table(engine: Engine, name: str) -> None:
    engine.write(name, row(name))
    assert engine.rows(f"SELECT count() FROM onethread.{physical(name)} FINAL") == [(1,)]


def test_values_come_back_as_they_were_sent(engine: Engine) -> None:
    person_id = uuid.UUID("01020304-0506-0708-090a-0b0c0d0e0f10")
    engine.write("touchpoints", row(
        "touchpoints", person_id=person_id.bytes, occurred_at=1_767_225_600_001, store_id="Магазин 1", cost=12_345,
        skus=["a", "b"], properties={"url": "/x"}, campaign_name=None,
    ))
    assert engine.rows(
        "SELECT person_id, occurred_at, store_id, cost, skus, properties, campaign_name, session_id"
        " FROM onethread.touchpoints"
    ) == [(person_id, datetime(2026, 1, 1, 0, 0, 0, 1000, UTC).replace(tzinfo=None), "Магазин 1", Decimal("1.2345"),
           ["a", "b"], {"url": "/x"}, None, None)]


def test_of_each_key_only_the_largest_version_leaves() -> None:
    table = TABLES["persons"]
    arrow = to_arrow(table, [
        Rows("persons", [row("persons", 2, person_id=person(1)), row("persons", 1, person_id=person(1))],
             [[3, person(2)]]),
        Rows("persons", [row("persons", 2, person_id=person(2))]),
    ])
    assert arrow.select(["person_id", "version", "is_deleted"]).to_pylist() == [
        {"person_id": person(1), "version": 2, "is_deleted": 0},
        {"person_id": person(2), "version": 3, "is_deleted": 1},
    ]


@pytest.mark.parametrize(("column", "value"), [
    ("first_seen_at", "secret"), ("first_seen_at", None), ("touchpoints", -1), ("channels", 5),
    ("identifier_kinds", [1]), ("person_id", b"short"), ("known", None),
])
def test_a_value_of_the_wrong_type_names_the_column_and_not_the_value(column: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"^persons.{column}: ") as caught:
        to_arrow(TABLES["persons"], [Rows("persons", [row("persons", **{column: value})])])
    assert "secret" not in str(caught.value)


def test_what_an_earlier_release_packed_is_filled_up() -> None:
    told = row("touchpoints", source="shop", unavailable=["x"])
    whole = unpack(told[-1])
    told[-1] = pack(whole[:15])
    arrow = to_arrow(TABLES["touchpoints"], [Rows("touchpoints", [told])])
    assert arrow.select(["source", "properties", "unavailable", "score"]).to_pylist() == [
        {"source": "shop", "properties": list(whole[14].items()), "unavailable": [], "score": None}]
