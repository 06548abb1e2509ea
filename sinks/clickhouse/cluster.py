"""The same schema for a ClickHouse cluster: every statement of migrations and views in its clustered flavour.

Rules kept:
- One source. The statements for one node are turned; what is not known here is refused, so that nothing is forgotten.
- A table that grows with persons is `<name>_local`, replicated within its shard, and under its plain name Distributed
  by the key in `SHARDED`. That key is of columns of the table's ORDER BY, so all versions and tombstones of a row meet
  on one shard, where FINAL compares them. All rows of a person are on one shard.
- A table in `EVERYWHERE` is one replicated table of all servers, so that what is small is at hand on each shard.
- Views read the plain names and say themselves that a join of two Distributed tables is made with the whole right side.
- Users, roles and their policies are made on every server: each checks them by itself.

Source: ClickHouse's pages on Distributed, on ReplicatedMergeTree and on ON CLUSTER; docs/decisions/0142.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from clickhouse_connect.driver.client import Client

from streams.errors import OneThreadError

SUFFIX = "_local"

_PERSON = "cityHash64(person_id)"
_NODE = "cityHash64(node)"
_RECORD = "cityHash64(topic, partition)"
_LETTER = "cityHash64(letter_partition, letter_offset)"

SHARDED: dict[str, str] = {
    "facts_touchpoints": _PERSON, "facts_persons": _PERSON, "facts_identifier_sightings": _PERSON,
    "facts_sessions": _PERSON, "facts_visits": _PERSON, "facts_person_channels": _PERSON, "facts_orders": _PERSON,
    "facts_order_items": _PERSON, "facts_evidence": _PERSON, "facts_merges": _PERSON, "facts_journeys": _PERSON,
    "facts_consents": _PERSON, "facts_preferences": _PERSON, "facts_person_traits": _PERSON,
    "facts_conversations": _PERSON, "facts_conversation_messages": _PERSON, "facts_promises": _PERSON,
    "facts_returns": _PERSON, "facts_shipments": _PERSON, "facts_credits": _PERSON, "facts_alerts": _PERSON,
    "batch_predictions": _PERSON, "batch_seen_in_store": _PERSON,
    "facts_identifiers": _NODE, "facts_identifier_owners": _NODE, "facts_erased_identifiers": _NODE,
    "facts_intake": _RECORD, "facts_identifier_notes": _RECORD, "facts_unidentifiable": _RECORD,
    "facts_erased_records": _RECORD, "facts_dead_letters": _LETTER, "facts_replays": _LETTER,
    "batch_order_credits": "cityHash64(order_id)", "batch_credits": "cityHash64(order_id)",
}
"""Table -> what decides the shard of a row."""

EVERYWHERE = frozenset({
    "migrations", "facts_stores", "facts_products", "facts_stock", "facts_staff", "facts_rates",
    "facts_campaign_costs", "facts_rules", "facts_erasures", "batch_runs", "batch_weights", "milestones",
})
"""Small tables, and those that answers on every shard need whole."""

PROFILE: dict[str, str] = {
    "distributed_product_mode": "global",
    "distributed_foreground_insert": "1",
    "parallel_distributed_insert_select": "0",
}
"""What the profile of onethread's user must say: joins are whole; an insert is answered when every shard has its rows
on disk; INSERT … SELECT goes through the key as any other insert."""

_OF_VIEWS = "SETTINGS distributed_product_mode = 'global'"

_EVEN_IF_EMPTY = "SETTINGS allow_replace_partition_from_empty_source = 1"
"""A shard may have no rows where others have some."""

_SHARD_PATH = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
_COMMON_PATH = "'/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}'"
"""In Keeper, by the server's macros. A server that joins later makes the same tables and finds the others' rows."""


class Unknown(OneThreadError):  # noqa: N818 - a verdict
    """A statement, or a table, whose clustered flavour nobody has decided."""


def clustered(statement: str, cluster: str) -> list[str]:
    """The statements that do on a cluster what `statement` does on one server, in order.

    Shape:  a statement of a migration, a view, what erasure and models alter, or what makes users; comments before it
            are left out.
    Errors: Unknown.
    """
    text = _LEADING_COMMENTS.sub("", statement).strip()
    for pattern, turn in _KINDS:
        if found := pattern.fullmatch(text):
            return turn(found.groupdict(), f"ON CLUSTER '{cluster}'", cluster)
    raise Unknown(f"no clustered flavour of: {text[:80]}")


def flavoured(statement: str, cluster: str) -> list[str]:
    """As `clustered`; where `cluster` is empty the statement as it is."""
    return clustered(statement, cluster) if cluster else [statement]


def local(table: str) -> str:
    """The table that holds the rows of a plain name on each server. Errors: Unknown."""
    if table in EVERYWHERE:
        return table
    if table in SHARDED:
        return table + SUFFIX
    raise Unknown(f"table {table} is neither in SHARDED nor in EVERYWHERE")


def found(client: Client, database: str = "onethread") -> str | None:
    """The cluster that a database's tables are made for: '' for one server, None where there are no tables yet."""
    rows = client.query(
        "SELECT engine, extract(engine_full, '^Distributed\\\\(\\'([^\\']+)') FROM system.tables "
        "WHERE database = {database:String} AND name = 'facts_persons'", parameters={"database": database},
    ).result_rows
    return str(rows[0][1]) if rows else None


def run(client: Client, statement: str, settings: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None) -> None:
    """Carry out a statement in the flavour of the tables that are there. Errors: Unknown, DatabaseError."""
    for text in flavoured(statement, found(client) or ""):
        client.command(text, settings=dict(settings or {}), parameters=dict(parameters or {}))


def check(client: Client, cluster: str) -> None:
    """Errors: OneThreadError where the server knows no such cluster, or its profile lacks what PROFILE says."""
    known = client.query("SELECT count() FROM system.clusters WHERE cluster = {name:String}",
                         parameters={"name": cluster}).result_rows
    if not known[0][0]:
        raise OneThreadError(f"setting clickhouse_cluster: ClickHouse knows no cluster {cluster}; see remote_servers")
    names = ", ".join(f"toString(getSetting('{name}'))" for name in PROFILE)
    told = client.query(f"SELECT {names}").result_rows[0]
    wrong = [f"{name} = {wanted}" for (name, wanted), came in zip(PROFILE.items(), told, strict=True)
             if str(came).replace("true", "1").replace("false", "0") != wanted]
    if wrong:
        raise OneThreadError(f"the profile of onethread's user in ClickHouse must say {', '.join(wrong)}: "
                             "see deploy/clickhouse/users.d/onethread.xml")


def stored(client: Client, table: str) -> str:
    """The table of this server that holds rows of a plain name, in the flavour that is there. Errors: Unknown."""
    return local(table) if found(client) else table


Parts = Mapping[str, str]


def _database(of: Parts, on: str, _: str) -> list[str]:
    wait = " SYNC" if of["verb"].startswith("DROP") else ""
    return [f"{of['verb']} {of['database']} {on}{wait}"]


def _create_table(of: Parts, on: str, cluster: str) -> list[str]:
    database, table = of["database"], of["table"]
    path = _COMMON_PATH if table in EVERYWHERE else _SHARD_PATH
    arguments = ", ".join(filter(None, (path, of["arguments"])))
    kept = (f"CREATE TABLE IF NOT EXISTS {database}.{local(table)} {on} {of['columns']}\n"
            f"ENGINE = Replicated{of['engine']}({arguments}) {of['rest']}")
    if table in EVERYWHERE:
        return [kept]
    return [kept, f"CREATE TABLE IF NOT EXISTS {database}.{table} {on} AS {database}.{local(table)}\n"
                  f"ENGINE = Distributed('{cluster}', '{database}', '{local(table)}', {SHARDED[table]})"]


def _alter_columns(of: Parts, on: str, _: str) -> list[str]:
    database, table, changes = of["database"], of["table"], of["changes"]
    names = dict.fromkeys((local(table), table))  # what is added is there before it is asked for, and the other way
    ordered = reversed(names) if changes.startswith("DROP") else names
    return [f"ALTER TABLE {database}.{name} {on}\n{changes}" for name in ordered]


def _alter_rows(of: Parts, on: str, _: str) -> list[str]:
    return [f"{of['verb']} {of['database']}.{local(of['table'])} {on} {of['changes']}"]


def _replace_partition(of: Parts, on: str, _: str) -> list[str]:
    kept = local(of["table"])
    return [f"ALTER TABLE {of['database']}.{kept} {on} {of['changes']}.{kept} {_EVEN_IF_EMPTY}"]


def _drop_table(of: Parts, on: str, _: str) -> list[str]:
    names = dict.fromkeys((of["table"], local(of["table"])))
    return [f"DROP TABLE IF EXISTS {of['database']}.{name} {on} SYNC" for name in names]


def _view(of: Parts, on: str, _: str) -> list[str]:
    select = of["select"]
    if _UNION.search(select):  # settings at the end would be those of the last part only
        select = f"SELECT * FROM (\n{select}\n)"
    return [f"{of['verb']} {of['view']} {on}{of['rights']} AS\n{select}\n{_OF_VIEWS}"]


def _feed(of: Parts, on: str, _: str) -> list[str]:
    database = of["database"]
    if SHARDED[of["target"]] != SHARDED[of["source"]]:
        raise Unknown(f"{of['view']}: {of['source']} is spread by another key than {of['target']}")
    return [f"CREATE MATERIALIZED VIEW IF NOT EXISTS {of['view']} {on} TO {database}.{local(of['target'])} AS\n"
            f"{of['select']}FROM {database}.{local(of['source'])}{of['where']}"]


def _as_it_is(of: Parts, _: str, __: str) -> list[str]:
    local(of["table"])
    return [of["whole"]]


def _access(of: Parts, on: str, _: str) -> list[str]:
    return [f"{of['head']} {on} {of['rest']}"]


_LEADING_COMMENTS = re.compile(r"\A(\s*--[^\n]*\n)+")
_UNION = re.compile(r"^UNION ", re.MULTILINE)
_NAME = r"(?P<database>\w+)\.(?P<table>\w+)"
_WHO = r"(`(\\.|[^`\\])+`|\w+)"

_KINDS: list[tuple[re.Pattern[str], Callable[[Parts, str, str], list[str]]]] = [
    (re.compile(pattern, re.DOTALL), turn) for pattern, turn in (
        (r"(?P<verb>CREATE DATABASE IF NOT EXISTS|DROP DATABASE IF EXISTS) (?P<database>\w+)", _database),
        (rf"CREATE TABLE IF NOT EXISTS {_NAME} (?P<columns>\(.*\))\s*ENGINE = (?P<engine>\w*MergeTree)"
         r"(\((?P<arguments>[^)]*)\))? (?P<rest>(PARTITION BY \w+ )?ORDER BY [^\n]*)", _create_table),
        (rf"ALTER TABLE {_NAME}\s+(?P<changes>(ADD|DROP|MODIFY) COLUMN .*)", _alter_columns),
        (rf"(?P<verb>ALTER TABLE) {_NAME} (?P<changes>(DELETE WHERE|DROP PARTITION) .*)", _alter_rows),
        (rf"ALTER TABLE {_NAME} (?P<changes>REPLACE PARTITION ID '\w+' FROM (?P<beside>\w+))\.\w+( SETTINGS [^']*)?",
         _replace_partition),
        (rf"(?P<verb>DELETE FROM) {_NAME} (?P<changes>WHERE .*)", _alter_rows),
        (rf"DROP TABLE IF EXISTS {_NAME}", _drop_table),
        (r"(?P<verb>CREATE OR REPLACE VIEW|CREATE VIEW IF NOT EXISTS) (?P<view>\w+\.\w+)"
         r"(?P<rights>(?: DEFINER = \w+ SQL SECURITY \w+)?)\s+AS\s(?P<select>.*)", _view),
        (r"CREATE MATERIALIZED VIEW IF NOT EXISTS (?P<view>\w+\.\w+) TO (?P<database>\w+)\.(?P<target>\w+) AS\n"
         r"(?P<select>SELECT [^()]*?)FROM \w+\.(?P<source>\w+)(?P<where>\s.*)?", _feed),
        (rf"(?P<whole>INSERT INTO {_NAME}\s+SELECT .*)", _as_it_is),
        (rf"(?P<head>(CREATE|ALTER) (SETTINGS PROFILE|ROLE|ROW POLICY|USER)( OR REPLACE| IF NOT EXISTS)? {_WHO})"
         r" (?P<rest>.*)", _access),
        (r"(?P<head>GRANT|REVOKE) (?P<rest>.*)", _access),
    )
]
"""Every kind of statement, and what becomes of it."""
