"""`onethread backup`: what a deployment holds, written to a folder while it works; and whether a backup is whole."""

from pathlib import Path
from typing import Annotated

import typer

from cli.progress import line
from cli.stack import find
from deploy.local import archive, backing
from deploy.local.settle import drained
from streams.errors import OneThreadError
from streams.settings import load

SPOOL_S = 60.0


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or is empty.")],
    check: Annotated[bool, typer.Option("--check", help="Read a backup and say whether it is whole.")] = False,
) -> None:
    """Write topics, state, schemas, settings and keys to a folder, while events flow.

    The folder holds the pepper and what customers said of themselves: keep it as you keep these.

    Example: onethread backup /backups/2026-03-01
    """
    if check:
        print(checked(folder))
        return
    addresses = find()
    settings = load(addresses.home)
    with line("backing up") as tell:
        if not addresses.outside:
            drained(addresses.collector_url, SPOOL_S)
        manifest = backing.back_up(addresses, settings, folder, lambda text: tell(description=text))
    print(described(folder, manifest))


def checked(folder: Path) -> str:
    """Errors: OneThreadError naming every file that is not as it was written."""
    manifest = archive.read(folder)
    with line("checking"):
        problems = archive.problems(folder, manifest)
    if problems:
        raise OneThreadError(f"{folder} is damaged:\n  " + "\n  ".join(problems))
    return f"whole: {described(folder, manifest)}"


def described(folder: Path, manifest: archive.Manifest) -> str:
    spans = [span for parts in manifest.topics.values() for span in parts.values()]
    size_mb = sum(span.bytes for span in spans) / 1e6
    return (f"{sum(span.records for span in spans):,} records of {len(manifest.topics)} topics, {size_mb:,.1f} MB, "
            f"of {manifest.created_at}, in {folder}")
