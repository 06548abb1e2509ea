"""`onethread why`: what makes two identifiers one person, event by event; or what keeps them apart."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli import looks
from cli.reasons import explain
from cli.ruling import identifier
from cli.stack import find
from cli.who import plain
from connectors.commands import policy_in_force
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import reporting_zone
from streams.errors import OneThreadError
from streams.settings import load


def command(
    a: Annotated[str, typer.Argument(metavar="A", help="KIND:VALUE, or person:UUID.")],
    b: Annotated[str, typer.Argument(metavar="B", help="KIND:VALUE, or person:UUID.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Tell why two identifiers are one person: the shortest chain of evidence, with the events behind it.

    Where they are not one person: the rule, the limit or the lack of evidence that keeps them apart.

    Example: onethread why phone:+380670009001 click_id:gclid-golden
    """
    addresses = find()
    settings = load(addresses.home)
    policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings).policy
    try:
        client = connect(addresses.clickhouse_url)
        one, other = (identifier(client, text, policy, settings.default_region) for text in (a, b))
        told, zone = explain(client, one, other, policy), reporting_zone(client)
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False, default=plain))
    else:
        looks.page().print(page(told, zone))


def page(told: dict[str, Any], zone: str) -> RenderableType:
    """The document of `explain` on a terminal."""
    if told["same"]:
        return Group(looks.title("One person", str(told["person_ids"][0])), Text(), *_chain(told, zone))
    ids = " and ".join(str(person_id) for person_id in told["person_ids"])
    return Group(looks.title("Two persons", ids), Text(), *_apart(told, zone))


def _chain(told: dict[str, Any], zone: str) -> Iterator[RenderableType]:
    yield _node(told["a"])
    for link in told["chain"]:
        yield from _tie(link, zone)
        yield _node(link["to"])


def _node(identifier: dict[str, Any]) -> Text:
    return Text(f"  {_name(identifier)}", style="bold")


def _name(identifier: dict[str, Any]) -> str:
    return f"{identifier['kind']}:{identifier['value']}"


def _tie(link: dict[str, Any], zone: str) -> Iterator[RenderableType]:
    """What stands between two identifiers: a rule, or the events that named both."""
    if rule := link["rule"]:
        yield Text(f"  │  linked by rule {rule['rule_id']}, {looks.moment(rule['at'], zone)}: {rule['reason']}")
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    for event in link["seen"]:
        table.add_row(
            "│", looks.moment(event["occurred_at"], zone), looks.channel(event["channel"]), event["source"],
            event["type"].replace("_", " "), Text(event["event_id"], style="dim"),
        )
    if more := link["events"] - len(link["seen"]):
        table.add_row("│", Text(f"and {more:,} more", style="dim"))
    yield Padding(table, (0, 0, 0, 2))


def _apart(told: dict[str, Any], zone: str) -> Iterator[RenderableType]:
    for end in told["shared"]:
        yield Text(f"  {_name(end)} belongs to many people: it was seen with {end['met']:,} others and ties nobody")
    for rule in told["rules"]:
        yield _pair(rule, f"held apart by rule {rule['rule_id']}, {looks.moment(rule['at'], zone)}: {rule['reason']}")
    for limit in told["limits"]:
        yield Text(f"  together they would hold {limit['together']:,} {limit['kind'] or 'identifiers'}; "
                   f"the policy allows {limit['limit']:,}")
    for tie in told["refused"]:
        yield _pair(tie, f"seen together, but {_WHY_NOT[tie['refused_because']]}{_missing(tie)}")
        yield from _tie(tie, zone)
    if told["refused_more"]:
        yield Text(f"  and {told['refused_more']:,} more pairs", style="dim")
    if told["in_common"]:
        names = ", ".join(_name(identifier) for identifier in told["in_common"])
        yield Text(f"  both were seen with {names}: many people's, so it ties nobody")
    if told["because"] == "never":
        yield Text("  no event named identifiers of both")


_WHY_NOT = {
    "weak": "not enough", "shared": "one end belongs to many people", "unlink": "parted by a rule",
    "limit": "one person would hold too many",
}


def _pair(pair: dict[str, Any], note: str) -> Text:
    return Text.assemble((f"  {_name(pair['a'])}  –  {_name(pair['b'])}", "bold"), f"\n  │  {note}")


def _missing(tie: dict[str, Any]) -> str:
    if tie["refused_because"] != "weak":
        return ""
    if tie["missing"] == "events":
        return f": {tie['events']} of {tie['events_needed']} events that it needs"
    return f": what its {tie['events']} events are worth is less than {tie['threshold']}"
