"""What `link`, `unlink` and `rules` share: two ends that people name become a command about a pair of identifiers."""

import sys
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.stack import find
from cli.who import PERSON, find_person, split
from connectors import commands
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import select
from streams.core.event import Identifier
from streams.core.identifiers import Refused, normalise
from streams.core.policy import Policy
from streams.errors import OneThreadError, UsageError
from streams.settings import load


def rule(verb: str, ends: tuple[str, str], reason: str) -> str:
    """Send a rule on two ends, KIND:VALUE or person:UUID each; the rule's id.

    Errors: UsageError where both are one; OneThreadError `no such phone` for an end that was never seen.
    """
    addresses = find()
    settings = load(addresses.home)
    if not reason.strip():
        raise UsageError("--reason: expected why, for those who ask later")
    governing = commands.policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings)
    client = connect(addresses.clickhouse_url)
    try:
        a, b = (identifier(client, end, governing.policy, settings.default_region) for end in ends)
        shared = [end[0] for end in (a, b) if any(row["shared"] for row in _rows(client, end))]
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None
    if a == b:
        raise UsageError(f"expected two identifiers; {ends[0]} and {ends[1]} are one")
    rule_id, _ = commands.send(
        addresses.kafka_bootstrap, addresses.registry_url, settings, verb=verb, a=named(a), b=named(b), reason=reason,
    )
    for kind in shared:
        print(f"the {kind} is many people's: the rule waits until it is not", file=sys.stderr)
    return rule_id


def named(identifier: Identifier) -> dict[str, str]:
    return {"kind": identifier[0], "value": identifier[1]}


def identifier(client: Client, text: str, policy: Policy, region: str) -> Identifier:
    """The identifier that KIND:VALUE means, in its normal form; of a person the strongest that it has.

    Errors: UsageError for a kind that is none; OneThreadError `no such phone` where it was never seen.
    """
    kind, value = split(text)
    if kind == PERSON:
        return _strongest(client, find_person(client, kind, value, region, policy), policy)
    if policy.aliases.get(kind, kind) not in policy.kinds:
        raise UsageError(f"no kind {kind!r}: expected {PERSON} or one of {', '.join(sorted(policy.kinds))}")
    found = normalise(kind, value, policy, region)
    if isinstance(found, Refused):
        raise OneThreadError(f"no such {kind}: the value is refused as {found.note}, so it identifies nobody")
    if not _rows(client, found):
        raise OneThreadError(f"no such {kind}")
    return found


def _rows(client: Client, found: Identifier) -> list[dict[str, Any]]:
    return select(client, """
        SELECT shared FROM onethread.identifiers WHERE kind = {kind:String} AND value = {value:String} LIMIT 1""",
        kind=found[0], value=found[1])


def _strongest(client: Client, person_id: UUID, policy: Policy) -> Identifier:
    rows = select(client, """
        SELECT kind, value FROM onethread.identifiers WHERE person_id = {id:UUID}""", id=person_id)
    return min(((row["kind"], row["value"]) for row in rows), key=lambda i: (-policy.kinds[i[0]].strength, i))
