"""`onethread channels`: where customers can be met, and adding a channel of one's own without code."""

import json
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException

from cli import looks
from deploy.local import home, stack, topics
from deploy.local.ports import Addresses
from schemas.registry import register_all
from sinks.clickhouse import cluster
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrations import channels_view
from streams.core.channels import registry
from streams.errors import OneThreadError, Retryable, UsageError
from streams.settings import Settings, load, own_channels
from streams.topics import Topics

app = typer.Typer(no_args_is_help=True, help="Where customers can be met: add, list.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower case letters, digits, _ and -.")],
    family: Annotated[str, typer.Option(help="online, store, phone or other.")],
) -> None:
    """Add a channel: it is written into the home's onethread.toml, and its topic is made where a stack runs.

    Example: onethread channels add vending --family store
    """
    addresses = Addresses.from_environ()
    before = load(addresses.home)
    found = registry(before.channels).get(name)
    if found and found.family != family:
        raise UsageError(f"{name} is there already, in the family {found.family}; {home.SETTINGS} can change that")
    if found:
        print(f"{name} is there already")
        return
    own_channels({name: {"family": family}})
    settings = _write(addresses.home, name, family)
    print(f"added {name} to {addresses.home / home.SETTINGS}")
    if stack.is_running(addresses.home) or addresses.outside:
        _make(addresses, settings, name)
        print(f"the topic {Topics(settings.topic_prefix).events(name)} is there and the collector takes the channel in "
              "a few seconds; workers read it after `onethread down` and `onethread up`")


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List every channel with its family."""
    own = load(Addresses.from_environ().home).channels
    found = registry(own).values()
    if as_json:
        print(json.dumps([{"channel": c.name, "family": c.family, "own": c.name in own} for c in found], indent=2))
        return
    sheet = looks.sheet("channel", "family", "")
    for channel in found:
        sheet.add_row(looks.channel(channel.name), channel.family, "own" if channel.name in own else "")
    looks.page().print(sheet)


def _write(folder: Path, name: str, family: str) -> Settings:
    """Add the table, whole or not at all. Errors: UsageError where the settings would not hold with it."""
    path = folder / home.SETTINGS
    if path.is_symlink():
        raise UsageError(f"the settings are in {path.resolve()}: add there\n\n[channels.{name}]\nfamily = \"{family}\"")
    folder.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if path.exists() else ""
    whole = folder / f"{home.SETTINGS}.new"
    gap = "\n" if text and not text.endswith("\n") else ""
    whole.write_text(f'{text}{gap}\n[channels.{name}]\nfamily = "{family}"\n'.lstrip("\n"))
    try:
        settings = load(folder, file=whole)
    except OneThreadError:
        whole.unlink()
        raise
    whole.replace(path)
    return settings


def _make(addresses: Addresses, settings: Settings, name: str) -> None:
    """Topic, schema and view. Errors: OneThreadError where a part does not answer; `onethread up` makes what lacks."""
    try:
        topics.create(addresses.kafka_bootstrap, settings, settings.brokers)
        register_all(addresses.registry_url, Topics(settings.topic_prefix), [name])
        cluster.run(connect(addresses.clickhouse_url), channels_view(settings))
    except (KafkaException, Retryable, ClickHouseError) as error:
        raise OneThreadError(f"not everything of the channel could be made: {error}; "
                             "`onethread down` and `onethread up` make the rest") from error

