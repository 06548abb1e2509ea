"""`onethread rules`: the forced links and splits that hold, and taking one back."""

import json
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli import looks
from cli.ruling import named
from cli.stack import find
from connectors import commands
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import reporting_zone, select
from streams.errors import OneThreadError
from streams.settings import load

app = typer.Typer(no_args_is_help=True, help="The forced links and splits that hold, and taking one back.")

RULES_SQL = """
SELECT rule_id, verb, kind_a, value_a, kind_b, value_b, at, reason FROM onethread.rules ORDER BY at, rule_id"""


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List the rules that hold: of each pair the last word, unless it was dropped."""
    rows, zone = _rules()
    if as_json:
        print(json.dumps([{**row, "at": row["at"].isoformat()} for row in rows], indent=2, ensure_ascii=False))
        return
    sheet = looks.sheet("rule", "verb", "a", "b", "at", "reason")
    for row in rows:
        sheet.add_row(row["rule_id"], row["verb"], f"{row['kind_a']}:{row['value_a']}",
                      f"{row['kind_b']}:{row['value_b']}", looks.moment(row["at"], zone), row["reason"])
    looks.page().print(sheet if rows else "no rules")


@app.command("drop")
def drop(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="As `link`, `unlink` or `rules list` printed it.")],
    reason: Annotated[str, typer.Option(help="Why it is taken back.")] = "",
) -> None:
    """Take a rule back: as if nothing had been said on that pair."""
    found = [row for row in _rules()[0] if row["rule_id"] == rule_id]
    if not found:
        raise OneThreadError(
            f"no such rule {rule_id}: `onethread rules list` shows those that hold, a new one once it is settled"
        )
    row, addresses = found[0], find()
    commands.send(
        addresses.kafka_bootstrap, addresses.registry_url, load(addresses.home), verb="drop", reason=reason,
        a=named((row["kind_a"], row["value_a"])), b=named((row["kind_b"], row["value_b"])),
    )
    print(f"dropped {rule_id}: {row['verb']} {row['kind_a']}:{row['value_a']} {row['kind_b']}:{row['value_b']}")


def _rules() -> tuple[list[dict[str, Any]], str]:
    addresses = find()
    try:
        client = connect(addresses.clickhouse_url)
        return select(client, RULES_SQL), reporting_zone(client)
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None
