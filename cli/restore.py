"""`onethread restore`: a backup becomes the stack of an empty home, or fills an empty cluster."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.backup import checked
from cli.progress import StartProgress, line
from deploy.local import archive, home, restoring, stack
from deploy.local.ports import Addresses
from deploy.local.rebuilding import rebuild
from streams.errors import OneThreadError, UsageError
from streams.settings import load


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `onethread backup` wrote.")],
    workers: Annotated[int, typer.Option(help="How many worker processes share the work.")] = 1,
    replay: Annotated[bool, typer.Option("--replay", help="Only what came in; all else is made of it anew.")] = False,
    since: Annotated[str, typer.Option(
        metavar="TIME", help="With --replay: only events received from then on, such as 2026-03-01.")] = "",
) -> None:
    """Start a stack in an empty home that goes on where the backup's was; its rows are built again.

    With --replay state and rows are made anew of events and commands, under the rules of this release.
    With ONETHREAD_KAFKA set, fill the empty topics of that cluster instead: start workers then, and
    `onethread rebuild`.

    Example: ONETHREAD_HOME=/new onethread restore /backups/2026-03-01
    """
    if since and not replay:
        raise UsageError("--since: expected with --replay: a state cannot be cut at a date")
    since_ms = _since_ms(since) if replay else None
    addresses, manifest = Addresses.from_environ(), archive.read(folder)
    print(checked(folder))
    if home.exists(addresses.home):
        raise OneThreadError(f"expected an empty home; {addresses.home} holds a stack: set ONETHREAD_HOME, or empty it "
                             "with `onethread down --wipe`")
    restoring.bring_files(addresses.home, folder)
    if addresses.outside:
        with line("restoring") as tell:
            restoring.restore(addresses, load(addresses.home), folder, manifest,
                              lambda text: tell(description=text), since_ms)
        print("restored; start the workers" + ("" if replay else ", then `onethread rebuild`"))
        return
    home.begin_restoring(addresses.home, folder, since_ms)
    with StartProgress() as progress:
        stack.start(addresses, workers, progress.waiting, progress.download)
    if replay:
        print(f"the stack is up in {addresses.home} and works the events; `onethread settle` waits for it")
        return
    with line("rebuilding") as tell:
        count = rebuild(addresses, load(addresses.home), lambda text: tell(description=text))
    restoring.restore_models(addresses, folder)
    print(f"restored: {count:,} rows; the stack is up in {addresses.home}")


def _since_ms(text: str) -> int:
    """Epoch milliseconds of a time, UTC where it names no zone; 0 for none. Errors: UsageError."""
    if not text:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since: expected a time such as 2026-03-01T00:00:00Z; came {text!r}") from None
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)
