"""`onethread export`: everything that the views hold on a person, as one JSON document."""

import json
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.stack import find
from cli.who import find_person, plain, split
from connectors.commands import policy_in_force
from sinks.clickhouse.client import connect
from sinks.clickhouse.held import held
from streams.errors import OneThreadError
from streams.settings import load


def command(
    who: Annotated[str, typer.Argument(metavar="KIND:VALUE", help="An identifier, or person:UUID.")],
) -> None:
    """Print everything held on a person, as one JSON document.

    Refused input (`dead_letters`) is not part of it: nobody has decided yet whose it is.

    Example: onethread export phone:+380670009001 > person.json
    """
    addresses = find()
    kind, value = split(who)
    settings = load(addresses.home)
    policy = policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings).policy
    try:
        client = connect(addresses.clickhouse_url)
        found = held(client, find_person(client, kind, value, settings.default_region, policy))
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}: {error}") from None
    print(json.dumps(found, indent=2, ensure_ascii=False, default=plain))
