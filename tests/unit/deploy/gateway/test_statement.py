"""What is statement, what is data, and what is no statement at all."""

import pytest

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.statement import parse


@pytest.mark.parametrize(
    ("sql", "text", "form", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1,2", b"INSERT INTO t ", "CSV", b"1,2"),
        (b"insert into t (a,b) settings async_insert=0 format Native\r\n\x00\xff", None, "Native", b"\x00\xff"),
        (b"INSERT INTO db.t (`a`, b) VALUES (1, 'FORMAT CSV')", b"INSERT INTO db.t (`a`, b) ", "Values", None),
        (b'INSERT INTO t FORMAT JSONEachRow {"a":1}', b"INSERT INTO t ", "JSONEachRow", b'{"a":1}'),
        (b"INSERT INTO format FORMAT TSV\n1", b"INSERT INTO format ", "TSV", b"1"),
        (b"INSERT INTO values VALUES (1)", b"INSERT INTO values ", "Values", b" (1)"),
        (b"INSERT INTO t (format, values) FORMAT TSV \t\n\n1", b"INSERT INTO t (format, values) ", "TSV", b"\n1"),
        (b"/* FORMAT CSV */ INSERT INTO t -- FORMAT CSV\n FORMAT TSV\nx", None, "TSV", b"x"),
        (b"INSERT INTO FUNCTION null('a Int8') FORMAT TSV\n1", b"INSERT INTO FUNCTION null('a Int8') ", "TSV", b"1"),
        (b"INSERT INTO TABLE t FORMAT TSV\n1", b"INSERT INTO TABLE t ", "TSV", b"1"),
        (b"INSERT INTO {t:Identifier} FORMAT TSV\n1", b"INSERT INTO {t:Identifier} ", "TSV", b"1"),
        (b"INSERT INTO t FORMAT TSV", b"INSERT INTO t ", "TSV", b""),
    ],
)
def test_data_begins_behind_the_format(sql: bytes, text: bytes | None, form: str, data: bytes | None) -> None:
    """Names, strings and comments that look like keywords change nothing."""
    statement = parse(sql)
    assert statement.kind == "INSERT"
    assert statement.format == form
    if text is not None:
        assert statement.text == text
    if data is not None:
        assert sql[statement.data_at :] == data


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO t SELECT 1",
        b"INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x",
        b"INSERT INTO t SETTINGS max_threads = 1 SELECT 'FORMAT CSV'",
        b"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
        b"INSERT INTO t SELECT 1 FORMAT Null",
    ],
)
def test_insert_from_a_select_takes_no_data(sql: bytes) -> None:
    """The whole text is the statement."""
    statement = parse(sql)
    assert (statement.kind, statement.takes_data, statement.text) == ("INSERT", False, sql)


@pytest.mark.parametrize(
    ("sql", "form"),
    [
        (b"SELECT 1", None),
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 FORMAT JSON SETTINGS max_threads = 1", "JSON"),
        (b"SELECT 1 FORMAT JSON;", "JSON"),
        (b"SELECT 'x FORMAT CSV'", None),
        (b"SELECT format('{}', 1) FROM (SELECT 1) FORMAT `CSV`", "CSV"),
        (b"(SELECT 1) FORMAT CSV -- FORMAT TSV", "CSV"),
    ],
)
def test_format_of_a_query_is_that_of_its_clause(sql: bytes, form: str | None) -> None:
    """Strings, functions and comments are no clauses."""
    assert parse(sql).format == form


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (b"", 62),
        (b" -- nothing\n", 62),
        (b";", 62),
        (b"SELECT 1; SELECT 2", 62),
        (b"SELECT 1; DROP TABLE t", 62),
        (b"INSERT INTO t SELECT 1; DROP TABLE t", 62),
        (b"exit", 62),
        (b"?? what is in the table", 62),
        (b"SELECT 1 INTO OUTFILE '/tmp/x'", 358),
        (b"SELECT 1 INTO/**/OUTFILE '/tmp/x'", 358),
        ("SELECT 1 into\u00a0outfile '/tmp/x'".encode(), 358),
        (b"SELECT 1; SELECT 1 INTO OUTFILE '/tmp/x'", 62),
        (b"INSERT INTO t FROM INFILE '/tmp/x' FORMAT CSV", 80),
    ],
)
def test_what_a_server_refuses_is_refused(sql: bytes, code: int) -> None:
    """Several statements, and what only the command-line client does."""
    with pytest.raises(ClickHouseError) as refused:
        parse(sql)
    assert refused.value.code == code


def test_a_statement_may_end_with_semicolons() -> None:
    """They and comments behind them are no second statement."""
    assert parse(b"SELECT 1;; -- end").text == b"SELECT 1"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [(b"select 1", "SELECT"), (b"(select 1)", "SELECT"), (b"alter table t x", "ALTER"), (b"380 1", "OTHER")],
)
def test_kind_is_a_word_of_sql_or_other(sql: bytes, kind: str) -> None:
    """Kinds are logged, and a log holds nothing a user typed."""
    assert parse(sql).kind == kind


@pytest.mark.parametrize(
    ("sql", "leaves"),
    [
        (b"SET a = 1", True),
        (b"USE db", True),
        (b"CREATE TEMPORARY TABLE t (a Int8)", True),
        (b"CREATE OR REPLACE TEMPORARY TABLE t (a Int8)", True),
        (b"CREATE TABLE t (temporary Int8)", False),
        (b"SELECT 1", False),
    ],
)
def test_only_some_statements_leave_something_to_a_session(sql: bytes, leaves: bool) -> None:
    """For the others a session needs no connection of its own."""
    assert parse(sql).leaves_state is leaves
