"""What ties identifiers together or keeps them apart, as ClickHouse holds it: what `onethread why` tells.

Asked of the tables of facts, not of the views: their keys begin with the person, so a question about one or two
persons costs what these hold, not what everybody does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.profile import Rows, select
from streams.core.event import Identifier

EVENTS_SHOWN = 5
"""Of the events behind one tie, the earliest."""


@dataclass(frozen=True)
class Holder:
    """An identifier and whose it is."""

    identifier: Identifier
    node: UUID
    person_id: UUID
    shared: bool


@dataclass(frozen=True)
class Tie:
    """Two identifiers that events named together, or that a rule links. Without events: by rule alone."""

    a: Identifier
    b: Identifier
    node_a: UUID
    node_b: UUID
    first_at: datetime
    last_at: datetime
    events: int = 0
    refused_because: str | None = None
    rule_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Behind:
    """The earliest events behind a tie, and how many there are in all."""

    events: Rows
    total: int


_TIE = """
    kind_a, value_a, kind_b, value_b, node_a, node_b, events, first_seen_at AS first_at, last_seen_at AS last_at,
    refused_because"""
_RULE = "kind_a, value_a, kind_b, value_b, node_a, node_b, at AS first_at, at AS last_at, rule_id, reason"
_NODES = "(SELECT node FROM onethread.facts_identifiers FINAL WHERE person_id = {%s:UUID})"
_MINE, _THEIRS = _NODES % "mine", _NODES % "theirs"
_BETWEEN = f"((node_a IN {_MINE} AND node_b IN {_THEIRS}) OR (node_a IN {_THEIRS} AND node_b IN {_MINE}))"


def holder(client: Client, identifier: Identifier) -> Holder | None:
    """Whose an identifier in its normal form is. Errors: clickhouse_connect's DatabaseError, here and below."""
    rows = select(client, """
        SELECT node, person_id, shared FROM onethread.facts_identifiers FINAL
        WHERE kind = {kind:String} AND value = {value:String}""", kind=identifier[0], value=identifier[1])
    return Holder(identifier, **rows[0]) if rows else None


def within(client: Client, person_id: UUID) -> list[Tie]:
    """Everything that holds a person together: evidence that conducts, and links by rule."""
    evidence = select(client, f"""
        SELECT {_TIE} FROM onethread.facts_evidence FINAL WHERE person_id = {{id:UUID}} AND conducts""", id=person_id)
    rules = select(client, f"""
        SELECT {_RULE} FROM onethread.facts_rules FINAL
        WHERE verb = 'link' AND node_a IN {_MINE} AND node_b IN {_MINE}""", mine=person_id)
    return [_tie(row) for row in (*evidence, *rules)]


def between(client: Client, mine: UUID, theirs: UUID) -> list[Tie]:
    """What events tell of two persons together, refused as it is; the latest first."""
    rows = select(client, f"""
        SELECT {_TIE} FROM onethread.facts_evidence FINAL
        WHERE person_id IN ({{mine:UUID}}, {{theirs:UUID}}) AND NOT conducts AND {_BETWEEN}
        ORDER BY last_at DESC, node_a, node_b""", mine=mine, theirs=theirs)
    return [_tie(row) for row in rows]


def unlinks(client: Client, mine: UUID, theirs: UUID) -> list[Tie]:
    """The rules that hold two persons apart."""
    rows = select(client, f"""
        SELECT {_RULE} FROM onethread.facts_rules FINAL WHERE verb = 'unlink' AND {_BETWEEN}
        ORDER BY first_at, rule_id""", mine=mine, theirs=theirs)
    return [_tie(row) for row in rows]


def in_common(client: Client, mine: UUID, theirs: UUID) -> list[Identifier]:
    """Shared identifiers that touchpoints of both persons name."""
    seen_by = "(SELECT node FROM onethread.facts_identifier_sightings FINAL WHERE person_id = {%s:UUID})"
    rows = select(client, f"""
        SELECT kind, value FROM onethread.facts_identifiers FINAL
        WHERE shared AND node IN {seen_by % "mine"} AND node IN {seen_by % "theirs"}
        ORDER BY kind, value""", mine=mine, theirs=theirs)
    return [(row["kind"], row["value"]) for row in rows]


def partners(client: Client, node: UUID) -> int:
    """How many other identifiers events named together with this one."""
    rows = select(client, """
        SELECT uniqExact(if(node_a = {node:UUID}, node_b, node_a)) AS met FROM onethread.facts_evidence FINAL
        WHERE node_a = {node:UUID} OR node_b = {node:UUID}""", node=node)
    met: int = rows[0]["met"]
    return met


def kinds_of(client: Client, person_id: UUID) -> dict[str, int]:
    """How many identifiers of each kind a person holds."""
    rows = select(client, """
        SELECT kind, count() AS held FROM onethread.facts_identifiers FINAL WHERE person_id = {id:UUID}
        GROUP BY kind""", id=person_id)
    return {row["kind"]: row["held"] for row in rows}


def behind(client: Client, ties: Sequence[Tie]) -> list[Behind]:
    """The events behind each tie: touchpoints, whoever's they are, that name both of its ends."""
    if not ties:
        return []
    rows = select(client, """
        WITH {ones:Array(UUID)} AS ones, {others:Array(UUID)} AS others
        SELECT pair, event_id, occurred_at, channel, source, type, count() OVER (PARTITION BY pair) AS total
        FROM (
            SELECT event_id, occurred_at, channel, source, type, nodes
            FROM onethread.facts_touchpoints FINAL
            WHERE hasAny(nodes, ones) AND hasAny(nodes, others) AND person_id IN (
                SELECT person_id FROM onethread.facts_identifier_sightings WHERE has(ones, node)
            )
        )
        ARRAY JOIN arrayFilter(
            i -> has(nodes, ones[i]) AND has(nodes, others[i]), arrayEnumerate(ones)
        ) AS pair
        ORDER BY pair, occurred_at, event_id
        LIMIT {shown:UInt64} BY pair
        """, ones=[str(tie.node_a) for tie in ties], others=[str(tie.node_b) for tie in ties], shown=EVENTS_SHOWN)
    found: list[Behind] = []
    for pair in range(1, len(ties) + 1):
        mine = [row for row in rows if row["pair"] == pair]
        events = [{key: row[key] for key in row if key not in ("pair", "total")} for row in mine]
        found.append(Behind(events, mine[0]["total"] if mine else 0))
    return found


def _tie(row: dict[str, Any]) -> Tie:
    a, b = (row.pop("kind_a"), row.pop("value_a")), (row.pop("kind_b"), row.pop("value_b"))
    return Tie(a, b, **row)
