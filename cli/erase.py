"""`onethread erase`: a person is forgotten everywhere; the receipt says what went and what goes when."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.progress import line
from cli.ruling import identifier
from cli.settle import wait
from cli.stack import find
from connectors import commands
from deploy.local import truncating
from deploy.local.ports import Addresses
from sinks.clickhouse import erasure, rebuilding
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import Rows, person_of, select
from streams import clock
from streams.core.commands import ERASE_VERB, ErasureDocument, Months
from streams.core.event import SCALE, Identifier, NodeKey
from streams.core.keys import Keys
from streams.errors import OneThreadError, UsageError
from streams.settings import Settings, load
from streams.topics import FORGOTTEN_MS, Topics

SETTLE_S = 300.0
FILES_S = 60
"""Files of the state and of ClickHouse are written anew within this time."""


@dataclass(frozen=True)
class Target:
    """Whom an erasure is about, before it."""

    x: Identifier
    person_id: UUID
    held: Rows
    months: Rows
    person: erasure.Person
    rows: dict[str, int]
    letters: list[tuple[int, int]]


def command(
    who: Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or person:UUID.")],
    reason: Annotated[str, typer.Option(help="Why, for those who ask later. Name nobody in it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    suppress: Annotated[
        bool, typer.Option("--suppress", help="Refuse later events of these identifiers too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a person everywhere, and print a receipt as JSON.

    Later events of the same identifiers start a new person, or with --suppress are only counted.

    Example: onethread erase phone:+380670009001 --reason "asked on 2 February"
    """
    if not reason.strip():
        raise UsageError("--reason: expected why, for those who ask later")
    addresses = find()
    settings = load(addresses.home)
    try:
        client = connect(addresses.clickhouse_url)
        target = _target(client, addresses, settings, who)
        if dry_run:
            print(json.dumps(_preview(target, addresses, settings, suppress), indent=2))
            return
        if rebuilding.under_way(client):
            raise OneThreadError("a rebuild is under way, whose tables would keep the rows: let `onethread rebuild` "
                                 "end, or give it up with `onethread rebuild --cancel`")
        _confirm(target, yes)
        print(json.dumps(_erase(client, addresses, settings, target, reason, suppress), indent=2))
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None


def _target(client: Client, addresses: Addresses, settings: Settings, who: str) -> Target:
    policy = commands.policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings).policy
    x = identifier(client, who, policy, settings.default_region)
    person_id = person_of(client, *x)
    if person_id is None:
        raise OneThreadError(f"no such {x[0]}")
    if any(row["shared"] for row in select(
            client, "SELECT shared FROM onethread.persons WHERE person_id = {id:UUID}", id=person_id)):
        raise OneThreadError(f"the {x[0]} is many people's: erase each of them by an identifier of their own")
    held = erasure.held(client, person_id)
    person = erasure.known_as(client, [row["node"] for row in held])
    return Target(x, person_id, held, erasure.months(client, person_id), person, erasure.count(client, person),
                  erasure.letters(client, person.identifiers))


def _confirm(target: Target, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("erase cannot be undone: say --yes where nobody can be asked")
    touchpoints = sum(row["touchpoints"] for row in target.months)
    typer.confirm(f"Erase a person of {len(target.held)} identifiers and {touchpoints} touchpoints?", abort=True)


def _preview(target: Target, addresses: Addresses, settings: Settings, suppress: bool) -> dict[str, Any]:
    return {
        "dry_run": True, "suppress": suppress, "identifiers": _kinds(target.held), "months": _months(target.months),
        "stores": {"clickhouse": target.rows, "dead_letters": len(target.letters)},
        "kept_until": _kept(addresses, settings, client_topics(target, addresses, settings)),
    }


def client_topics(target: Target, addresses: Addresses, settings: Settings) -> dict[str, int]:
    """Topics of raw events with how many records of the person, as far as the channels of its touchpoints tell."""
    rows = select(connect(addresses.clickhouse_url), """
        SELECT channel, sum(copies) AS records FROM onethread.touchpoints WHERE person_id = {id:UUID} GROUP BY channel
        """, id=target.person_id)
    topics = Topics(settings.topic_prefix)
    return {topics.events(row["channel"]): int(row["records"]) for row in rows}


def _erase(
    client: Client, addresses: Addresses, settings: Settings, target: Target, reason: str, suppress: bool,
) -> dict[str, Any]:
    topics = client_topics(target, addresses, settings)
    key = Keys(settings.pepper.get_secret_value(), settings.partitions).node(target.x)
    document = ErasureDocument(key.hex(), suppress, [
        Months(row["month"], row["currency"], int(row["touchpoints"]), int(row["orders"]), int(row["revenue"] * SCALE))
        for row in target.months
    ])
    receipt_id, offset = commands.send(
        addresses.kafka_bootstrap, addresses.registry_url, settings, verb=ERASE_VERB, reason=reason,
        document=msgspec.json.encode(document).decode(),
    )
    wait(addresses, settings, SETTLE_S)
    with line("deleting rows") as tell:
        return _clean(client, addresses, settings, target, (receipt_id, offset), topics,
                      lambda table: tell(description=f"deleting rows: {table}"))


def _clean(
    client: Client, addresses: Addresses, settings: Settings, target: Target, commanded: tuple[str, int],
    topics: dict[str, int], say: Callable[[str], object],
) -> dict[str, Any]:
    """What the streams do not reach: hidden rows, dead letters, commands, records that were only on their way.

    `commanded` is the id and the offset of the command.
    """
    receipt_id, before = commanded
    at_ms = _commanded_ms(client, receipt_id)
    person = erasure.known_as(client, erasure.marked(client, receipt_id) | target.person.nodes)
    letters = sorted({*target.letters, *erasure.letters(client, person.identifiers)})
    # From here on no fact of before can come again: they are consumed, and gone from their topics.
    hops = truncating.truncate_hops(addresses.kafka_bootstrap, settings)
    rows = erasure.delete(client, person, at_ms, say)
    erasure.blank(client, letters)
    dead = Topics(settings.topic_prefix).dead_letters
    ends: dict[tuple[str, int], int] = {}
    for partition, offset in letters:
        ends[dead, partition] = max(offset + 1, ends.get((dead, partition), 0))
    truncating.truncate(addresses.kafka_bootstrap, ends)
    nodes = {NodeKey(one.bytes) for one in person.nodes}
    rules = commands.forget(addresses.kafka_bootstrap, addresses.registry_url, settings, nodes, before)
    return {
        "receipt_id": receipt_id, "at": _time(at_ms), "dry_run": False,
        "identifiers": _kinds(target.held), "months": _months(target.months),
        "stores": {
            "state": {"identifiers": len(person.nodes), "files": f"written anew within {FILES_S} s"},
            "touchpoints": sum(row["touchpoints"] for row in target.months),
            "clickhouse": rows, "dead_letters": len(letters),
            "onethread.persons": f"{len(person.ids)} tombstones at most",
            "commands": rules, "hops": hops,
        },
        "kept_until": _kept(addresses, settings, topics),
    }


def _commanded_ms(client: Client, receipt_id: str) -> int:
    rows = select(client, """
        SELECT toUnixTimestamp64Milli(max(at)) AS at, count() AS number FROM onethread.erasures
        WHERE receipt_id = {id:String}""", id=receipt_id)
    if not rows[0]["number"]:
        raise OneThreadError(f"erasure {receipt_id} is not worked yet: look at `onethread status`, then erase again")
    return int(rows[0]["at"])


def _kept(addresses: Addresses, settings: Settings, topics: dict[str, int]) -> dict[str, Any]:
    """What is still kept for a while, and until when."""
    names, now_ms = Topics(settings.topic_prefix), clock.now_ms()
    retention = truncating.retention_ms(addresses.kafka_bootstrap, [*topics, names.dead_letters])
    kept: dict[str, Any] = {
        topic: {"records": number, "until": _until(retention[topic], now_ms)} for topic, number in topics.items()
    }
    compacted = f"{_time(now_ms + 2 * FORGOTTEN_MS)}, once more records come"
    kept["changelog"] = {"until": compacted}
    kept[names.commands] = {
        "until": compacted if truncating.is_compacted(addresses.kafka_bootstrap, names.commands) else "for ever",
        "records": "links, unlinks and drops that name the person; the erasure names nobody",
    }
    return kept


def _until(retention_ms: int, now_ms: int) -> str:
    return "for ever" if retention_ms < 0 else _time(now_ms + retention_ms)


def _time(at_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000))


def _kinds(held: Rows) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in held:
        found[row["kind"]] = found.get(row["kind"], 0) + 1
    return found


def _months(rows: Rows) -> list[dict[str, Any]]:
    return [{**row, "revenue": str(row["revenue"])} for row in rows]
