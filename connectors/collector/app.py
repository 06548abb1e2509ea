"""The HTTP collector: every way in by HTTP is a router here, and all of them share one path to Kafka.

Rules: 200 means that what was accepted is on disk; the drain carries it to Kafka. A refused event is a dead letter and
is named in the answer; only a request that is wrong as a whole, or a single event that is refused, gets 4xx. 503 means
that nothing of the request was kept. Nothing here logs a body, a path or a query.
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from connectors.collector import answers, events
from connectors.collector.collecting import Collector
from connectors.spool import SpoolFull


def create_app(collector: Collector, lifespan: Any = None) -> FastAPI:
    """The application over what the routes share; `request.app.state.collector` is it."""
    app = FastAPI(
        title="onethread collector", version="1", lifespan=lifespan, redoc_url=None,
        description="Events in, by Segment's protocol, by webhooks and as channel events.",
    )
    app.state.collector = collector
    app.add_exception_handler(answers.Refused, answers.on_refused)
    app.add_exception_handler(SpoolFull, answers.on_full)
    app.include_router(events.router)
    app.get("/healthz", include_in_schema=False)(healthz)
    app.get("/readyz", include_in_schema=False)(readyz)
    return app


async def healthz() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> JSONResponse:
    """Whether events are taken, and how much waits for Kafka: 200 also while Kafka is away, as they are kept."""
    collector: Collector = request.app.state.collector
    depth = collector.spool.depth
    drain = collector.drain
    is_full = depth.bytes >= collector.spool.bytes_max
    return JSONResponse({
        "ready": not is_full, "waiting": depth.records, "waiting_bytes": depth.bytes, "last": collector.spool.last,
        "first_waiting": collector.spool.first, "kafka": drain.problem if drain else "",
    }, 503 if is_full else 200)
