"""What a read-only request may not name, whatever the engine would make of it."""

import io
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.readonly import check, refused_names
from deploy.local.gateway.request import read

READS: Any = SimpleNamespace(
    _conn=SimpleNamespace(classify_query=lambda _: {"query_class": SimpleNamespace(name="READ_ONLY")})
)
REFUSED = refused_names(["url", "format"], [])


def ask(sql: str) -> None:
    check(read("GET", {}, {}, io.BytesIO(sql.encode())), REFUSED, READS)


@pytest.mark.parametrize("sql", [
    "SELECT * FROM '/a'",
    "SELECT * FROM $$/a$$",
    "FROM '/a' SELECT *",
    "SELECT * FROM t, '/a'",
    "SELECT * FROM (SELECT 1, 'x') AS s, '/a'",
    "SELECT * FROM (t AS x, '/a' AS y)",
    "SELECT * FROM ('/a' AS x, t AS y)",
    "SELECT * FROM t JOIN '/a' AS x ON 1",
    "SELECT * FROM t JOIN u ON t.a = u.a AND u.a IN (1, 2), '/a'",
    "SELECT (SELECT a FROM '/a')",
    "SELECT a FROM (FROM '/a' SELECT a)",
    "WITH x AS (SELECT * FROM '/a') SELECT * FROM x",
    "DESCRIBE '/a'",
    "DESC TABLE '/a'",
    "SELECT hasColumnInTable('default', '/a', 'b')",
    r"SELECT * FROM `\x2fa`",
    r'SELECT * FROM "\x66ile"(1)',
    r"SELECT arrayMap(`\x66ile`, [1])",
])
def test_no_way_of_writing_it_names_a_file(sql: str) -> None:
    with pytest.raises(ClickHouseError) as refused:
        ask(sql)
    assert refused.value.code == 164


@pytest.mark.parametrize("sql", [
    "SELECT 'a/b', 'c' FROM t",
    "SELECT a FROM t WHERE a IN ('x', '/y') ORDER BY a DESC, 'z'",
    "SELECT a FROM t JOIN u ON t.a = '/x' WHERE (a, b) = ('/x', 'y')",
    "SELECT trim(BOTH '/' FROM '/a/'), 'x' FROM t",
    "SELECT * FROM format('CSV', 'a String', '/x')",
    "SELECT * FROM t LIMIT 1 BY a, '/'",
    "SELECT * FROM t AS a, (SELECT '/x', '/y') AS b",
    'SELECT 6 / 3 AS "revenue / order"',
    r"SELECT '\x2f'",
])
def test_texts_elsewhere_are_texts(sql: str) -> None:
    ask(sql)
