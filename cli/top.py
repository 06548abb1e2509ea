"""`onethread top`: the pipeline as it runs, read from the processes' metrics every two seconds."""

import io
import json
import re
import select
import sys
import termios
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.live import Live

from cli.flow import HISTORY, Flow, Part, flow
from cli.scraping import Scrape, scrape
from cli.screen import screen
from cli.stack import find
from deploy.local import records, workers
from deploy.local.parts import COLLECTOR
from deploy.local.ports import Addresses
from deploy.local.supervisor import SUPERVISOR

EVERY_S = 2.0
ONCE_S = 1.0
"""Between the two scrapes of one frame: rates need two."""
PICTURE_SCRAPES = 10
PIPE_WIDTH = 120


def command(
    once: Annotated[bool, typer.Option("--once", help="One frame, as a pipe gets it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    at: Annotated[list[str] | None, typer.Option(
        metavar="URL", help="A page of metrics of a deployment elsewhere; once for each process.",
    )] = None,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="One frame as a picture, after 20 s.")] = None,
) -> None:
    """Show parts, events a second, lag, latency until visible, batches, commits, ClickHouse and books, live.

    q or Ctrl-C ends it.
    """
    view = View(find() if not at else None, at or [])
    if as_json:
        print(json.dumps(asdict(view.frame(ONCE_S)), indent=2))
    elif svg:
        for _ in range(PICTURE_SCRAPES - 1):
            view.frame(ONCE_S)
            time.sleep(ONCE_S)
        svg.write_text(picture(view.shown(view.frame(ONCE_S))))
    elif once or not sys.stdout.isatty():
        console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
        console.print(view.shown(view.frame(ONCE_S)))
    else:
        view.live()


def picture(frame: RenderableType) -> str:
    """A frame as SVG that asks no other site for a font."""
    console = Console(record=True, width=PIPE_WIDTH, file=io.StringIO())
    console.print(frame)
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="onethread top"), flags=re.DOTALL)


class View:
    """Remembers the last scrapes of one stack, or of the pages named."""

    def __init__(self, addresses: Addresses | None, pages: list[str]) -> None:
        self._addresses, self._pages = addresses, pages
        self._scrapes: deque[Scrape] = deque(maxlen=HISTORY)

    def frame(self, after_s: float) -> Flow:
        """The present flow; the first one waits for a second scrape `after_s` later."""
        if not self._scrapes:
            self._scrapes.append(scrape(self._urls()))
            time.sleep(after_s)
        urls = self._urls()
        self._scrapes.append(scrape(urls))
        return flow(list(self._scrapes), self._parts(), list(urls))

    def shown(self, found: Flow) -> RenderableType:
        where = str(self._addresses.home) if self._addresses else f"{len(self._pages)} pages"
        return screen(found, where, datetime.now().astimezone())

    def live(self) -> None:
        """Until q or Ctrl-C."""
        with keys() as pressed, Live(screen=True, auto_refresh=False) as live:
            live.update(self.shown(self.frame(ONCE_S)), refresh=True)
            while not pressed(EVERY_S):
                live.update(self.shown(self.frame(0)), refresh=True)

    def _parts(self) -> list[Part]:
        if self._addresses is None:
            return []
        found = records.read_all(self._addresses.home).values()
        return [Part(part.name, part.state if records.process(part) or part.state != "running" else "dead",
                     part.restarts, part.last_error) for part in found]

    def _urls(self) -> dict[str, str]:
        """Where each process tells its metrics, by its name."""
        if self._addresses is None:
            return {url: url for url in self._pages}
        told = records.read_all(self._addresses.home)
        urls = {name: f"http://{part.address}" for name, part in told.items()
                if name == SUPERVISOR or name.startswith("worker-")}
        if workers.are_outside():
            urls |= {f"worker-{n}": url for n, url in enumerate(workers.urls(self._addresses))}
        if COLLECTOR in told or self._addresses.is_outside("COLLECTOR"):
            urls[COLLECTOR] = self._addresses.collector_url
        return {name: f"{url}/metrics" for name, url in urls.items()}


@contextmanager
def keys() -> Iterator[Callable[[float], bool]]:
    """A function that waits so many seconds for the key q: whether it was pressed. Without a keyboard it only waits."""
    if not sys.stdin.isatty():
        yield _wait
        return
    before = termios.tcgetattr(sys.stdin)

    def pressed(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([sys.stdin], [], [], left)[0] and sys.stdin.read(1) in "qQ":
                return True
        return False

    try:
        tty.setcbreak(sys.stdin)
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False
