"""Texts with columns in them: what they give, and that half of a text is nothing."""

import pytest

from connectors.files.errors import MappingError
from connectors.files.texts import HASH, Words, digest, number, text
from streams.core.refusal import Refusal

WORDS = Words(frozenset({"", "NULL"}), {"method": {"cash": "cash", "*": "other"}, "strict": {"a": "b"}})
ROW = {"store": "S1", "number": " 7 ", "empty": "", "null": "NULL", "name": "Київ", "deep": {"list": [{"id": 5}]}}


def told(source: str, row: dict[str, object] = ROW) -> str:
    return text(source, WORDS, "here").ask(row)


def test_columns_stand_in_a_text_without_the_spaces_around_them() -> None:
    assert told("till:{store}/{number}") == "till:S1/7"


@pytest.mark.parametrize("column", ["empty", "null", "absent", "deep.list.9.id"])
def test_a_text_with_an_empty_column_gives_nothing_but_an_optional_one_may_be_empty(column: str) -> None:
    assert told(f"x{{{column}}}") == ""
    assert told(f"x{{{column}?}}") == "x"


def test_a_path_leads_into_nested_json_and_a_name_with_dots_comes_first() -> None:
    assert told("{deep.list.0.id}") == "5"
    assert told("{deep.list.0.id}", {"deep.list.0.id": "flat", **ROW}) == "flat"


def test_braces_are_doubled_to_stand_for_themselves() -> None:
    assert told("{{{store}}}") == "{S1}"


@pytest.mark.parametrize(("source", "value", "expected"), [
    ("{x|lower}", "ÄB", "äb"), ("{x|upper}", "ab", "AB"), ("{x|digits}", "a1-2", "12"), ("{x|abs}", "-12,50", "12,50"),
    ("{x|abs}", "−3", "3"), ("{x|ms}", "1.5", "1500"), ("{x|round:2}", "0,335", "0.34"), ("{x|minus:y}", "10", "7"),
    ("{x|match:/(\\d+)-}", "SIP/101-0002a", "101"), ("{x|match:[0-9]+}", "ab12", "12"), ("{x|match:z}", "ab", ""),
    ("{x|method}", "CASH", "cash"), ("{x|method}", "barter", "other"), ("{x|lower|method}", "Cash", "cash"),
    ("{x|sha256}", "a", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
])
def test_filters(source: str, value: str, expected: str) -> None:
    assert told(source, {"x": value, "y": "3"}) == expected


def test_a_value_that_a_table_does_not_have_is_refused_without_being_told() -> None:
    with pytest.raises(Refusal) as refused:
        told("{x|strict}", {"x": "somebody@example.com"})
    assert "somebody" not in refused.value.detail


@pytest.mark.parametrize("source", ["{store", "store}", "{store|nothing}", "{|lower}", "{x|match:(}", "{x|round:a}"])
def test_what_cannot_be_compiled_names_the_place(source: str) -> None:
    with pytest.raises(MappingError, match=r"^here: "):
        text(source, WORDS, "here")


def test_a_text_names_its_columns_and_which_must_be_there() -> None:
    found = text("{a} {b?} {c|lower}", WORDS, "here")
    assert (found.columns, found.needed) == ({"a", "b", "c"}, {"a", "c"})


def test_the_hash_is_that_of_the_values_whatever_the_order_of_columns() -> None:
    assert digest({"a": "1", "b": [2]}) == digest({"b": [2], "a": "1"}) != digest({"a": "1", "b": [3]})
    assert told("{#hash}", {HASH: "abc"}) == "abc"


@pytest.mark.parametrize(("value", "is_one"), [("1 200,5", True), ("-3", True), ("NaN", False), ("", False)])
def test_numbers(value: str, is_one: bool) -> None:
    assert (number(value) is not None) is is_one
