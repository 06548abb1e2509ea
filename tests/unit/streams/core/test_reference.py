"""Reference records: what a line of a file may say, and what it becomes."""

import json
from decimal import Decimal
from typing import Any

import pytest

from schemas.records import REFERENCE
from streams.core import reference
from streams.core.refusal import Reason, Refusal

STOCK = {"sku": "mug", "store_id": "S1", "available": "3.5", "price": "12.50", "currency": "UAH",
         "expected_at": "2026-03-01T10:00:00+02:00"}


def made(name: str, **given: Any) -> dict[str, Any]:
    table = reference.TABLES[name]
    row = reference.row(table, reference.record(table, given))
    return dict(zip((column.name for column in table.columns), row, strict=True))


def test_a_line_becomes_a_row_with_scaled_amounts_and_defaults() -> None:
    assert made("stock", **STOCK) == {
        "sku": "mug", "store_id": "S1", "available": 35_000, "reserved": 0, "incoming": 0,
        "expected_at": 1_772_352_000_000, "price": 125_000, "currency": "UAH", "at": None,
    }
    assert made("campaign_costs", day="2026-03-01", source="meta", cost="9", currency="EUR", clicks="7") == {
        "day": 20_513, "source": "meta", "medium": "", "name": "", "impressions": None, "clicks": 7, "cost": 90_000,
        "currency": "EUR",
    }
    assert made("staff", id="op-1", skills="chat; phone;chat") == {
        "id": "op-1", "name": None, "role": None, "team": None, "skills": ["chat", "phone"],
    }
    assert made("rates", day="2026-03-01", currency="VND", rate="0.000034567891")["rate"] == Decimal("0.000034567891")


@pytest.mark.parametrize(("name", "given", "reason"), [
    ("stores", {"store_id": ""}, Reason.MISSING_FIELD),
    ("stores", {"store_id": "S1", "town": "Kyiv"}, Reason.UNKNOWN_FIELD),
    ("stores", {"store_id": "S1", "zone": "Kyiv"}, Reason.BAD_VALUE),
    ("stores", {"store_id": "S" * 1001}, Reason.BAD_VALUE),
    ("stores", {"store_id": True}, Reason.BAD_VALUE),
    ("products", {"sku": "mug", "cost": "1"}, Reason.MISSING_FIELD),
    ("products", {"sku": "mug", "cost": "1,5", "currency": "EUR"}, Reason.BAD_AMOUNT),
    ("products", {"sku": "mug", "cost": "-1", "currency": "EUR"}, Reason.BAD_AMOUNT),
    ("products", {"sku": "mug", "cost": "1", "currency": "eur"}, Reason.BAD_VALUE),
    ("stock", STOCK | {"at": "2026-03-01T10:00:00"}, Reason.BAD_TIME),
    ("stock", STOCK | {"at": "soon"}, Reason.BAD_TIME),
    ("stock", STOCK | {"at": "5"}, Reason.BAD_TIME),
    ("campaign_costs", {"day": "01.03.2026", "source": "meta", "cost": "9", "currency": "EUR"}, Reason.BAD_TIME),
    ("campaign_costs", {"day": "1999-12-31", "source": "meta", "cost": "9", "currency": "EUR"}, Reason.BAD_TIME),
    ("campaign_costs", {"day": "2026-03-01", "source": "m", "cost": "9", "currency": "EUR", "clicks": "many"},
     Reason.BAD_VALUE),
    ("campaign_costs", {"day": "2026-03-01", "source": "m", "cost": "9", "currency": "EUR", "clicks": str(2**63)},
     Reason.BAD_VALUE),
    ("rates", {"day": "2026-03-01", "currency": "UAH", "rate": "0"}, Reason.BAD_AMOUNT),
    ("rates", {"day": "2026-03-01", "currency": "UAH", "rate": "100000000"}, Reason.BAD_AMOUNT),
    ("rates", {"day": "2026-03-01", "currency": "UAH", "rate": "0.0000000000001"}, Reason.BAD_AMOUNT),
    ("staff", {"id": "op-1", "skills": [1]}, Reason.BAD_VALUE),
])
def test_what_is_wrong_is_refused_with_its_reason(name: str, given: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Refusal) as caught:
        made(name, **given)
    assert caught.value.reason == reason


def test_a_key_is_a_list_of_texts_and_leads_back_to_the_keys_columns() -> None:
    table = reference.TABLES["campaign_costs"]
    row = (20_513, "meta", "", "весна", None, None, 0, "EUR")
    key = reference.key(table, row)
    assert key.decode() == '["2026-03-01","meta","","весна"]'
    assert reference.key_of(table, key) == row[:4]
    for bad in (None, b"", b"S1", b'["2026-03-01"]', b'["2026-03-01","a","b",1]', b'{"a":1}', b"\xff"):
        with pytest.raises(Refusal, match=r"^key: "):
            reference.key_of(table, bad)


@pytest.mark.parametrize("name", reference.TABLES)
def test_the_avro_record_has_the_columns_and_the_defaults_of_the_table(name: str) -> None:
    fields = {field["name"]: field for field in json.loads(REFERENCE[name].text)["fields"]}
    table = reference.TABLES[name]
    assert list(fields) == [column.name for column in table.columns]
    defaults = {column: default for (of, column), default in reference._DEFAULTS.items() if of == name}
    optional = {column.name: None for column in table.columns if column.type.endswith("?")}
    assert {n: field["default"] for n, field in fields.items() if "default" in field} == optional | defaults


def test_records_pass_their_codec_unchanged() -> None:
    told = reference.record(reference.TABLES["stock"], STOCK)
    assert REFERENCE["stock"].decode(REFERENCE["stock"].encode(told)) == told
