"""`onethread config`: the settings of a home, where each comes from, and changing those that shape facts."""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import looks
from cli.progress import StartProgress, line
from cli.stack import find
from cli.sweeping import wait
from connectors import commands
from deploy.local import growing, home, stack
from deploy.local.ports import Addresses
from sinks.clickhouse import cluster
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrations import settings_view
from sinks.clickhouse.profile import select
from streams.core.commands import SETTINGS_VERB, settings_document
from streams.core.shaping import DURATIONS
from streams.errors import OneThreadError, UsageError
from streams.settings import SHAPING, Settings, load, written

app = typer.Typer(no_args_is_help=True, help="The settings: show, check, apply.")

REACHES_HISTORY = frozenset(DURATIONS)
"""Applied to facts already made, as a policy is."""

GROWS = frozenset({"partitions"})
"""May become more: the state is put where it then belongs, with the stack stopped for it."""

NEW_HOME = SHAPING - REACHES_HISTORY - GROWS | {"pepper"}
"""What events became depends on them from the first one on: a change needs an empty home and the events again."""

File = Annotated[str, typer.Argument(metavar="FILE", help="A settings file; without it the home's onethread.toml.")]


@app.command()
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """Show every setting, its value and where it comes from."""
    folder = Addresses.from_environ().home
    settings = load(folder)
    rows = [(*_written(name, getattr(settings, name)), _origin(name, folder)) for name in Settings.model_fields]
    if as_json:
        print(json.dumps({key: {"value": value, "origin": origin} for key, value, origin in rows}, indent=2))
        return
    sheet = looks.sheet("setting", "value", "from")
    for row in rows:
        sheet.add_row(*row)
    looks.page().print(sheet)
    for name, (then, now) in home.changed(folder, settings).items():
        print(f"not applied: {_told(name, then, now)}")


@app.command()
def check(file: File = "") -> None:
    """Check a settings file, and tell what it would change in facts already made. Exit 1 where it could not be applied.

    Example: onethread config check new.toml
    """
    folder = Addresses.from_environ().home
    settings = load(folder, file=_file(file))
    differ = home.changed(folder, settings)
    _refuse(differ)
    print(f"{file or 'the settings'}: good")
    for name, (then, now) in differ.items():
        print(f"to apply: {_told(name, then, now)}")


@app.command()
def apply(file: File = "") -> None:
    """Make settings hold, also for facts already made: these are made anew while events flow.

    Nothing is changed unless all of it can be. Settings that shape no facts hold from the next `onethread up` on.
    For more partitions the stack is stopped, its state moved, and the stack started again.
    """
    addresses = find()
    settings, path = load(addresses.home, file=_file(file)), _file(file)
    if path is not None:
        _check_link(addresses.home)
    differ = home.changed(addresses.home, settings)
    _refuse(differ)
    if durations := {name: getattr(settings, name) for name in DURATIONS if name in differ}:
        _make_anew(addresses, load(addresses.home), durations)
    if path is not None:
        _install(addresses.home, path)
    if "partitions" in differ:
        _grow(addresses, settings)
    home.remember(addresses.home, settings)
    cluster.run(connect(addresses.clickhouse_url), settings_view(settings))
    for name, (then, now) in differ.items():
        print(f"applied: {_told(name, then, now)}")
    if not differ:
        print("facts are made under these settings already; the others hold from the next `onethread up` on")


def _make_anew(addresses: Addresses, running: Settings, durations: dict[str, int]) -> None:
    _, offset = commands.send(
        addresses.kafka_bootstrap, addresses.registry_url, running,
        verb=SETTINGS_VERB, document=settings_document(durations),
    )
    held = select(connect(addresses.clickhouse_url), "SELECT count() AS held FROM onethread.identifiers")[0]["held"]
    wait(addresses, running, offset + 1, held)


def _grow(addresses: Addresses, settings: Settings) -> None:
    """More partitions: with the stack of this home, the stack stopped for it; with one elsewhere, its workers."""
    before = home.shaped(addresses.home)["partitions"]
    if addresses.outside:
        with line("adding partitions") as tell:
            growing.grow(addresses.kafka_bootstrap, settings, before, addresses.home / "state" / "growing",
                         lambda text: tell(description=text))
        return
    workers = sum(record.name.startswith("worker-") for record in stack.living_parts(addresses.home))
    home.begin_growing(addresses.home)
    with StartProgress() as progress:
        stack.stop(addresses.home)
        stack.start(addresses, workers, progress.waiting)


def _refuse(differ: dict[str, tuple[Any, Any]]) -> None:
    """Errors: OneThreadError naming what cannot be applied, and what can."""
    refused = [_told(name, then, now) for name, (then, now) in differ.items() if name in NEW_HOME]
    for name in GROWS & differ.keys():
        then, now = differ[name]
        if now < then:
            raise OneThreadError(f"{name}: expected more than {then}; came {now}: Kafka cannot take any away")
    if refused:
        can = ", ".join(sorted(name.removesuffix("_ms") for name in REACHES_HISTORY | GROWS))
        raise OneThreadError(
            "these settings made facts what they are from the first event on; another value needs an empty home and "
            f"the events again; nothing was changed (applied can be: {can}):\n  " + "\n  ".join(refused)
        )


def _told(name: str, then: Any, now: Any) -> str:
    if name == "pepper":
        return "pepper: another one"
    return f"{written(name, then)} → {_written(name, now)[1]}"


def _written(name: str, value: Any) -> tuple[str, str]:
    """(key, value) as in the file; a secret is not told."""
    if name == "pepper":
        return name, "set" if value.get_secret_value() else ""
    if name == "channels":
        return name, ", ".join(f"{channel} ({family})" for channel, family in sorted(value.items()))
    if name == "mappings":
        return name, ", ".join(f"{topic} ({file})" for topic, file in sorted(value.items()))
    key, _, text = written(name, value).partition(" ")
    return key, text.strip("'")


def _origin(name: str, folder: Path) -> str:
    key = name.removesuffix("_ms")
    if f"ONETHREAD_{key.upper()}" in os.environ:
        return f"ONETHREAD_{key.upper()}"
    path = folder / home.SETTINGS
    if path.exists() and key in tomllib.loads(path.read_text()):
        return str(path.resolve())
    if key == "pepper" and (folder / "pepper").exists():
        return str(folder / "pepper")
    return "default"


def _file(file: str) -> Path | None:
    if file and not Path(file).is_file():
        raise UsageError(f"no such file: {file}")
    return Path(file) if file else None


def _check_link(folder: Path) -> None:
    link = folder / home.SETTINGS
    if link.is_symlink():
        raise UsageError(f"the settings are in {link.resolve()}: change that file, then `onethread config apply`")


def _install(folder: Path, path: Path) -> None:
    """Make the file's text the home's settings, whole or not at all."""
    whole = folder / f"{home.SETTINGS}.new"
    whole.write_text(path.read_text())
    whole.replace(folder / home.SETTINGS)
