"""Rows of an erased person go for good, not only out of sight.

The streams hide them (tombstones, later versions); this deletes what is hidden, once everything is consumed: superseded
rows and tombstones that tell of the person, in whatever table has a column for it, and the person's history. A mutation
keeps its own text on disk, so it names nobody: identifiers by node keys, orders and events by hashes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import cluster
from sinks.clickhouse.profile import Rows, select
from streams.core.event import Identifier

MUTATION = {"mutations_sync": 2, "allow_nondeterministic_mutations": 1}
"""Return when the parts are written anew, on all replicas; what is asked for within gives the same on each of them."""

_KEPT = ("facts_erasures", "facts_erased_records", "facts_erased_identifiers", "facts_intake", "migrations")
_HISTORY = ("facts_identifier_owners", "facts_merges")
"""Tables whose rows are not superseded: of the past of an erased person they go as they are."""

_HELD = """
SELECT node, kind, value FROM onethread.facts_identifiers FINAL WHERE person_id = {id:UUID} ORDER BY kind, value
"""

_MONTHS = """
WITH (SELECT reporting_zone FROM onethread.settings) AS zone
SELECT month, currency, sum(touchpoints) AS touchpoints, sum(orders) AS orders, sum(revenue) AS revenue FROM (
    SELECT formatDateTime(toTimeZone(occurred_at, zone), '%Y-%m') AS month, '' AS currency, count() AS touchpoints,
        0 AS orders, toDecimal128(0, 4) AS revenue
    FROM onethread.touchpoints WHERE person_id = {id:UUID} GROUP BY month
    UNION ALL
    SELECT formatDateTime(toTimeZone(assumeNotNull(placed_at), zone), '%Y-%m'), ifNull(currency, ''), 0, count(),
        toDecimal128(sum(ifNull(revenue, 0)), 4)
    FROM onethread.counted_orders WHERE person_id = {id:UUID}
    GROUP BY 1, 2
) GROUP BY month, currency ORDER BY month, currency
"""


@dataclass(frozen=True)
class Person:
    """Who is erased, as the tables know it: node keys, identifiers, every id the person ever had, hashes of orders."""

    nodes: frozenset[UUID]
    identifiers: frozenset[Identifier]
    ids: frozenset[UUID]
    orders: frozenset[int]


def held(client: Client, person_id: UUID) -> Rows:
    """The identifiers of a person: node, kind, value."""
    return select(client, _HELD, id=person_id)


def months(client: Client, person_id: UUID) -> Rows:
    """What past months lose with a person: month, currency, touchpoints, orders, revenue."""
    return select(client, _MONTHS, id=person_id)


def marked(client: Client, receipt_id: str) -> frozenset[UUID]:
    """The node keys that the streams marked."""
    rows = select(client, "SELECT node FROM onethread.facts_erased_identifiers WHERE receipt_id = {id:String}",
                  id=receipt_id)
    return frozenset(row["node"] for row in rows)


def known_as(client: Client, nodes: Iterable[UUID]) -> Person:
    """Everything the tables have on identifiers with these node keys, hidden rows included."""
    nodes = frozenset(nodes)
    told = f"node IN ({_uuids(nodes)})"
    rows = select(client, f"""
        SELECT DISTINCT kind, value, person_id FROM (
            SELECT kind, value, person_id FROM onethread.facts_identifiers WHERE {told}
            UNION ALL SELECT '', '', person_id FROM onethread.facts_identifier_owners WHERE {told}
            UNION ALL SELECT kind, value, person_id FROM onethread.facts_identifier_sightings WHERE {told}
        )""")
    hashes = select(client, f"""
        SELECT DISTINCT cityHash64(value) AS hash FROM onethread.facts_identifiers
        WHERE {told} AND kind = 'order_id'""")
    return Person(
        nodes, frozenset((row["kind"], row["value"]) for row in rows if row["value"]),
        frozenset(row["person_id"] for row in rows if row["person_id"].int),
        frozenset(row["hash"] for row in hashes),
    )


def delete(client: Client, person: Person, until_ms: int, say: Callable[[str], object] = bool) -> dict[str, int]:
    """Delete what is hidden of a person, and its history up to then; how many rows of which table.

    Errors: clickhouse_connect's DatabaseError. Cost: the parts that hold such rows are written anew.
    """
    deleted: dict[str, int] = {}
    for table, columns in _tables(client).items():
        if table in _KEPT or not (mentions := _mentions(columns, person)):
            continue
        say(table)
        condition = _gone(table, cluster.stored(client, table), columns, mentions, until_ms, _key(client, table))
        number = _number(client, table, condition)
        if number:
            cluster.run(client, f"ALTER TABLE onethread.{table} DELETE WHERE {condition}", settings=MUTATION)
            deleted[table] = number
    _delete_notes(client, deleted)
    for table in deleted:
        say(table)
        renew(client, table)
    return deleted


def renew(client: Client, table: str) -> None:
    """Give a table new files, so that parts that a mutation replaced are gone from the disk now, not some time later.

    Active parts are linked into an empty copy, which takes the table's name; what was inserted meanwhile follows (a
    row that comes twice is harmless, versions decide). A copy that a crash left over is emptied into the table first.
    Replicated tables keep their files: each server removes replaced parts after `old_parts_lifetime`, 8 minutes.
    """
    if cluster.found(client):
        return
    here, copy = f"onethread.{table}", f"onethread.{table}_anew"
    if select(client, f"EXISTS TABLE {copy}")[0]["result"]:
        client.command(f"INSERT INTO {here} SELECT * FROM {copy}")
        client.command(f"DROP TABLE {copy} SYNC")
    client.command(f"CREATE TABLE {copy} AS {here}")
    parts = select(client, f"""SELECT name, partition_id FROM system.parts
        WHERE database = 'onethread' AND table = '{table}' AND active""")
    for partition in sorted({row["partition_id"] for row in parts}):
        client.command(f"ALTER TABLE {copy} ATTACH PARTITION ID '{partition}' FROM {here}")
    client.command(f"EXCHANGE TABLES {here} AND {copy}")
    names = ", ".join(f"'{row['name']}'" for row in parts) or "''"
    client.command(f"INSERT INTO {here} SELECT * FROM {copy} WHERE _part NOT IN ({names})")
    client.command(f"DROP TABLE {copy} SYNC")


def count(client: Client, person: Person) -> dict[str, int]:
    """How many rows tell of a person, by table, superseded ones included."""
    found = {}
    for table, columns in _tables(client).items():
        mentions = _mentions(columns, person) if table not in _KEPT else ""
        number = _number(client, table, mentions) if mentions else 0
        if number:
            found[table] = number
    return found


def _number(client: Client, table: str, condition: str) -> int:
    (found,) = select(client, f"SELECT count() AS number FROM onethread.{table} WHERE {condition}")
    return int(found["number"])


def _tables(client: Client) -> dict[str, dict[str, str]]:
    """Every table with data: its columns and their types."""
    rows = select(client, """
        SELECT table, name, type FROM system.columns WHERE database = 'onethread' AND table IN (
            SELECT name FROM system.tables
            WHERE database = 'onethread' AND (engine LIKE '%MergeTree' OR engine = 'Distributed')
                AND NOT endsWith(name, '_anew') AND NOT endsWith(name, '_local')
        ) ORDER BY table, position""")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["table"], {})[row["name"]] = row["type"]
    return found


def _key(client: Client, table: str) -> str:
    name = cluster.stored(client, table)
    return str(client.command(
        f"SELECT sorting_key FROM system.tables WHERE database = 'onethread' AND name = '{name}'"
    ))


def _mentions(columns: dict[str, str], person: Person) -> str:
    """Which rows tell of a person; empty where a table has no column that could."""
    ids, nodes = _uuids(person.ids), _uuids(person.nodes)
    orders = ", ".join(map(str, sorted(person.orders)))
    told = []
    for name, kind in columns.items():
        if name in ("person_id", "other_person_id") and "UUID" in kind and ids:
            told.append(f"{name} IN ({ids})")
        elif name in ("node", "node_a", "node_b") and nodes:
            told.append(f"{name} IN ({nodes})")
        elif name == "nodes" and nodes:
            told.append(f"hasAny(nodes, [{nodes}])")
        elif name in ("order_id", "suspected_duplicate_of") and orders:
            told.append(f"cityHash64(ifNull({name}, '')) IN ({orders})")
        elif name == "order_ids" and orders:
            told.append(f"arrayExists(one -> cityHash64(one) IN ({orders}), order_ids)")
    return " OR ".join(told)


def _gone(table: str, stored: str, columns: dict[str, str], mentions: str, until_ms: int, key: str) -> str:
    """All versions of a row are on one server, so each asks itself which is present."""
    if table in _HISTORY:
        return f"({mentions}) AND toUnixTimestamp64Milli(at) <= {until_ms}"
    if not {"version", "is_deleted"} <= columns.keys():
        return f"({mentions})"
    present = f"SELECT {key}, version FROM onethread.{stored} FINAL WHERE {mentions}"
    return f"({mentions}) AND ({key}, version) NOT IN ({present})"


def _delete_notes(client: Client, deleted: dict[str, int]) -> None:
    """Notes on identifiers that were dropped from events that are erased by now."""
    where = f"""(topic, partition, offset) IN (
        SELECT topic, partition, offset FROM onethread.{cluster.stored(client, "facts_erased_records")} FINAL)"""
    table = "facts_identifier_notes"
    number = _number(client, table, where)
    if number:
        cluster.run(client, f"ALTER TABLE onethread.{table} DELETE WHERE {where}", settings=MUTATION)
        deleted[table] = number


# -- dead letters


def letters(client: Client, identifiers: Iterable[Identifier]) -> list[tuple[int, int]]:
    """Where in the topic `dead-letters` bytes lie that name one of the identifiers. Cost: reads all that are kept."""
    needles = [needle for _, value in identifiers for needle in _needles(value)]
    found = []
    rows = client.query("""
        SELECT letter_partition, letter_offset, raw FROM onethread.facts_dead_letters FINAL WHERE raw IS NOT NULL
        """, column_formats={"raw": "bytes"}).result_rows
    for partition, offset, raw in rows:
        text = raw if isinstance(raw, bytes) else str(raw).encode()
        if _names(text, needles):
            found.append((int(partition), int(offset)))
    return sorted(found)


def blank(client: Client, places: Sequence[tuple[int, int]]) -> None:
    """Take the bytes of dead letters; that there was one stays, for the books."""
    if not places:
        return
    where = "(letter_partition, letter_offset) IN (" + ", ".join(map(str, places)) + ")"
    table = "onethread.facts_dead_letters"
    client.command(f"""
        INSERT INTO {table} SELECT * REPLACE (NULL AS raw, NULL AS event_id, NULL AS source, version + 1 AS version)
        FROM {table} FINAL WHERE {where}""")
    stored = cluster.stored(client, "facts_dead_letters")
    latest = f"SELECT letter_partition, letter_offset, max(version) FROM onethread.{stored} WHERE {where} GROUP BY 1, 2"
    cluster.run(
        client,
        f"ALTER TABLE {table} DELETE WHERE {where} AND (letter_partition, letter_offset, version) NOT IN ({latest})",
        settings=MUTATION,
    )
    renew(client, "facts_dead_letters")


LONG = 6
"""Shorter values are looked for only where they stand alone: quoted, or as a text of Avro."""


def _needles(value: str) -> list[bytes]:
    text = value.lower().encode()
    if len(text) >= LONG:
        digits = bytes(c for c in text if chr(c).isdigit())
        return [text, digits] if text.startswith(b"+") and len(digits) >= LONG else [text]
    return [b'"' + text + b'"', bytes([2 * len(text)]) + text]


def _names(raw: bytes, needles: Iterable[bytes]) -> bool:
    text = raw.lower()
    digits = bytes(c for c in text if c not in b" -().\t/")
    return any(needle in text or needle in digits for needle in needles)


def _uuids(ids: Iterable[UUID]) -> str:
    return ", ".join(f"toUUID('{one}')" for one in sorted(ids))

