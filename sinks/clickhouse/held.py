"""Everything that the views hold on one person, and the refused input that names it."""

from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.erasure import letters
from sinks.clickhouse.profile import Rows, select
from streams.core.event import Identifier

OF_PERSON = {
    "persons": "person_id",
    "identifiers": "first_seen_at, kind, value",
    "touchpoints": "occurred_at, event_id",
    "sessions": "started_at, session_id",
    "journeys": "started_at, journey_id",
    "visits": "started_at, visit_id",
    "person_channels": "channel",
    "conversations": "started_at, conversation_id",
    "conversation_messages": "at, message_id",
    "promises": "ifNull(requested_at, promised_at), promise_id",
    "consents": "key, valid_from",
    "preferences": "key, valid_from",
    "person_traits": "key, valid_from",
    "orders": "order_id",
    "order_items": "order_id, line_id",
    "model_credits": "run_id, order_id, at, event_id",
    "returns": "returned_at, return_id",
    "shipments": "order_id, shipment_id",
    "credits": "order_id, model, at, event_id",
    "evidence": "first_seen_at, kind_a, value_a, kind_b, value_b",
}
"""Every view with a person's rows, and in which order they stand."""

HISTORY = """
SELECT kind, value, person_id, valid_from, valid_to FROM onethread.identifier_history
WHERE person_id = {id:UUID}
    OR (kind, value) IN (SELECT kind, value FROM onethread.facts_identifiers FINAL WHERE person_id = {id:UUID})
ORDER BY kind, value, valid_from
"""

MERGES = """
SELECT * FROM onethread.merges WHERE person_id = {id:UUID} OR other_person_id = {id:UUID} ORDER BY at, event_id
"""

RULES = """
WITH held AS (SELECT kind, value FROM onethread.facts_identifiers FINAL WHERE person_id = {id:UUID})
SELECT * FROM onethread.rules WHERE (kind_a, value_a) IN held OR (kind_b, value_b) IN held ORDER BY at, rule_id
"""

NOTES = """
SELECT * FROM onethread.identifier_notes
WHERE event_id IN (SELECT event_id FROM onethread.facts_touchpoints FINAL WHERE person_id = {id:UUID})
ORDER BY at, event_id
"""


def held(client: Client, person_id: UUID) -> dict[str, Any]:
    """Rows of every view on one person, by view. Errors: clickhouse_connect's DatabaseError.

    Refused input is found by value, as erasing finds it: nobody has decided whose it is. Its bytes are shown as text.
    """

    def rows(query: str) -> Rows:
        return select(client, query, id=person_id)

    of_person = {
        view: rows(f"SELECT * FROM onethread.{view} WHERE person_id = {{id:UUID}} ORDER BY {order}")
        for view, order in OF_PERSON.items()
    }
    return {
        "person_id": person_id, **of_person, "identifier_history": rows(HISTORY), "merges": rows(MERGES),
        "rules": rows(RULES), "identifier_notes": rows(NOTES),
        "dead_letters": _letters(client, {(row["kind"], row["value"]) for row in of_person["identifiers"]}),
    }


def _letters(client: Client, identifiers: set[Identifier]) -> Rows:
    places = letters(client, identifiers)
    if not places:
        return []
    told = ", ".join(map(str, places))
    found = client.query(f"""
        SELECT at, reason, detail, topic, partition, offset, raw FROM onethread.facts_dead_letters FINAL
        WHERE (letter_partition, letter_offset) IN ({told}) ORDER BY at, letter_partition, letter_offset
        """, column_formats={"raw": "bytes"})
    return [dict(zip(found.column_names, (*row, bytes(raw).decode(errors="replace")), strict=True))
            for *row, raw in found.result_rows]
