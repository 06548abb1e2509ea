"""Events of a program: checked and kept, then carried; over HTTP to a real collector's application."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import posting, producer
from connectors.checking import Checker
from connectors.posting import Post
from connectors.producer import EventProducer
from connectors.spool import Spool, SpoolFull
from examples.sample import lines
from schemas.records import DEAD_LETTER
from streams.core.policy import default
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.topics import Topics
from tests.unit.connectors.collector.conftest import Site, site
from tests.unit.streams.core.records import told

__all__ = ["site"]


class Still:
    """A carrier that carries nothing."""

    problem = "the line is cut"

    def __init__(self) -> None:
        self.woken = 0

    def start(self) -> None: ...

    def wake(self) -> None:
        self.woken += 1

    def stop(self) -> None: ...


@contextmanager
def kept(path: Path, carrier: Any = None, bytes_max: int = 1 << 20) -> Iterator[tuple[EventProducer, Spool]]:
    spool = Spool(path / "program.db", bytes_max)
    yield EventProducer(spool, carrier or Still(), Checker(Settings(), default()), Topics(""), "program"), spool
    spool.close()


def test_what_was_sent_is_on_disk_for_whoever_opens_the_file_next(tmp_path: Path) -> None:
    with kept(tmp_path) as (program, _):
        assert program.send(told(event_id="e-1")) is None
        assert program.send(json.dumps(told(event_id="e-2")).encode()) is None
    with kept(tmp_path) as (program, spool):
        assert program.waiting == 2
        read = [w.spooled.record.decode(w.spooled.value)["event_id"] for w in spool.read(0, 10)]
        assert (read, spool.read(0, 1)[0].spooled.topic) == (["e-1", "e-2"], "events.web")


def test_what_is_refused_is_told_at_once_and_a_dead_letter(tmp_path: Path) -> None:
    with kept(tmp_path) as (program, spool):
        said = program.send_many([told(), told(colour="red"), b"{"])
        assert [reject and str(reject.reason) for reject in said] == [None, "unknown_field", "bad_json"]
        found = [w.spooled for w in spool.read(0, 9)]
        letters = [one.record.decode(one.value) for one in found if one.record == DEAD_LETTER]
        assert [(one["reason"], one["source"]) for one in letters] == [
            ("unknown_field", "producer:program"), ("bad_json", "producer:program")]


def test_a_full_spool_keeps_nothing_of_a_call(tmp_path: Path) -> None:
    with kept(tmp_path, bytes_max=1_500) as (program, _):
        with pytest.raises(SpoolFull):
            program.send_many([told(event_id=f"e-{n}") for n in range(50)])
        assert program.waiting == 0
        program.send(told())
        assert (program.depth.records, program.limit) == (1, 1_500)


def test_flush_says_why_nothing_arrives(tmp_path: Path) -> None:
    with kept(tmp_path) as (program, _):
        program.send(told())
        with pytest.raises(OneThreadError, match=r"1 events wait in .*the line is cut"):
            program.flush(timeout_s=0.05)


class Line:
    """A connection to the site's collector, which may be cut or answer otherwise."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.answers: list[httpx.Response] = []
        """Given instead of asking the collector, one a request."""
        self.requests = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.answers:
            return self.answers.pop(0)
        answer = self._site.client.post(request.url.path, content=request.content, headers=dict(request.headers))
        return httpx.Response(answer.status_code, content=answer.content, headers=dict(answer.headers))


@contextmanager
def posting_to(site: Site, path: Path, key: str | None = None) -> Iterator[tuple[EventProducer, Line, Post]]:
    line = Line(site)
    spool = Spool(path / "post.db")
    post = Post(spool, "http://collector.example.com", key or site.key, httpx.MockTransport(line))
    post.start()
    yield EventProducer(spool, post, Checker(Settings(), default()), Topics(""), "program"), line, post
    post.stop()
    spool.close()


def test_events_posted_are_those_that_were_sent(site: Site, tmp_path: Path) -> None:
    """Every event of a sample, byte for byte as if it had been given to the collector's own spool."""
    sample = [line if isinstance(line, bytes) else line.encode() for line in lines(1, 12)]
    key = site.add("any")
    checker = Checker(Settings(), default())
    now_ms = time.time_ns() // 1_000_000
    good = [checked for event in sample if not hasattr(checked := checker.check(event, now_ms), "reason")]
    with posting_to(site, tmp_path, key) as (program, _, post):
        program.send_many(sample)
        program.flush(30)
        assert post.refused == 0
    arrived = [w.spooled.value for w in site.spool.read(0, 100_000) if w.spooled.record != DEAD_LETTER]
    assert arrived == [checked.payload for checked in good]
    assert len(site.letters()) == len(sample) - len(good)


def test_what_is_not_taken_is_posted_again_in_order(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "PAUSES_S", (0.01,))
    with posting_to(site, tmp_path) as (program, line, _):
        line.answers = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(502), httpx.Response(401)]
        program.send_many([told(event_id=f"e-{n}") for n in range(3)])
        program.flush(30)
    assert [event["event_id"] for _, event in site.kept()] == ["e-0", "e-1", "e-2"]


def test_a_list_that_is_too_large_goes_in_halves(site: Site, tmp_path: Path) -> None:
    with posting_to(site, tmp_path) as (program, line, _):
        line.answers = [httpx.Response(413), httpx.Response(413)]
        program.send_many([told(event_id=f"e-{n}") for n in range(8)])
        program.flush(30)
        assert line.requests >= 5
    assert [event["event_id"] for _, event in site.kept()] == [f"e-{n}" for n in range(8)]


def test_a_key_that_is_refused_is_told_and_loses_nothing(site: Site, tmp_path: Path) -> None:
    with posting_to(site, tmp_path, "ot_none") as (program, _, _post):
        program.send(told())
        give_up_at = time.monotonic() + 20
        while not program.problem and time.monotonic() < give_up_at:
            time.sleep(0.02)
        with pytest.raises(OneThreadError, match="401: no_key"):
            program.flush(0.05)
        assert (program.waiting, program.problem) == (1, "the collector answers 401: no_key")


def test_a_dead_letter_is_posted_as_it_was(site: Site, tmp_path: Path) -> None:
    with posting_to(site, tmp_path) as (program, _, post):
        program.send_many([told(colour="red"), b"no json", b"\xff"])
        program.flush(30)
        assert post.refused == 0
    assert [reason for reason, _ in site.letters()] == ["unknown_field", "bad_json", "bad_json"]


def test_a_program_starts_without_kafka_and_under_the_policy_in_force_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path))
    monkeypatch.setenv("ONETHREAD_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(producer, "POLICY_S", 0.1)
    with producer.local("till") as program:
        assert program.send(told()) is None
    with producer.local("till") as program:
        assert program.waiting == 1
    assert (tmp_path / "producers" / "till.db").exists()
