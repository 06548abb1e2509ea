"""What is told of a stack as a whole, `/metrics` on the port of the portal: its parts, the books, who is shared.

One process of a stack does it, else the books would be counted as often as there are processes. In a local stack that
is the supervisor; a deployment without one runs `python -m deploy.local.exporting`. It asks what `onethread status`
asks, so both say the same. ClickHouse is asked every BOOKS_S, and so seldom that a twentieth of the time goes into it.
"""

import threading
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST

from deploy.local import status
from deploy.local.ports import Addresses
from deploy.local.records import Record
from deploy.local.supervisor import stop_on_signals
from streams import metrics
from streams.http_pages import Answer, HttpPages
from streams.settings import Settings, load

PARTS_S = 5.0
BOOKS_S = 10.0
REST = 20.0
"""So many times as long as an answer took, the next question waits: ClickHouse has work of its own."""

log = structlog.get_logger()


class Exporter:
    """Asks in two threads and answers in others. It only reads; a fault of it stops nobody."""

    def __init__(self, addresses: Addresses, settings: Settings) -> None:
        self._addresses, self._settings = addresses, settings
        self._stop = threading.Event()
        self._pages = HttpPages(addresses.bind, addresses.portal, _page)
        self._parts: set[str] = set()

    def start(self) -> None:
        metrics.tell_version("supervisor")
        self._pages.start()
        for name, work in (
            ("exporter-parts", lambda: self._repeat(self.look_at_parts, PARTS_S, rest=0)),
            ("exporter-books", lambda: self._repeat(self.read_books, BOOKS_S, REST)),
        ):
            threading.Thread(target=work, name=name, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        self._pages.stop()

    def look_at_parts(self) -> None:
        """Which parts run, by asking each, as `status` does."""
        self._parts = tell_parts(status.parts(self._addresses, self._settings), self._parts)

    def read_books(self) -> None:
        """What ClickHouse says; where it does not answer, the last figures stay, and their age tells."""
        books, identity = status.books(self._addresses), status.identity(self._addresses)
        if books and identity:
            tell_books(books, identity)
            metrics.BOOKS_READ.set_to_current_time()

    def _repeat(self, work: Callable[[], None], every_s: float, rest: float) -> None:
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            started = time.monotonic()
            try:
                work()
            except Exception as error:  # of whatever is asked, on its way up or down
                log.warning("not_told", asked=work.__name__, error=type(error).__name__)
            wait_s = max(every_s, rest * (time.monotonic() - started))


def tell_parts(parts: list[Record], before: Collection[str] = ()) -> set[str]:
    """Set the gauges of parts and take back those of parts that are no more; the names that are told now."""
    names = {part.name for part in parts}
    for name in set(before) - names:
        metrics.PART_UP.remove(name)
        metrics.PART_RESTARTS.remove(name)
    for part in parts:
        metrics.PART_UP.labels(part.name).set(part.state == "running")
        metrics.PART_RESTARTS.labels(part.name).set(part.restarts)
    return names


def tell_books(books: dict[str, Any], identity: dict[str, Any]) -> None:
    """Shape: one row of `status.BOOKS_SQL`, one of `status.IDENTITY_SQL`."""
    for entry in status.BOOKS:
        metrics.BOOKS.labels(entry).set(int(books[entry]))
    metrics.CONFLICTING_DUPLICATES.set(int(books["conflicting_duplicates"]))
    metrics.AS_OF.set(datetime.fromisoformat(books["as_of"]).timestamp())
    metrics.SHARED_IDENTIFIERS.set(int(identity["shared"]))
    metrics.IDENTIFIERS_CONTESTED.set(int(identity["contested"]))
    metrics.PENDING_LINKS.set(int(identity["pending_links"]))


def _page(_path: str, _authorization: str) -> Answer:
    return 200, CONTENT_TYPE_LATEST, metrics.page(metrics.SUPERVISOR)


def main() -> None:
    """Tell of the stack that the environment names, until SIGTERM."""
    addresses = Addresses.from_environ()
    stop = threading.Event()
    stop_on_signals(stop)
    exporter = Exporter(addresses, load(addresses.home))
    exporter.start()
    stop.wait()
    exporter.stop()


if __name__ == "__main__":
    main()
