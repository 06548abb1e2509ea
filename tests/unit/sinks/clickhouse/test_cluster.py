"""Every statement of the schema has a clustered flavour that the engine reads; two shards answer as one server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sinks.clickhouse import cluster, migrations, roles
from sinks.clickhouse.cluster import EVERYWHERE, SHARDED, Unknown, clustered
from streams.core.policy import default
from streams.errors import OneThreadError
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine

CREATED = re.compile(r"CREATE TABLE IF NOT EXISTS \w+\.(\w+) .*ORDER BY \(?([\w, ]+)", re.DOTALL)
ASKED = ("persons", "orders", "journeys", "credits", "identifiers", "identity_alerts", "evidence", "dead_letters",
         "campaign_return", "duplicate_contacts", "person_channels", "merges", "model_credits")
"""Those that join or add up over persons; `make check-cluster` asks all."""


def source() -> list[str]:
    """The statements of the schema, as for one server."""
    return [
        "CREATE DATABASE IF NOT EXISTS onethread", migrations._RECORDS,
        *(statement for text in migrations.migrations().values() for statement in migrations.statements(text)),
        migrations.settings_view(Settings()), migrations.channels_view(Settings()),
        *(view(default(), *verb) for view in (migrations.policy_view, migrations.alert_limits_view)
          for verb in ((), ("CREATE VIEW IF NOT EXISTS",))),
        *(text for view in migrations.VIEWS for text in migrations.texts_of(view)),
        *roles.statements(), *roles.user_statements("o'neil`s", "analyst", "aa", "bb"),
    ]


def test_every_statement_has_a_clustered_flavour_that_the_engine_can_read(engine: Engine) -> None:
    for statement in source():
        for text in clustered(statement, "shops"):
            engine.client.query("SELECT formatQuery({text:String})", parameters={"text": text})
            assert text.count("ON CLUSTER 'shops'") == 1 or text.startswith("INSERT"), text


def test_every_table_has_its_place_and_no_other_is_named() -> None:
    made = {found[1] for statement in source() if (found := CREATED.search(statement))}
    assert made == SHARDED.keys() | EVERYWHERE - {"milestones"}
    assert not SHARDED.keys() & EVERYWHERE


def test_all_versions_of_a_row_meet_on_one_shard() -> None:
    """A key of the shard that is no part of the row's key would let a tombstone miss its row."""
    for statement in source():
        if (found := CREATED.search(statement)) and found[1] in SHARDED and "Replacing" in statement:
            used = set(re.findall(r"\w+", SHARDED[found[1]].removeprefix("cityHash64")))
            assert used <= set(found[2].split(", ")), found[1]


def test_a_table_becomes_a_replicated_and_a_distributed_one() -> None:
    assert clustered("-- why\nCREATE TABLE IF NOT EXISTS onethread.facts_alerts (a UUID)\n"
                     "ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, kind)", "c") == [
        "CREATE TABLE IF NOT EXISTS onethread.facts_alerts_local ON CLUSTER 'c' (a UUID)\n"
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', "
        "version, is_deleted) ORDER BY (person_id, kind)",
        "CREATE TABLE IF NOT EXISTS onethread.facts_alerts ON CLUSTER 'c' AS onethread.facts_alerts_local\n"
        "ENGINE = Distributed('c', 'onethread', 'facts_alerts_local', cityHash64(person_id))",
    ]


def test_a_small_table_is_whole_on_every_server() -> None:
    (text,) = clustered("CREATE TABLE IF NOT EXISTS onethread.batch_runs (a UUID) ENGINE = MergeTree ORDER BY a", "c")
    assert text == (
        "CREATE TABLE IF NOT EXISTS onethread.batch_runs ON CLUSTER 'c' (a UUID)\n"
        "ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}') ORDER BY a")


@pytest.mark.parametrize(("statement", "flavour"), [
    ("ALTER TABLE onethread.facts_orders ADD COLUMN IF NOT EXISTS a UUID", [
        "ALTER TABLE onethread.facts_orders_local ON CLUSTER 'c'\nADD COLUMN IF NOT EXISTS a UUID",
        "ALTER TABLE onethread.facts_orders ON CLUSTER 'c'\nADD COLUMN IF NOT EXISTS a UUID"]),
    ("ALTER TABLE onethread.facts_orders DROP COLUMN IF EXISTS a", [
        "ALTER TABLE onethread.facts_orders ON CLUSTER 'c'\nDROP COLUMN IF EXISTS a",
        "ALTER TABLE onethread.facts_orders_local ON CLUSTER 'c'\nDROP COLUMN IF EXISTS a"]),
    ("ALTER TABLE onethread.facts_rates ADD COLUMN IF NOT EXISTS a UUID", [
        "ALTER TABLE onethread.facts_rates ON CLUSTER 'c'\nADD COLUMN IF NOT EXISTS a UUID"]),
    ("ALTER TABLE onethread.facts_orders DELETE WHERE 1", [
        "ALTER TABLE onethread.facts_orders_local ON CLUSTER 'c' DELETE WHERE 1"]),
    ("DELETE FROM onethread.batch_runs WHERE 1", ["DELETE FROM onethread.batch_runs ON CLUSTER 'c' WHERE 1"]),
    ("ALTER TABLE onethread.facts_orders REPLACE PARTITION ID 'all' FROM other.facts_orders SETTINGS a = 1", [
        "ALTER TABLE onethread.facts_orders_local ON CLUSTER 'c' REPLACE PARTITION ID 'all' "
        "FROM other.facts_orders_local SETTINGS allow_replace_partition_from_empty_source = 1"]),
    ("DROP TABLE IF EXISTS onethread.batch_credits", [
        "DROP TABLE IF EXISTS onethread.batch_credits ON CLUSTER 'c' SYNC",
        "DROP TABLE IF EXISTS onethread.batch_credits_local ON CLUSTER 'c' SYNC"]),
    ("DROP DATABASE IF EXISTS other", ["DROP DATABASE IF EXISTS other ON CLUSTER 'c' SYNC"]),
    ("CREATE OR REPLACE VIEW onethread.a AS\nSELECT 1\nUNION ALL\nSELECT 2\n", [
        "CREATE OR REPLACE VIEW onethread.a ON CLUSTER 'c' AS\nSELECT * FROM (\nSELECT 1\nUNION ALL\nSELECT 2\n)\n"
        "SETTINGS distributed_product_mode = 'global'"]),
    ("CREATE MATERIALIZED VIEW IF NOT EXISTS o.feed TO o.batch_seen_in_store AS\n"
     "SELECT a\nFROM o.facts_touchpoints\nWHERE b", [
        "CREATE MATERIALIZED VIEW IF NOT EXISTS o.feed ON CLUSTER 'c' TO o.batch_seen_in_store_local AS\n"
        "SELECT a\nFROM o.facts_touchpoints_local\nWHERE b"]),
])
def test_other_statements_reach_the_tables_that_hold_the_rows(statement: str, flavour: list[str]) -> None:
    assert clustered(statement, "c") == flavour


@pytest.mark.parametrize("statement", [
    "OPTIMIZE TABLE onethread.facts_persons FINAL",
    "CREATE TABLE IF NOT EXISTS onethread.facts_new (a UUID) ENGINE = MergeTree ORDER BY a",
    "ALTER TABLE onethread.facts_persons MODIFY ORDER BY a",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS o.feed TO o.batch_seen_in_store AS\nSELECT a\nFROM o.facts_identifiers",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS o.feed TO o.batch_seen_in_store AS\nSELECT a\nFROM (SELECT 1)",
])
def test_what_nobody_thought_of_is_refused(statement: str) -> None:
    with pytest.raises(Unknown):
        clustered(statement, "c")


def test_tables_of_one_server_are_not_taken_for_those_of_a_cluster(engine: Engine) -> None:
    with pytest.raises(OneThreadError, match="made for one server"):
        migrations.apply(engine.url, Settings(clickhouse_cluster="shops"))


def test_a_cluster_that_clickhouse_does_not_know_is_told(engine: Engine) -> None:
    with pytest.raises(OneThreadError, match="knows no cluster shops"):
        cluster.check(engine.client, "shops")


def test_two_shards_answer_as_one_server(tmp_path: Path) -> None:
    """Also after a rebuild of all tables; and what is hidden of an erased person is gone on both."""
    command = [sys.executable, "-m", "tests.unit.sinks.clickhouse.two_shards", str(tmp_path), "25", *ASKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=Path(__file__).parents[4])
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert min(told["spread"]) > 50
    assert told["differing"] == {}
    assert told["asked"] == len(ASKED)
    for before, others, after, still in told["erased"].values():
        assert before > 0
        assert after == 0
        assert others == still > 0


SERVER = """
import sys
from chdb.state.sqlitelike import Connection
found = Connection(f"{sys.argv[1]}/data?config-file={sys.argv[1]}/config.xml").query(sys.argv[2], "TSV")
print(found.bytes().decode())
"""


def test_the_files_for_a_server_say_what_the_code_asks_for(tmp_path: Path) -> None:
    """All but the removal of the user `default`, as whom the embedded engine comes."""
    files = Path(__file__).parents[4] / "deploy" / "clickhouse"
    (tmp_path / "secret.xml").write_text("<clickhouse><onethread_password>p</onethread_password>"
                                         "<onethread_cluster>c</onethread_cluster></clickhouse>")
    (tmp_path / "config.xml").write_text(
        f"<clickhouse><user_directories><users_xml><path>{tmp_path}/users.xml</path></users_xml></user_directories>"
        "</clickhouse>")
    (tmp_path / "users.xml").write_text(
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><password/><networks>"
        "<ip>::/0</ip></networks><profile>default</profile><quota>default</quota><access_management>1</access_management>"
        "</default></users></clickhouse>")
    for folder in ("config.d", "users.d"):
        (tmp_path / folder).mkdir()
        text = (files / folder / "onethread.xml").read_text().replace('<default remove="remove"/>', "")
        (tmp_path / folder / "onethread.xml").write_text(
            text.replace("/run/secrets/clickhouse.xml", f"{tmp_path}/secret.xml"))
    settings = ", ".join(f"toString(getSetting('{name}'))" for name in cluster.PROFILE)
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(tmp_path),
         f"SELECT getMacro('shard'), getMacro('replica'), {settings}, "
         "(SELECT groupArray((cluster, shard_num, host_name)) FROM system.clusters), "
         "(SELECT count() FROM system.users WHERE name = 'onethread')"],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "ONETHREAD_SHARD": "1", "ONETHREAD_REPLICA": "r"})
    words = {"true": "1", "false": "0"}
    assert [words.get(word, word) for word in done.stdout.strip().split("\t")] == [
        "1", "r", *cluster.PROFILE.values(), "[('onethread',1,'clickhouse-1'),('onethread',1,'clickhouse-2')]", "1",
    ], done.stderr[-1500:]
