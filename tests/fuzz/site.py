"""`python -m tests.fuzz.site HOME PORT`: the collector as it is run, with a broker that takes everything.

What arrives at that broker is written to HOME/arrived, a line each: source and event_id of an event, `!` for a dead
letter. Look-ups are answered from the state of a worker that knows some customers.
"""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from connectors.collector.__main__ import CONNECTIONS_MAX, KEEP_ALIVE_S, STOP_S_MAX
from connectors.collector.app import create_app
from connectors.collector.collecting import Collector
from connectors.collector.keys import Keys
from connectors.collector.rules import Ruling
from connectors.draining import Drain
from connectors.lookup.figures import Desk
from connectors.lookup.lookup import Lookup
from connectors.lookup.state import State
from connectors.spool import Spool
from deploy.local.ports import HOST, Addresses
from schemas.records import CHANNEL_EVENT
from schemas.wire import HEAD_BYTES
from streams.core.policy import default
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.serve import log_to_stdout
from tests.fuzz import people

ARRIVED = "arrived"
EVENTS, LETTERS = 1, 2


class Broker:
    """In place of librdkafka's producer: takes records at once and writes down what they are."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._taken: list[Callable[[Any, Any], None]] = []

    def produce(self, topic: str, value: bytes, key: bytes | None, on_delivery: Callable[[Any, Any], None]) -> None:
        if value[HEAD_BYTES - 1] == EVENTS:
            event = CHANNEL_EVENT.decode(value, HEAD_BYTES)
            self._file.write(f"{event['source']}\t{event['event_id']!r}\n")
        else:
            self._file.write("!\n")
        self._taken.append(on_delivery)

    def poll(self, _timeout_s: float = 0) -> int:
        taken, self._taken = self._taken, []
        for delivered in taken:
            delivered(None, None)
        return len(taken)

    def flush(self, _timeout_s: float = 0) -> int:
        self.poll()
        return 0

    def purge(self) -> None:
        pass


class Ids:
    """In place of the registry: which of the two records it is."""

    def id_of(self, _topic: str, record: Any) -> int:
        return EVENTS if record == CHANNEL_EVENT else LETTERS


def application(home: Path) -> FastAPI:
    addresses = Addresses(home)
    spool = Spool(home / "spool.db")
    broker = Broker(home / ARRIVED)
    drain = Drain(spool, "", Ids(), lambda _config: broker)  # type: ignore[arg-type]
    collector = Collector(*Ruling(addresses, home / "policy.toml").known(), Topics(""), Keys(home), spool, drain)
    graph, pages = people.worker()
    state = State(lambda: [f"http://{HOST}:{pages.port}"], graph.shaping, default())
    persons = Lookup(state, Desk(lambda: None), Settings())  # type: ignore[arg-type, return-value]

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        drain.start()
        yield
        await persons.stop()
        pages.stop()
        drain.stop()
        spool.close()

    return create_app(collector, lifespan, persons)


def main() -> None:
    log_to_stdout()
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    uvicorn.run(
        application(home), host=HOST, port=port, log_config=None, access_log=False, server_header=False,
        limit_concurrency=CONNECTIONS_MAX, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=STOP_S_MAX,
    )


if __name__ == "__main__":
    main()
