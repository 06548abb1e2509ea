"""Tables filled anew beside those that the views read, and put in their place when they are whole.

Rules kept:
- A rebuild is a database of its own, made by the same migrations; until the end the views know nothing of it. It also
  holds how far the rebuild has come, so that dropping it ends the rebuild and leaves nothing behind.
- Tables that batch models write are not rebuilt: no topic and no state has what is in them.
- Who writes rows writes them to the rebuild first. A table's data are replaced in one step, so what is written
  meanwhile is in the new data, or comes after them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import cluster, migrations
from sinks.clickhouse.columns import DATABASE, DEAD_LETTERS, TABLES, physical
from sinks.clickhouse.erasure import MUTATION
from streams.core.facts import TOLD_ONCE

PREFIX = f"{DATABASE}_rebuild_"

KEPT = frozenset({"batch_runs", "batch_weights", "batch_order_credits", "batch_predictions"})
"""Written by batch models."""

BEGUN, ENDED = "begun", "ended"

_MILESTONES = """
CREATE TABLE IF NOT EXISTS {database}.milestones (
    partition UInt64, state LowCardinality(String), offset UInt64, at DateTime64(3, 'UTC')
) ENGINE = MergeTree ORDER BY (state, partition)
"""


_MARKED = "(SELECT node, max(at) AS until FROM {database}.facts_erased_identifiers GROUP BY node) AS e"
_STEPS = f"{{database}}.facts_identifier_owners AS o INNER JOIN {_MARKED} ON e.node = o.node WHERE o.at <= e.until"
_GONE = f"(SELECT o.person_id AS person_id, max(e.until) AS until FROM {_STEPS} GROUP BY person_id) AS g"
_MERGE = ("SELECT m.person_id, m.other_person_id, m.action, m.event_id "
          f"FROM {{database}}.facts_merges AS m INNER JOIN {_GONE}")
_ERASED = {
    "facts_merges": "(person_id, other_person_id, action, event_id) IN ("
                    f"{_MERGE} ON g.person_id = m.person_id WHERE m.at <= g.until UNION ALL "
                    f"{_MERGE} ON g.person_id = m.other_person_id WHERE m.at <= g.until)",
    "facts_identifier_owners": f"(node, at, sequence) IN (SELECT o.node, o.at, o.sequence FROM {_STEPS})",
    "facts_identifier_notes": "(topic, partition, offset) IN ("
                              "SELECT topic, partition, offset FROM {database}.facts_erased_records)",
}
"""What is taken out of history when somebody is erased, in the order of asking."""


class Milestone(NamedTuple):
    """A partition's rows go to the database from the record of `facts` at `offset` on."""

    database: str
    partition: int
    offset: int


def database_of(name: str) -> str:
    """The database of the rebuild of this name."""
    return f"{PREFIX}{name}"


def under_way(client: Client) -> list[str]:
    """The names of rebuilds that have not ended, in the order of beginning."""
    rows = client.query(
        "SELECT name FROM system.databases WHERE startsWith(name, {prefix:String}) ORDER BY name",
        parameters={"prefix": PREFIX},
    ).result_rows
    return [str(name).removeprefix(PREFIX) for (name,) in rows]


def create(client: Client, name: str) -> None:
    """Empty tables for a rebuild, like those of the database `onethread`."""
    database = database_of(name)
    cluster.run(client, f"CREATE DATABASE IF NOT EXISTS {database}")
    for text in migrations.migrations().values():
        for statement in migrations.statements(text):
            cluster.run(client, statement.replace(f"{DATABASE}.", f"{database}."))
    cluster.run(client, _MILESTONES.format(database=database))


def drop(client: Client, name: str) -> None:
    """End a rebuild, whole or not."""
    cluster.run(client, f"DROP DATABASE IF EXISTS {database_of(name)}")


def note(client: Client, database: str, partition: int, state: str, offset: int) -> None:
    """Remember that a partition began to send its rows again, or has sent all."""
    client.insert(f"{database}.milestones", [[partition, state, offset, datetime.now(UTC)]])


def milestones(client: Client, name: str) -> dict[str, dict[int, int]]:
    """State -> partition -> offset. Errors: clickhouse_connect's DatabaseError where the rebuild has ended."""
    found: dict[str, dict[int, int]] = {BEGUN: {}, ENDED: {}}
    told = client.query(f"SELECT state, partition, min(offset) FROM {database_of(name)}.milestones GROUP BY 1, 2")
    for state, partition, offset in told.result_rows:
        found[state][partition] = offset
    return found


def begun(client: Client) -> list[Milestone]:
    """Where each partition began, for the rebuild that began last."""
    names = under_way(client)
    if not names:
        return []
    found = milestones(client, names[-1])[BEGUN]
    return [Milestone(database_of(names[-1]), partition, offset) for partition, offset in found.items()]


def tables(client: Client, database: str = DATABASE) -> list[str]:
    """The tables that are rebuilt: those of facts, and those that ClickHouse fills from them."""
    fed = client.query(
        "SELECT DISTINCT t.name FROM system.tables AS t, system.tables AS v WHERE t.database = {database:String} "
        "AND v.database = t.database AND v.engine = 'MaterializedView' AND t.engine LIKE '%MergeTree' "
        "AND position(v.create_table_query, concat(' TO ', t.database, '.', t.name, ' ')) > 0",
        parameters={"database": database},
    ).result_rows
    return sorted([physical(table) for table in TABLES] + [str(name).removesuffix(cluster.SUFFIX) for (name,) in fed])


def has_tables(client: Client) -> bool:
    """Whether ClickHouse holds the tables at all."""
    known = client.query(f"SELECT count() FROM system.tables WHERE database = '{DATABASE}' AND name = 'migrations'")
    return bool(known.result_rows[0][0])


def keep(client: Client, name: str) -> None:
    """Take over what happened as it is known here: topics may not reach back as far any more."""
    for table in (*TOLD_ONCE, DEAD_LETTERS.name):
        client.command(
            f"INSERT INTO {database_of(name)}.{physical(table)} SELECT * FROM {DATABASE}.{physical(table)}")


def forget_erased(client: Client, name: str) -> None:
    """Take out again what topics still tell of the past of erased persons; after everything was copied."""
    database = database_of(name)
    ((erased,),) = client.query(f"SELECT count() FROM {database}.facts_erased_identifiers").result_rows
    if erased:
        for table, condition in _ERASED.items():
            cluster.run(client, f"ALTER TABLE {database}.{table} DELETE WHERE {condition.format(database=database)}",
                        settings=MUTATION)


def rows(client: Client, database: str) -> int:
    """About how many rows the tables of facts hold, superseded ones included."""
    found = client.query(
        "SELECT sum(rows) FROM system.parts WHERE active AND database = {database:String} AND table LIKE 'facts_%'",
        parameters={"database": database},
    ).result_rows
    return int(found[0][0] or 0)


def swap(client: Client, name: str, tell: Callable[[str], object]) -> None:
    """Put the rebuilt data in the place of the present ones, table by table, each in one step; may be repeated."""
    database = database_of(name)
    for table in tables(client):
        tell(table)
        for partition, is_filled in _partitions(client, database, table):
            # An empty source is refused unless one says that it is meant; older servers know neither.
            allowed = "" if is_filled else " SETTINGS allow_replace_partition_from_empty_source = 1"
            cluster.run(client, f"ALTER TABLE {DATABASE}.{table} REPLACE PARTITION ID '{partition}' "
                                f"FROM {database}.{table}{allowed}")


def _partitions(client: Client, database: str, table: str) -> list[tuple[str, bool]]:
    """The partitions that the table has before or after, and whether it has any of it after."""
    name = cluster.found(client)
    parts = f"clusterAllReplicas('{name}', system.parts)" if name else "system.parts"
    found = client.query(
        f"SELECT partition_id, max(database = {{database:String}}) FROM {parts} WHERE active "
        f"AND database IN ('{DATABASE}', {{database:String}}) AND table = {{table:String}} GROUP BY 1 ORDER BY 1",
        parameters={"database": database, "table": cluster.stored(client, table)},
    ).result_rows
    return [(str(partition), bool(is_filled)) for partition, is_filled in found]
