"""What each role reads on a real engine, and every way around it that we know of."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from deploy.local.gateway import users
from deploy.local.ports import Addresses
from sinks.clickhouse import migrations
from sinks.clickhouse.client import connect
from sinks.clickhouse.roles import RAW, roles, statements, user_statements
from streams.settings import Settings

ALLOWS, SILENT = UUID(int=1), UUID(int=2)
AT = datetime(2026, 2, 1, tzinfo=UTC)
WORDS = ("allows@example.com", "silent@example.com", "What she wrote", "Hidden Street 7", "raw bytes of a letter")
"""Raw values: what the analyst must never see."""


class Asker:
    """Questions as one user."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.client = httpx.Client(base_url=url, auth=(name, password), params={"database": "onethread"}, timeout=60)

    def __call__(self, sql: str, **params: str) -> str:
        """The rows, or the refusal."""
        return self.client.post("/", params=params, content=sql.encode()).text.strip()


@pytest.fixture(scope="module")
def asked(clickhouse: Addresses) -> Iterator[dict[str, Asker]]:
    """One asker for each role, and `default`; the rows are of this module alone."""
    migrations.apply(clickhouse.clickhouse_url, Settings())
    client = connect(clickhouse.clickhouse_url)
    node = [hashlib.blake2b(word.encode(), digest_size=16).hexdigest() for word in WORDS]
    for table, columns, rows in (
        ("identifiers", ["node", "kind", "value", "person_id", "first_seen_at", "version"],
         [[UUID(node[0]), "email", WORDS[0], ALLOWS, AT, 1], [UUID(node[1]), "email", WORDS[1], SILENT, AT, 1]]),
        ("consents", ["person_id", "key", "valid_from", "value", "version"],
         [[ALLOWS, "email_marketing", AT, True, 1], [SILENT, "email_marketing", AT, False, 1]]),
        ("conversation_messages", ["person_id", "conversation_id", "message_id", "at", "text", "version"],
         [[ALLOWS, "c1", "m1", AT, WORDS[2], 1]]),
        ("person_traits", ["person_id", "key", "valid_from", "value", "version"],
         [[ALLOWS, "address", AT, WORDS[3], 1]]),
        ("evidence", ["person_id", "node_a", "node_b", "kind_a", "value_a", "kind_b", "value_b", "version"],
         [[ALLOWS, UUID(node[0]), UUID(node[1]), "email", WORDS[0], "email", WORDS[1], 1]]),
        ("dead_letters", ["letter_partition", "letter_offset", "at", "reason", "raw", "version"],
         [[0, 1_000_000, AT, "bad_json", WORDS[4], 1]]),
        ("persons", ["person_id", "known", "first_seen_at", "version"], [[ALLOWS, True, AT, 1], [SILENT, True, AT, 1]]),
    ):
        client.insert(f"onethread.facts_{table}", rows, column_names=columns)
    path = clickhouse.home / users.FILE
    passwords = {name: users.add(path, name, name) for name in roles()}
    yield {name: Asker(clickhouse.clickhouse_url, name, password) for name, password in passwords.items()} | {
        "default": Asker(clickhouse.clickhouse_url, "default", "")}
    path.unlink()
    for table in ("identifiers", "consents", "conversation_messages", "person_traits", "evidence", "dead_letters",
                  "persons"):
        client.command(f"TRUNCATE TABLE onethread.facts_{table}")


def test_the_owner_reads_everything(asked: dict[str, Asker]) -> None:
    """Which also shows that there is something to hide."""
    default = asked["default"]
    assert default("SELECT value FROM identifiers ORDER BY value").split() == list(WORDS[:2])
    assert default("SELECT text FROM conversation_messages") == WORDS[2]
    assert default("SELECT value FROM person_traits") == WORDS[3]
    assert default("SELECT raw FROM dead_letters WHERE letter_offset = 1000000") == WORDS[4]


@pytest.mark.parametrize("role", roles())
def test_a_role_reads_all_that_is_listed_for_it(asked: dict[str, Asker], role: str) -> None:
    """Of a view with parameters DESCRIBE says whether it may be read."""
    refused = {}
    for name, columns in roles()[role].reads.items():
        what = f"{', '.join(columns) or '*'} FROM {name}"
        needs = {"persons_as_of": "(at = now64(3))"}.get(name, "")
        if name.endswith("_between"):
            needs = "(from = now64(3), to = now64(3))"
        if "Code:" in (said := asked[role](f"SELECT {what}{needs} LIMIT 1")):
            refused[name] = said
    assert not refused


@pytest.mark.parametrize("view", sorted(RAW | {"facts_identifiers", "facts_touchpoints", "facts_consents"}))
def test_the_analyst_reads_nothing_raw(asked: dict[str, Asker], view: str) -> None:
    assert "ACCESS_DENIED" in asked["analyst"](f"SELECT * FROM {view}")


ATTEMPTS = (
    "SELECT value_a FROM evidence",
    "SELECT * FROM evidence",
    "SELECT raw FROM dead_letters",
    "SELECT * EXCEPT (person_id) FROM identifiers",
    "SELECT COLUMNS('value') FROM identifiers",
    "SELECT (SELECT any(value) FROM identifiers)",
    "SELECT person_id IN (SELECT person_id FROM identifiers WHERE value LIKE 'a%') FROM persons",
    "SELECT 1 IN identifiers",
    "WITH persons AS (SELECT value FROM identifiers) SELECT * FROM persons",
    "WITH (SELECT groupArray(value) FROM identifiers) AS v SELECT v",
    "SELECT p.person_id, i.value FROM persons AS p JOIN identifiers AS i USING (person_id)",
    "SELECT value FROM persons ARRAY JOIN (SELECT groupArray(value) FROM identifiers) AS value",
    "SELECT * FROM view(SELECT value FROM identifiers)",
    "SELECT * FROM persons UNION ALL SELECT value FROM identifiers",
    "FROM identifiers SELECT value",
    "(SELECT value FROM identifiers)",
    "SELECT value FROM `identifiers`",
    'SELECT "value" FROM "onethread"."identifiers"',
    "SELECT value FROM onethread /* */ . /* */ identifiers",
    "SELECT value FROM {t:Identifier}",
    "SELECT * FROM identifiers_as_of(at = now64(3))",
    "SELECT * FROM merge('onethread', '.*identif.*')",
    "SELECT * FROM merge('^sys.*', 'processes')",
    "SELECT * FROM loop('onethread', 'identifiers')",
    "SELECT * FROM remote('127.0.0.1', 'onethread', 'identifiers')",
    "SELECT * FROM remote('127.0.0.1', view(SELECT * FROM onethread.identifiers))",
    "SELECT * FROM cluster('default', 'onethread', 'identifiers')",
    "SELECT * FROM clusterAllReplicas('default', onethread.identifiers)",
    "SELECT * FROM url('http://127.0.0.1:{port}/?query=SELECT+value+FROM+onethread.identifiers', 'LineAsString')",
    "SELECT * FROM file('../store/*/*/*/value.bin', 'RawBLOB')",
    "SELECT file('../access/users.xml')",
    "SELECT * FROM executable('cat', 'TSV', 'a String')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT * FROM mergeTreeIndex('onethread', 'facts_identifiers')",
    "SELECT * FROM mergeTreeProjection('onethread', 'facts_identifiers', 'p')",
    "SELECT * FROM viewIfPermitted(SELECT value FROM identifiers ELSE null('value String'))",
    "SELECT * FROM dictionary('onethread.identifiers')",
    "SELECT joinGet('onethread.identifiers', 'value', 1)",
    "SELECT dictGet('onethread.identifiers', 'value', 1)",
    "SELECT hasColumnInTable('onethread', 'identifiers', 'value') AND 0, (SELECT min(value) FROM identifiers)",
    "SELECT * FROM system.processes",
    "SELECT * FROM `system`.`processes`",
    "SELECT query FROM system  .  processes",
    "SELECT * FROM (SHOW PROCESSLIST)",
    "SHOW PROCESSLIST",
    "SELECT * FROM system.parts_columns",
    "SELECT * FROM system.query_cache",
    "EXPLAIN SELECT value FROM identifiers",
    "EXPLAIN QUERY TREE SELECT (SELECT groupArray(value) FROM identifiers)",
    "EXPLAIN ESTIMATE SELECT value FROM facts_identifiers",
    "EXPLAIN TABLE OVERRIDE mysql('x', 'y', 'z', 'u', 'p') PARTITION BY 1",
    "DESCRIBE TABLE (SELECT value FROM identifiers)",
    "SET ROLE owner",
    "SET ROLE ALL",
    "SET DEFAULT ROLE owner TO default",
    "EXECUTE AS default SELECT value FROM identifiers",
    "USE system",
    "GRANT owner TO default",
    "CREATE TEMPORARY TABLE t AS SELECT value FROM onethread.identifiers",
    "CREATE VIEW onethread.mine DEFINER = default SQL SECURITY DEFINER AS SELECT value FROM onethread.identifiers",
    "ALTER TABLE onethread.persons MODIFY SQL SECURITY NONE",
    "INSERT INTO onethread.facts_persons SELECT * FROM onethread.facts_persons",
    "INSERT INTO FUNCTION file('x.tsv', 'TSV', 'v String') SELECT value FROM onethread.identifiers",
    "SELECT value FROM identifiers INTO OUTFILE 'x.tsv'",
    "KILL QUERY WHERE 1",
    "SYSTEM FLUSH LOGS",
    "BACKUP TABLE onethread.facts_identifiers TO File('b')",
    "SELECT 1; SELECT value FROM identifiers",
    "SELECT value FROM identifiers SETTINGS readonly = 0",
    "SELECT value FROM identifiers SETTINGS enable_analyzer = 0",
)


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_no_way_around(asked: dict[str, Asker], sql: str) -> None:
    """Whatever is answered, no raw value and nobody's query is in it."""
    said = asked["analyst"](sql.replace("{port}", "1"), param_t="identifiers")
    assert "Code:" in said, said
    assert not [word for word in WORDS if word in said]


@pytest.mark.parametrize("params", [
    {"readonly": "0"}, {"role": "owner"}, {"user": "default"}, {"enable_analyzer": "0"}, {"session_id": "s1"},
    {"additional_table_filters": "{'onethread.identifiers': '1'}"}, {"default_format": "Native"},
    {"database": "system"}, {"implicit_select": "1"}, {"allow_ddl": "1", "readonly": "2"},
])
def test_no_parameter_lifts_the_rights(asked: dict[str, Asker], params: dict[str, str]) -> None:
    said = asked["analyst"]("SELECT value FROM onethread.identifiers", **params)
    assert "ACCESS_DENIED" in said or "SETTING_CONSTRAINT_VIOLATION" in said


def test_explaining_the_syntax_reads_nothing(asked: dict[str, Asker]) -> None:
    """The engine writes the question anew, and does not ask it."""
    said = asked["analyst"]("EXPLAIN SYNTAX SELECT (SELECT groupArray(value) FROM identifiers)")
    assert not [word for word in WORDS if word in said]


def test_a_session_of_the_owner_is_not_lent(asked: dict[str, Asker]) -> None:
    """A session keeps a connection with its owner's rights and tables."""
    kept = {"session_id": "of-the-owner"}
    assert asked["default"]("CREATE TEMPORARY TABLE t AS SELECT value FROM onethread.identifiers", **kept) == ""
    assert "Code:" in asked["analyst"]("SELECT * FROM t", **kept)


def test_an_uploaded_table_carries_no_statement(asked: dict[str, Asker]) -> None:
    """Its structure is text that reaches the engine."""
    said = asked["analyst"].client.post(
        "/", params={"query": "SELECT * FROM t",
                     "t_structure": "a Int8) ENGINE = Memory AS SELECT value FROM identifiers -- "},
        files={"t": ("t", b"1\n")},
    ).text
    assert "ACCESS_DENIED" in said


def test_the_marketer_sees_who_allows_it(asked: dict[str, Asker]) -> None:
    """Whatever the query; and nothing else that is raw."""
    marketer = asked["marketer"]
    assert marketer("SELECT value FROM identifiers") == WORDS[0]
    assert marketer("SELECT count() FROM identifiers") == "1"
    assert marketer(f"SELECT value FROM identifiers WHERE person_id = '{SILENT}'") == ""
    assert marketer("SELECT max(value) FROM identifiers", optimize_move_to_prewhere="0") == WORDS[0]
    assert "ACCESS_DENIED" in marketer("SELECT * FROM identifier_history")
    assert "ACCESS_DENIED" in marketer("SELECT text FROM conversation_messages")


def test_the_sre_sees_how_it_works_and_nobodys_data(asked: dict[str, Asker]) -> None:
    sre = asked["sre"]
    assert int(sre("SELECT count() FROM system.parts WHERE database = 'onethread'")) > 0
    assert sre("SELECT reason FROM dead_letters WHERE letter_offset = 1000000") == "bad_json"
    for sql in ("SELECT raw FROM dead_letters", "SELECT * FROM identifiers", "SELECT person_id FROM persons",
                "SELECT properties FROM touchpoints"):
        assert "ACCESS_DENIED" in sre(sql)


def test_a_wrong_password_gets_a_clear_refusal_and_no_data(asked: dict[str, Asker], clickhouse: Addresses) -> None:
    for name, password in (("analyst", "wrong"), ("nobody", ""), ("default", "wrong")):
        said = Asker(clickhouse.clickhouse_url, name, password)("SELECT 1")
        assert "AUTHENTICATION_FAILED" in said
        assert "wrong" not in said


def test_limits_hold_whatever_is_asked(asked: dict[str, Asker]) -> None:
    sql = "SELECT getSetting('max_execution_time'), getSetting('readonly')"
    assert asked["analyst"](sql, max_execution_time="9999") == "300\t1"


def test_a_servers_statements_are_sql(asked: dict[str, Asker]) -> None:
    """The engine parses them; it has no place to keep roles in, so they are not carried out here."""
    for statement in [*statements(), *user_statements("o'neil", "analyst", "aa", "bb")]:
        assert "Code:" not in (said := asked["default"](f"EXPLAIN AST {statement}")), (statement, said)
