"""All that the views hold on one person, as plain rows: what `onethread who` and the demo show."""

from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from clickhouse_connect.driver.client import Client

Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class Profile:
    """One person; every list in order of time."""

    person: dict[str, Any]
    identifiers: Rows
    channels: Rows
    sessions: Rows
    journeys: Rows
    credits: Rows
    """By order; of each model in order of time."""
    orders: Rows
    items: Rows
    open_promises: Rows
    """Not kept yet, in time or overdue."""
    zone: str
    """The reporting zone, in which times are shown."""


def person_of(client: Client, kind: str, value: str) -> UUID | None:
    """The person that holds an identifier in its normal form, None where nobody does.

    Errors: clickhouse_connect's DatabaseError, here and below.
    """
    found = select(client, """
        SELECT person_id FROM onethread.facts_identifiers FINAL WHERE kind = {kind:String} AND value = {value:String}
        ORDER BY person_id LIMIT 1""", kind=kind, value=value)
    return found[0]["person_id"] if found else None


def survivor_of(client: Client, person_id: UUID) -> UUID | None:
    """The person that an id means now: itself, or the one it was merged into; None for an id that never was."""
    followed: set[UUID] = set()
    while person_id not in followed:
        if select(client, "SELECT person_id FROM onethread.persons WHERE person_id = {id:UUID}", id=person_id):
            return person_id
        followed.add(person_id)
        into = select(client, """
            SELECT person_id FROM onethread.merges WHERE other_person_id = {id:UUID} AND action = 'merged'
            ORDER BY at DESC, person_id LIMIT 1""", id=person_id)
        if not into:
            return None
        person_id = into[0]["person_id"]
    return None


def profile(client: Client, person_id: UUID) -> Profile:
    """Everything on a person of the view `persons`."""

    def of_person(view: str, order: str) -> Rows:
        query = f"SELECT * FROM onethread.{view} WHERE person_id = {{id:UUID}} ORDER BY {order}"
        return select(client, query, id=person_id)

    return Profile(
        person=of_person("persons", "person_id")[0],
        identifiers=of_person("identifiers", "first_seen_at, kind, value"),
        channels=of_person("person_channels", "first_at, channel"),
        sessions=of_person("sessions", "started_at, session_id"),
        journeys=of_person("journeys", "started_at, journey_id"),
        credits=of_person("credits", "order_id, model, at, event_id"),
        orders=of_person("orders", "ifNull(placed_at, requested_at), order_id"),
        items=of_person("order_items", "order_id, line_id"),
        open_promises=[p for p in of_person("promises", "due_at, promise_id") if p["status"] in ("open", "overdue")],
        zone=reporting_zone(client),
    )


def thread(client: Client, person_id: UUID) -> Rows:
    """A person's touchpoints in the order of the clock."""
    return select(client, """
        SELECT * FROM onethread.touchpoints WHERE person_id = {id:UUID} ORDER BY occurred_at, event_id""", id=person_id)


def reporting_zone(client: Client) -> str:
    zone: str = select(client, "SELECT reporting_zone FROM onethread.settings")[0]["reporting_zone"]
    return zone


def select(client: Client, query: str, **parameters: Any) -> Rows:
    """The rows of a query, each a map of its columns."""
    texts = {name: str(value) if isinstance(value, UUID) else value for name, value in parameters.items()}
    found = client.query(query, parameters=texts, tz_mode="aware")
    return list(found.named_results())
