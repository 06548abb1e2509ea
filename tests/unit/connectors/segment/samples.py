"""The specification's published examples of calls, as fixtures; and a call for a test to change."""

import json
from pathlib import Path
from typing import Any

from connectors.segment import decode
from connectors.source import Source

FIXTURES = Path(__file__).parents[3] / "fixtures/segment"
SOURCE = Source("shop", "web")
AT = "2026-02-05T10:00:00.000Z"
AT_MS = 1_770_285_600_000
RECEIVED_MS = AT_MS + 1000


def published(name: str) -> list[dict[str, Any]]:
    """The calls of one page of the specification."""
    calls: list[dict[str, Any]] = json.loads((FIXTURES / f"{name}.json").read_text())["batch"]
    return calls


PAGES = ("calls", "ecommerce", "mobile", "email", "live_chat", "b2b")
ALL = [call for page in PAGES for call in published(page)]


def call(**parts: Any) -> dict[str, Any]:
    """A track call; a part given as None is left out."""
    base = {"type": "track", "event": "Song Played", "messageId": "m-1", "timestamp": AT, "anonymousId": "a-1"}
    return {key: value for key, value in (base | parts).items() if value is not None}


def track(event: str, **properties: Any) -> dict[str, Any]:
    return call(event=event, properties=properties)


def decoded(given: dict[str, Any], source: Source = SOURCE, received_ms: int = RECEIVED_MS) -> dict[str, Any]:
    """The one event of a call."""
    events = decode(given, source, received_ms)
    assert isinstance(events, list), events
    assert len(events) == 1
    return events[0]


def named(event: dict[str, Any]) -> dict[str, str]:
    """Kind -> value of the event's identifiers."""
    return {row["kind"]: row["value"] for row in event["identifiers"]}
