"""A collector that answers on a port of its own, for clients that are used as they are."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from connectors.collector.app import create_app
from tests.unit.connectors.collector.conftest import Site


class Served(Site):
    """A site, reached by HTTP."""

    url = ""

    def events(self) -> list[dict[str, Any]]:
        """What was accepted, in order."""
        return [record for topic, record in self.kept() if topic.startswith("events.")]


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Served]:
    """The collector's application behind its own server, on a free port, until the end of the block."""
    site = Served(home)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(site.collector), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline_s = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "the collector does not start"
            assert time.monotonic() < deadline_s, "the collector does not answer"
            time.sleep(0.01)
        site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield site
    finally:
        server.should_exit = True
        thread.join()
        site.spool.close()
