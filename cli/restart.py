"""`onethread restart`: workers one by one, while events flow."""

from typing import Annotated

import typer

from cli.progress import line
from cli.stack import find
from deploy.local import rolling


def command(
    parts: Annotated[list[str] | None, typer.Argument(
        metavar="[PART]…", help="worker-0, worker-1 …, collector; without any: all workers.",
    )] = None,
) -> None:
    """Restart all workers of the running stack, or the parts named, one after the other.

    The next one follows when the one before works again and has caught up, so nothing stands still for long. New code
    and the settings that workers read at their start come into force so.
    """
    addresses = find()
    names = parts or rolling.workers(addresses)
    with line("restarting") as tell:
        for name, seconds in rolling.restart(addresses, names, lambda text: tell(description=text)):
            print(f"{name} works again after {seconds:.1f} s", flush=True)
