"""Look-ups over a graph in memory, for literal tests."""

from datetime import UTC, datetime
from typing import Any

from connectors.lookup.document import Document, document
from connectors.lookup.held import Held, Reading
from connectors.lookup.standing import Figures
from streams.core.event import Identifier, pack
from streams.core.facts import CONTENT
from streams.core.policy import default
from streams.core.walk import End, walk
from streams.settings import Settings
from tests.oracle.build import event
from tests.unit.streams.core.graphs import Graph

DAY_MS = 86_400_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


def days_ago(days: float) -> int:
    return NOW_MS - int(days * DAY_MS)


def held(graph: Graph, identifier: Identifier) -> Held | None:
    found = walk(dict(enumerate(graph.stores)), graph.keys, graph.keys.node(identifier))
    return Reading(graph.shaping, default()).person(found) if found.end is End.ROOT else None


def told_of(graph: Graph, identifier: Identifier, figures: Figures | None = None, **settings: Any) -> Document:
    found = held(graph, identifier)
    assert found is not None
    return document(found, figures or Figures(), None, Settings(**settings), NOW)


def content(**fields: Any) -> bytes:
    """What a touchpoint's row carries."""
    empty: dict[str, Any] = {c.name: {"strs": [], "texts": {}, "str": "", "ms": 0}.get(c.type) for c in CONTENT}
    return pack([{**empty, **fields}[c.name] for c in CONTENT])


def bought(name: str, days: float, *ids: str, currency: str = "EUR", total: int = 100_000, **fields: Any) -> Any:
    order = {"order_id": name, "total": total, "currency": currency}
    return event(name, days_ago(days), *ids, type="order_placed", order=order, **fields)
