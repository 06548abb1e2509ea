"""Conditions on a row, both edges of each."""

from typing import Any

import pytest

from connectors.files.conditions import condition
from connectors.files.errors import MappingError
from connectors.files.texts import Words


@pytest.mark.parametrize(("wanted", "value", "holds"), [
    ("sale", "SALE ", True), ("sale", "resale", False), (["sale", "exchange"], "exchange", True), ("", "", True),
    ("", "x", False), ("*", "x", True), ("*", " ", False), ("!sale", "sale", False), ("!sale", "", True),
    (["!a", "!b"], "b", False), (["!a", "!b"], "c", True), ("< 0", "-0,01", True), ("< 0", "0", False),
    (">= 10", "10", True), (">= 10", "9.99", False), ("< 5", "no number", False), (r"~\d{1,5}", "123", True),
    (r"~\d{1,5}", "123456", False), (["*", "!x"], "x", False), (["*", "!x"], "y", True), ("<= 1", "1", True),
    ("> 1", "1", False),
])
def test_one_column(wanted: Any, value: str, holds: bool) -> None:
    assert condition({"x": wanted}, Words(), "when").holds({"x": value}) is holds


def test_all_columns_must_hold_and_paths_lead_into_json() -> None:
    both = condition({"a": "1", "b.c": "2"}, Words(), "when")
    assert both.holds({"a": "1", "b": {"c": 2}})
    assert not both.holds({"a": "1", "b": {"c": 3}})


def test_a_column_with_a_question_mark_need_not_be_there() -> None:
    found = condition({"a": "1", "b?": "*"}, Words(), "when")
    assert (found.columns, found.needed) == ({"a", "b"}, {"a"})


@pytest.mark.parametrize("wanted", [5, [5], "~("])
def test_what_cannot_be_compiled_names_the_place(wanted: Any) -> None:
    with pytest.raises(MappingError, match=r"^when\.x: "):
        condition({"x": wanted}, Words(), "when")
