"""What a request may cost: bytes, members, events, time and memory are bounded, and faults name no value."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from connectors.collector import bodies
from connectors.collector.answers import Refused
from tests.unit.connectors.collector.conftest import Site
from tests.unit.streams.core.records import told

PATH = "/v1/events"


def test_a_file_of_countless_members_is_not_walked_through() -> None:
    with pytest.raises(Refused, match="members"):
        bodies.unpacked(gzip.compress(b"") * 100_000)


def test_a_body_of_too_many_events_is_refused_whole(site: Site) -> None:
    answer = site.post(PATH, b"[" + b"0," * bodies.EVENTS_MAX + b"0]")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (413, "too_many")
    assert site.post("/v1/batch", {"batch": [{}] * (bodies.EVENTS_MAX + 1)}).status_code == 413
    assert site.kept() == []


def test_without_a_key_in_its_head_a_body_is_smaller(site: Site) -> None:
    large = b" " * (bodies.KEYLESS_BYTES_MAX + 1)
    assert site.post("/v1/batch", large, "").status_code == 413
    assert site.post("/v1/batch", large).status_code == 400


def test_what_a_request_held_is_given_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (b"{", b"x" * (bodies.BODY_BYTES_MAX + 1), b"[]"):
        site.post(PATH, body)
        site.post(PATH, gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert site.collector.held_bytes == 0
    monkeypatch.setattr(bodies, "HELD_BYTES_MAX", 20)
    busy = site.post(PATH, told(channel=None))
    assert (busy.status_code, busy.headers["retry-after"], site.collector.held_bytes) == (503, "1", 0)
    assert site.post(PATH, b"[]").status_code == 200


def test_a_body_that_does_not_come_ends_after_a_while(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_S_MAX", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.sleep(30)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(site.client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
            return await client.post(PATH, content=slowly(), auth=(site.key, ""))

    assert asyncio.run(send()).status_code == 408


def test_a_fault_is_told_by_its_place_and_not_by_what_was_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Iterator[None]:
        raise ValueError("a.person@example.com")

    monkeypatch.setattr(site.collector, "gather", fail)
    with capture_logs() as logs:
        answer = site.post(PATH, told(channel=None))
    assert (answer.status_code, answer.json()["error"]["reason"]) == (500, "fault")
    assert [log["event"] for log in logs] == ["fault"]
    assert "test_bodies.py" in logs[0]["at"]
    assert "a.person" not in str(logs)
