"""The HTTP collector: every way in by HTTP is a router here, and all of them share one path to Kafka.

Rules: 200 means that what was accepted is on disk; the drain carries it to Kafka. A refused event is a dead letter and
is named in the answer; only a request that is wrong as a whole, or a single event that is refused, gets 4xx. 503 means
that nothing of the request was kept. Nothing here logs a body, a path or a query.
"""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from connectors.collector import answers, browser, described, events, links, lookup, segment, webhooks
from connectors.collector.collecting import Collector, place
from connectors.collector.envelope import Envelope
from connectors.lookup.lookup import Lookup
from connectors.spool import SpoolFull
from connectors.webhooks.arrivals import Arrivals
from streams import clock, metrics

_log = structlog.get_logger()


def create_app(collector: Collector, lifespan: Any = None, persons: Lookup | None = None) -> FastAPI:
    """The application over what the routes share; `request.app.state.collector` is it.

    Shape: with `persons` customers can be looked up too.
    """
    app = FastAPI(
        title="onethread collector", version="1", lifespan=lifespan, redoc_url=None,
        description="Events in, by Segment's protocol, by webhooks and as channel events.",
    )
    app.state.collector = collector
    app.state.arrivals = Arrivals()
    app.add_exception_handler(answers.Refused, answers.on_refused)
    app.add_exception_handler(SpoolFull, answers.on_full)
    app.add_exception_handler(Exception, on_fault)
    app.add_middleware(Envelope, collector=collector)
    app.include_router(events.router)
    app.include_router(segment.router)
    app.include_router(links.router)
    app.include_router(browser.router)
    app.include_router(webhooks.router)
    if persons is not None:
        app.state.lookup = persons
        app.include_router(lookup.router)
    app.get("/healthz", include_in_schema=False)(healthz)
    app.get("/readyz", include_in_schema=False)(readyz)
    app.get("/metrics", include_in_schema=False)(tell_metrics)
    described.with_keys(app)
    return app


async def on_fault(_request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: told to the operator by its place, never by what was sent."""
    _log.error("fault", error=type(error).__name__, at=place(error))
    return JSONResponse(answers.body("fault", "the collector failed on this request"), 500)


async def healthz() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> JSONResponse:
    """Whether events are taken, and how much waits for Kafka: 200 also while Kafka is away, as they are kept."""
    collector: Collector = request.app.state.collector
    depth = collector.spool.depth
    drain = collector.drain
    is_full = collector.spool.is_full
    return JSONResponse({
        "ready": not is_full, "waiting": depth.records, "waiting_bytes": depth.bytes, "last": collector.spool.last,
        "first_waiting": collector.spool.first, "kafka": drain.problem if drain else "",
    }, 503 if is_full else 200)


async def tell_metrics(request: Request) -> Response:
    """For Prometheus: what came, how fast it was answered, how much waits."""
    collector: Collector = request.app.state.collector
    depth, now_ms = collector.spool.depth, clock.now_ms()
    age_s = 0.0 if depth.oldest_ms is None else max(0.0, (now_ms - depth.oldest_ms) / 1000)
    for gauge, value in (
        (metrics.SPOOL_RECORDS, depth.records), (metrics.SPOOL_BYTES, depth.bytes),
        (metrics.SPOOL_LIMIT, collector.spool.limit), (metrics.SPOOL_AGE, age_s),
        (metrics.SPOOL_SENT, collector.drain.sent if collector.drain else 0),
    ):
        gauge.labels("collector").set(value)
    return Response(metrics.page(metrics.COLLECTOR), media_type=CONTENT_TYPE_LATEST)
