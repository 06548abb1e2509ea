"""Progress of long work on a terminal; silent in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

Tell: TypeAlias = Callable[..., Any]
"""Changes the line: completed=…, description=…"""


@contextmanager
def line(text: str, total: int | None = None) -> Iterator[Tell]:
    """What is being done and for how long, with a bar where the total is known."""
    console = Console(stderr=True)
    measured = [BarColumn(30), MofNCompleteColumn()] if total else []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), *measured, TimeElapsedColumn(),
                  console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(text, total=total)
        yield lambda **changes: progress.update(task, **changes)


class StartProgress:
    """One line of what is being waited for, and one for the file that is coming in."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._lines = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), DownloadColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )
        self._waiting = self._lines.add_task("checking", total=None)
        self._file = self._lines.add_task("download", visible=False)

    def __enter__(self) -> "StartProgress":
        self._lines.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lines.stop()

    def waiting(self, text: str) -> None:
        self._lines.update(self._file, visible=False)
        self._lines.update(self._waiting, description=text)

    def download(self, name: str, done: int, total: int) -> None:
        self._lines.update(self._waiting, description="downloading, once")
        self._lines.update(self._file, description=name, completed=done, total=total, visible=done < total)
