"""Mapping files: what a row becomes, what is left out, and that a wrong file is found before the first row."""

import json
from typing import Any

import pytest

from connectors.files.errors import MappingError
from connectors.files.mapping import Mapping, find, parse
from streams.core.refusal import Reject

HEAD = """
[common]
channel = "pos"
type = "order_placed"
event_id = "e{number}"
occurred_at = "{at}"
"""
AT = "2026-02-05T10:00:00+02:00"


def mapping(body: str, head: str = HEAD + "[[events]]\n") -> Mapping:
    return parse(head + body, "m")


def event(body: str, **row: Any) -> dict[str, Any]:
    """The one event of a row, without what HEAD gives."""
    found, = mapping(body).events({"number": "1", "at": AT, **row})
    assert isinstance(found, dict), found
    return {key: value for key, value in found.items() if key not in ("channel", "type", "event_id", "occurred_at")}


def test_constants_and_columns_become_the_types_of_their_fields() -> None:
    told = event(
        """
        device = "pos"
        identifiers = [
            { kind = "phone", value = "{phone}", confidence = "{sure}" }, { kind = "email", value = "{mail}" },
        ]
        place.store_id = "{store}"
        message.duration_ms = "{seconds|ms}"
        consent = { sms = "{sms}", mail = true }
        order = { order_id = "o{number}", total = "{total}", currency = "UAH" }
        properties = { note = "{note}" }
        """,
        phone="+380670001201", sure="0.8", mail="", store="S1", seconds="1.5", sms="yes", total="12.50", note="",
    )
    assert told == {
        "device": "pos", "identifiers": [{"kind": "phone", "value": "+380670001201", "confidence": 0.8}],
        "place": {"store_id": "S1"}, "message": {"duration_ms": 1500}, "consent": {"sms": True, "mail": True},
        "order": {"order_id": "o1", "total": "12.5", "currency": "UAH"},
    }


def test_a_part_whose_columns_are_all_empty_is_left_out_with_its_constants() -> None:
    assert event('loyalty = { programme = "main", tier = "{tier}", balance = "{points}" }', tier="", points="") == {}
    assert event('loyalty = { programme = "main" }') == {"loyalty": {"programme": "main"}}


def test_of_several_texts_the_first_that_gives_something_counts() -> None:
    body = 'language = ["{a}", "{b}", "en"]'
    assert [event(body, **row)["language"] for row in ({"a": "uk", "b": "de"}, {"b": "de"}, {})] == ["uk", "de", "en"]


def test_lists_from_lists_from_texts_and_sums() -> None:
    told = event(
        """
        order.order_id = "o{number}"
        order.items = { each = "lines", when = { kind = "goods" }, item = { sku = "{code}", quantity = "{n}" } }
        return.amount = { each = "lines", sum = "{price|abs}", when = { kind = "goods" } }
        identifiers = [{ each = "phones", split = ";", item = { kind = "phone", value = "{#each}" } }]
        """,
        lines=[{"code": "a", "n": "2", "price": "-1.10", "kind": "goods"}, {"code": "b", "kind": "fee", "price": 5},
               {"code": "c", "n": 1, "price": "2.2", "kind": "goods"}],
        phones="1; 2;",
    )
    assert told == {
        "order": {"order_id": "o1", "items": [{"sku": "a", "quantity": "2"}, {"sku": "c", "quantity": "1"}]},
        "return": {"amount": "3.3"}, "identifiers": [{"kind": "phone", "value": "1"}, {"kind": "phone", "value": "2"}],
    }


def test_a_row_gives_the_event_of_every_case_that_holds_joined_with_what_is_common() -> None:
    two = mapping("""
        [[events]]
        when = { paid = "*" }
        type = "order_paid"
        order.order_id = "{number}"
        [[events]]
        when = { kind = "sale" }
        order.order_id = "{number}"
        """, HEAD + 'place = { store_id = "S1" }\n')
    told = two.events({"number": "1", "at": AT, "paid": "x", "kind": "sale"})
    assert [(e["type"], e["place"], e["order"]) for e in told if isinstance(e, dict)] == [
        ("order_paid", {"store_id": "S1"}, {"order_id": "1"}), ("order_placed", {"store_id": "S1"}, {"order_id": "1"}),
    ]


def test_a_row_without_an_event_is_refused_unless_it_is_said_to_mean_nothing() -> None:
    found = mapping('[[skip]]\nkind = "open"\n[[events]]\nwhen = { kind = "sale" }\n', HEAD)
    refused, = found.events({"kind": "other"})
    assert isinstance(refused, Reject)
    assert str(refused.reason) == "bad_value"
    assert found.events({"kind": "open"}) == []


def test_one_event_that_is_refused_does_not_stop_the_others_of_its_row() -> None:
    body = '[[events]]\norder.total = "{total}"\norder.order_id = "1"\n[[events]]\ntype = "store_visited"'
    found = mapping(body, HEAD)
    first, second = found.events({"number": "1", "at": AT, "total": "much"})
    assert isinstance(first, Reject)
    assert (str(first.reason), first.detail.split(":")[0]) == ("bad_amount", "order.total")
    assert isinstance(second, dict)


def test_what_may_be_a_cards_number_is_not_kept() -> None:
    found = mapping('identifiers = [{ kind = "payment_token", value = "{token}" }]')
    row = {"token": "4111 1111-1111 1111", "rows": [{"token": "4111111111111111"}, {"token": "tok-8f31"}], "phone": "1"}
    assert json.loads(found.raw(row)) == {
        "token": None, "rows": [{"token": None}, {"token": "tok-8f31"}], "phone": "1",
    }


def test_rows_of_reference_records() -> None:
    found = parse("""
        reference = "campaign_costs"
        [file]
        decimal = ","
        times = ["%d.%m.%Y"]
        [row]
        day = "{Day}"
        source = "google"
        cost = "{Cost}"
        currency = "UAH"
        """, "costs")
    assert found.events({"Day": "05.02.2026", "Cost": "1 240,50"}) == [
        {"day": "2026-02-05", "source": "google", "cost": "1240.5", "currency": "UAH"},
    ]


@pytest.mark.parametrize(("body", "where"), [
    ("colour = 1", "events[0].colour: no such field"),
    ("order.item = []", "events[0].order.item: no such field"),
    ("order.total = 12.5", "events[0].order.total: expected a text"),
    ("identifiers = 'x'", "events[0].identifiers: expected a list"),
    ("order.items = { item = {} }", "events[0].order.items: expected each"),
    ("order.total = 'much'", "events[0].order.total: "),
    ("when = 'x'", "events[0].when: expected a table"),
    ("language = '{x|y}'", "events[0].language: no such filter"),
    ("language = []", "events[0].language: expected a text"),
    ("place = 'S1'", "events[0].place: expected a table"),
    ("consent.sms = 'perhaps'", "events[0].consent.sms: "),
    ("[[event]]", "event: expected one of"),
    ("[file]\nzone = 'Mars'", "file.zone: "),
    ("[file]\nencoding = 'runes'", "file.encoding: "),
    ("[file]\nformat = 'xls'", "file.format: "),
    ("[file]\ncolumns = ['a']", "file.columns: lacks at, number"),
    ("[values]\nx = ['a']", "values.x: "),
    ("a = [", "not valid TOML"),
])
def test_a_wrong_mapping_names_the_place(body: str, where: str) -> None:
    with pytest.raises(MappingError) as wrong:
        mapping(body)
    assert str(wrong.value).startswith(where)


def test_an_event_needs_its_id_channel_type_and_time() -> None:
    for name in ("event_id", "channel", "type", "occurred_at"):
        lines = [line for line in HEAD.splitlines() if not line.startswith(name)]
        with pytest.raises(MappingError, match=f"expected {name}"):
            parse("\n".join(lines) + "\n[[events]]", "m")


def test_a_mapping_is_a_file_or_the_name_of_a_ready_one() -> None:
    assert find("till_receipts").name == "till_receipts.toml"
    with pytest.raises(MappingError, match="no such mapping: none; expected a file, or one of ad_costs, "):
        find("none")
