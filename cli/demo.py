"""`onethread demo`: six weeks of a sample business through the real stack, and what the thread shows of them."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cli import looks, progress
from cli.settle import wait
from cli.story import show
from connectors.emit import Emitter
from deploy.local import home, stack
from deploy.local.ports import Addresses
from examples.sample.catalogue import AS_OF, CURRENCY, ZONE
from examples.sample.world import PEOPLE, PEOPLE_MAX, SEED, lines
from streams.core.policy import default
from streams.errors import OneThreadError
from streams.settings import Settings, load

MARKER = "demo"
"""A file in the home that says: whatever is here was made by the demo and may be made anew."""

SETTINGS = f"""\
# Written by `onethread demo`.
as_of = "{AS_OF}"
default_region = "UA"
reporting_currency = "{CURRENCY}"
reporting_zone = "{ZONE}"
pepper = "the demo's pepper is no secret"
"""

SETTLE_S = 240.0
SHOWN_EVERY = 250


def command(
    people: Annotated[int, typer.Option(help="How many people live in the sample.", min=1, max=PEOPLE_MAX)] = PEOPLE,
) -> None:
    """Start a stack, send six weeks of sample events of every channel, and tell what the thread shows of them.

    The stack stays up: ask it with `onethread sql` and `onethread who`, stop it with `onethread down`.
    """
    began = time.monotonic()
    addresses = Addresses.from_environ()
    claim(addresses.home)
    with progress.StartProgress() as start:
        stack.start(addresses, 1, start.waiting, start.download)
    settings = load(addresses.home)
    send(addresses, settings, people)
    wait(addresses, settings, SETTLE_S)
    page = looks.page()
    show(page, addresses, settings)
    page.print(f"\n  from an empty folder to this page in {time.monotonic() - began:.0f} s", style="dim")


def claim(folder: Path) -> None:
    """Make the home ready for a demo: new, or with everything of an earlier one removed.

    Errors: OneThreadError where the home holds anything that no demo made.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise OneThreadError(
                f"{folder} holds a stack that is not the demo's: set ONETHREAD_HOME to an empty folder for the demo "
                "(and ONETHREAD_PORT_BASE, should that stack be running)"
            )
        stack.stop(folder)
        home.wipe(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made by `onethread demo`, which makes this folder anew each time.\n")
    (folder / "onethread.toml").write_text(SETTINGS)


def send(addresses: Addresses, settings: Settings, people: int, seed: int = SEED) -> None:
    """The sample into the stack, by the same way as `onethread emit`."""
    told = list(lines(seed, people))
    with (
        progress.line("sending events", len(told)) as tell,
        Emitter(addresses.kafka_bootstrap, addresses.registry_url, settings, default()) as emitter,
    ):
        for number, line in enumerate(told, 1):
            emitter.send(line.encode(), f"sample:{number}")
            if number % SHOWN_EVERY == 0:
                tell(completed=number)
