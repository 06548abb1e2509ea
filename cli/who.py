"""`onethread who`: everything on one person, found by any identifier."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli import looks
from cli.card import card
from cli.stack import find
from connectors.commands import policy_in_force
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import Profile, person_of, profile, survivor_of
from streams.core.identifiers import Refused, normalise
from streams.core.policy import Policy
from streams.errors import OneThreadError, UsageError
from streams.settings import load

PERSON = "person"

Found = TypeVar("Found")


def command(
    who: Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or person:UUID.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show a person: identifiers, channels, sessions, journeys, open promises, orders.

    Example: onethread who phone:+380670009001
    """
    found = asked(who, profile)
    if as_json:
        print(json.dumps(document(found), indent=2, ensure_ascii=False, default=plain))
    else:
        looks.page().print(card(found))


def asked(who: str, tell: Callable[[Client, UUID], Found]) -> Found:
    """What `tell` says of the person that KIND:VALUE names, in the stack that the environment names.

    Errors: OneThreadError where nobody is known by it, or a part of the stack does not answer.
    """
    addresses = find()
    kind, value = split(who)
    settings = load(addresses.home)
    policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings).policy
    try:
        client = connect(addresses.clickhouse_url)
        return tell(client, find_person(client, kind, value, settings.default_region, policy))
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None


def split(text: str) -> tuple[str, str]:
    """(kind, value) of KIND:VALUE, at the first colon. Errors: UsageError without a colon or without a value."""
    kind, colon, value = text.partition(":")
    if not colon or not kind or not value.strip():
        raise UsageError(f"expected KIND:VALUE such as phone:+380670009001; came {text!r}")
    return kind, value


def find_person(client: Client, kind: str, value: str, region: str, policy: Policy) -> UUID:
    """The person meant by KIND:VALUE.

    Errors: UsageError for a kind that is none; OneThreadError `no such phone` where nobody has it.
    """
    found = _survivor(client, value) if kind == PERSON else _holder(client, kind, value, region, policy)
    if found is None:
        raise OneThreadError(f"no such {kind}")
    return found


def _survivor(client: Client, value: str) -> UUID | None:
    try:
        person_id = UUID(value.strip())
    except ValueError:
        raise UsageError(f"expected person:UUID; came {value!r}") from None
    return survivor_of(client, person_id)


def _holder(client: Client, kind: str, value: str, region: str, policy: Policy) -> UUID | None:
    if policy.aliases.get(kind, kind) not in policy.kinds:
        raise UsageError(f"no kind {kind!r}: expected {PERSON} or one of {', '.join(sorted(policy.kinds))}")
    named = normalise(kind, value, policy, region)
    if isinstance(named, Refused):
        raise OneThreadError(f"no such {kind}: the value is refused as {named.note}, so it identifies nobody")
    return person_of(client, *named)


def document(found: Profile) -> dict[str, Any]:
    """The profile as JSON: times in ISO 8601 (UTC), money and ids as texts, each order with its items and credits."""
    told = asdict(found)
    items, credits = told.pop("items"), told.pop("credits")
    told.pop("zone")
    for order in told["orders"]:
        order["items"] = [item for item in items if item["order_id"] == order["order_id"]]
        order["credits"] = [credit for credit in credits if credit["order_id"] == order["order_id"]]
    return told


def plain(value: Any) -> str:
    """What JSON has no type for, as text."""
    assert isinstance(value, UUID | Decimal | datetime), type(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)
