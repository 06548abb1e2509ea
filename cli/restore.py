"""`onethread restore`: a backup becomes the stack of an empty home, or fills an empty cluster."""

from pathlib import Path
from typing import Annotated

import typer

from cli.backup import checked
from cli.progress import StartProgress, line
from deploy.local import archive, home, restoring, stack
from deploy.local.ports import Addresses
from deploy.local.rebuilding import rebuild
from streams.errors import OneThreadError
from streams.settings import load


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `onethread backup` wrote.")],
    workers: Annotated[int, typer.Option(help="How many worker processes share the work.")] = 1,
) -> None:
    """Start a stack in an empty home that goes on where the backup's was; its rows are built again.

    With ONETHREAD_KAFKA set, fill the empty topics of that cluster instead: start workers then, and
    `onethread rebuild`.

    Example: ONETHREAD_HOME=/new onethread restore /backups/2026-03-01
    """
    addresses, manifest = Addresses.from_environ(), archive.read(folder)
    print(checked(folder))
    if home.exists(addresses.home):
        raise OneThreadError(f"expected an empty home; {addresses.home} holds a stack: set ONETHREAD_HOME, or empty it "
                             "with `onethread down --wipe`")
    restoring.bring_files(addresses.home, folder)
    if addresses.outside:
        with line("restoring") as tell:
            restoring.restore(addresses, load(addresses.home), folder, manifest,
                              lambda text: tell(description=text))
        print("restored; start the workers, then `onethread rebuild`")
        return
    home.begin_restoring(addresses.home, folder)
    with StartProgress() as progress:
        stack.start(addresses, workers, progress.waiting, progress.download)
    with line("rebuilding") as tell:
        count = rebuild(addresses, load(addresses.home), lambda text: tell(description=text))
    restoring.restore_models(addresses, folder)
    print(f"restored: {count:,} rows; the stack is up in {addresses.home}")
