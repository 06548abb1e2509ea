"""`python -m connectors.collector`: the collector of the deployment that ONETHREAD_HOME and ONETHREAD_PORT_BASE name.

It starts and takes events whether Kafka is there or not.
"""

import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from connectors.collector.app import create_app
from connectors.collector.collecting import Collector
from connectors.collector.keys import Keys
from connectors.collector.rules import Ruling
from connectors.draining import Drain
from connectors.lookup.local import create as create_lookup
from connectors.spool import Spool
from deploy.local.ports import Addresses
from schemas.registry import SchemaCache, client
from streams import metrics, settings
from streams.connections import serving
from streams.topics import Topics
from streams.transport.loop import EXIT_FAILED, told
from streams.transport.serve import log_to_stdout

FOLDER = "collector"
"""Of the home: the spool and the last policy known."""

CONNECTIONS_MAX = 1000
"""More at a time are answered with 503: memory stays bounded."""

KEEP_ALIVE_S = 30
STOP_S_MAX = 5

log = structlog.get_logger()


def application(addresses: Addresses) -> FastAPI:
    """The collector with its threads, which live as long as the application does."""
    folder = addresses.home / FOLDER
    prefix = settings.load(addresses.home).topic_prefix
    spool = Spool(folder / "spool.db")
    drain = Drain(spool, addresses.kafka_bootstrap, SchemaCache(client(addresses.registry_url)))
    ruling = Ruling(addresses, folder / "policy.toml")
    collector = Collector(*ruling.known(), Topics(prefix), Keys(addresses.home), spool, drain)
    ruling.tell = collector.use
    collector.keys.all()  # a file that cannot be read is told at the start
    persons = create_lookup(addresses)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        drain.start()
        ruling.start()
        persons.start()
        yield
        await persons.stop()
        ruling.stop()
        drain.stop()
        spool.close()

    return create_app(collector, lifespan, persons)


def die(fault: threading.ExceptHookArgs) -> None:
    """End the process: one that goes on without one of its threads fills its spool, and nobody is told."""
    error = fault.exc_value or fault.exc_type()
    thread = fault.thread.name if fault.thread else ""
    log.critical("thread_failed", thread=thread, exception=told(error))
    os._exit(EXIT_FAILED)


def main() -> None:
    """Serve until SIGTERM."""
    log_to_stdout()
    metrics.tell_version("collector")
    threading.excepthook = die
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it tells of every attempt
    logging.getLogger("uvicorn.error").addFilter(lambda record: not record.exc_info)  # `app.on_fault` tells them
    addresses = Addresses.from_environ()
    Path(addresses.home).mkdir(parents=True, exist_ok=True)
    metrics.watch_disk("collector", addresses.home)
    cert, key = serving() or (None, None)
    uvicorn.run(
        application(addresses), host=addresses.bind, port=addresses.collector, log_config=None, access_log=False,
        server_header=False, limit_concurrency=CONNECTIONS_MAX, timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S_MAX, ssl_certfile=cert, ssl_keyfile=key,
    )


if __name__ == "__main__":
    main()
