"""Which part of an HTTP request is query, data, setting or parameter."""

import io

import pytest

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.request import External, read


def test_query_and_body_are_one_text() -> None:
    """With a line end between."""
    query = read("POST", {"query": "SELECT 1"}, {}, io.BytesIO(b", 2"))
    assert query.statement.text == b"SELECT 1\n, 2"


def test_data_is_what_follows_the_statement() -> None:
    """From both places, however large."""
    large = b"1\n" * 2_000_000
    query = read("POST", {"query": "INSERT INTO t FORMAT TSV"}, {}, io.BytesIO(large))
    assert query.statement.text == b"INSERT INTO t "
    assert b"".join(query.data()) == large


def test_a_statement_may_be_as_long_as_the_setting_says() -> None:
    """To the byte."""
    text = b"SELECT 1 IN (" + b"1, " * 100 + b"1) FORMAT CSV"
    query = read("POST", {"max_query_size": str(len(text))}, {}, io.BytesIO(text))
    assert (query.statement.text, query.format) == (text, "CSV")
    with pytest.raises(ClickHouseError, match="Max query size exceeded"):
        read("POST", {"max_query_size": str(len(text) - 1)}, {}, io.BytesIO(text))


def test_a_long_statement_is_refused_by_default() -> None:
    """As a server refuses it; data behind an INSERT does not count."""
    with pytest.raises(ClickHouseError, match="Max query size exceeded"):
        read("POST", {}, {}, io.BytesIO(b"SELECT 1" + b" " * 262_144 + b", 2"))


def test_other_parameters_are_settings() -> None:
    """And those of the interface are not."""
    given = {"query": "SELECT 1", "database": "d", "max_threads": "2", "param_x": "3", "query_id": "q", "compress": "0"}
    query = read("POST", given, {}, io.BytesIO())
    assert (query.settings, query.parameters) == ({"max_threads": "2"}, {"x": "3"})
    assert (query.database, query.query_id, query.readonly) == ("d", "q", 0)


@pytest.mark.parametrize(
    ("given", "headers", "form"),
    [
        ({}, {}, "TabSeparated"),
        ({}, {"X-ClickHouse-Format": "CSV"}, "CSV"),
        ({"default_format": "JSON"}, {"X-ClickHouse-Format": "CSV"}, "JSON"),
        ({"default_format": "JSON", "query": "SELECT 1 FORMAT XML"}, {}, "XML"),
        ({"query": "INSERT INTO t FORMAT CSV"}, {}, "TabSeparated"),
    ],
)
def test_format_clause_wins_over_the_request(given: dict[str, str], headers: dict[str, str], form: str) -> None:
    """Then the parameter, then the header; the format of an INSERT is that of its data."""
    assert read("POST", {"query": "SELECT 1", **given}, headers, io.BytesIO()).format == form


@pytest.mark.parametrize(
    ("method", "given", "readonly"),
    [("GET", {}, 2), ("GET", {"readonly": "1"}, 1), ("GET", {"readonly": "0"}, 2), ("POST", {"readonly": "1"}, 1)],
)
def test_get_implies_readonly(method: str, given: dict[str, str], readonly: int) -> None:
    """It cannot be lowered by the request."""
    assert read(method, {"query": "SELECT 1", **given}, {}, io.BytesIO()).readonly == readonly


@pytest.mark.parametrize("value", ["3", "-1", "true", "1 "])
def test_a_strange_readonly_is_refused(value: str) -> None:
    """Rather than taken for zero."""
    with pytest.raises(ClickHouseError, match="BAD_ARGUMENTS"):
        read("POST", {"query": "SELECT 1", "readonly": value}, {}, io.BytesIO())


def test_uploaded_tables_have_a_structure_or_types() -> None:
    """Types give the columns the names _1, _2; a comma inside brackets separates nothing."""
    given = {"query": "SELECT 1", "t_types": "Int8,Decimal(18, 4)", "t_format": "CSV"}
    query = read("POST", given, {}, io.BytesIO(), {"t": b"1,2"})
    assert query.externals == (External("t", "_1 Int8, _2 Decimal(18, 4)", "CSV", b"1,2"),)
    assert query.settings == {}


def test_an_uploaded_table_without_structure_is_refused() -> None:
    """As a server does."""
    with pytest.raises(ClickHouseError, match="BAD_ARGUMENTS"):
        read("POST", {"query": "SELECT 1"}, {}, io.BytesIO(), {"t": b""})
