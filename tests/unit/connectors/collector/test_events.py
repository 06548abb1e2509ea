"""Channel events by HTTP: accepted ones and refused ones are kept, whatever the form of the body."""

import gzip
import json
from typing import Any

import pytest

from connectors.collector import bodies
from tests.unit.connectors.collector.conftest import Site
from tests.unit.streams.core.records import read, told

PATH = "/v1/events"


def said(**fields: Any) -> dict[str, Any]:
    return told(channel=None, **fields)


def full(**fields: Any) -> tuple[str, Any]:
    return "events.web", read(told(source="shop", **fields))


def test_an_event_takes_source_and_channel_of_its_key(site: Site) -> None:
    answer = site.post(PATH, said())
    assert (answer.status_code, answer.json()) == (200, {"success": True, "accepted": 1, "refused": []})
    assert site.kept() == [full()]


@pytest.mark.parametrize("body", [
    json.dumps([said(event_id="a"), said(event_id="b")]).encode(),
    json.dumps(said(event_id="a")).encode() + b"\n\n" + json.dumps(said(event_id="b")).encode(),
])
def test_lists_and_lines_are_taken_in_order(site: Site, body: bytes) -> None:
    assert site.post(PATH, body).json()["accepted"] == 2
    assert site.kept() == [full(event_id="a"), full(event_id="b")]


def test_of_many_events_the_refused_are_dead_letters_and_named(site: Site) -> None:
    answer = site.post(PATH, [said(), said(event_id="e-2", colour="red"), 7])
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "accepted": 1, "refused": [
        {"reason": "unknown_field", "detail": "colour: no such field", "event_id": "e-2"},
        {"reason": "bad_json", "detail": "expected a JSON object", "event_id": None},
    ]}
    raw = {"source": "shop", "channel": "web"} | said(event_id="e-2", colour="red")
    assert [(reason, json.loads(kept or b"")) for reason, kept in site.letters()] == [
        ("unknown_field", raw), ("bad_json", 7),
    ]


def test_a_single_refused_event_is_a_bad_request_and_a_dead_letter(site: Site) -> None:
    answer = site.post(PATH, b'{"event_id": "e-1"')
    assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "bad_json")
    assert site.letters() == [("bad_json", b'{"event_id": "e-1"')]


def test_a_key_is_for_its_channels(site: Site) -> None:
    assert site.post(PATH, told(channel="pos")).json()["error"]["reason"] == "channel_mismatch"
    both = site.add("erp", channels=("web", "pos"))
    assert site.post(PATH, told(channel="pos"), both).json()["accepted"] == 1


@pytest.mark.parametrize(("key", "status"), [("", 401), ("ot_wrong", 401)])
def test_without_a_key_nothing_is_kept(site: Site, key: str, status: int) -> None:
    answer = site.post(PATH, said(), key)
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (status, "Basic")
    assert site.kept() == []


def test_a_key_for_reading_does_not_write(site: Site) -> None:
    assert site.post(PATH, said(), site.add("till", scope="read")).status_code == 403


def test_a_full_spool_is_told_with_when_to_come_again(site: Site) -> None:
    site.spool.bytes_max = 10
    answer = site.post(PATH, said())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert site.client.get("/readyz").status_code == 200


def test_gzip_is_unpacked_as_far_as_a_body_may_be(site: Site) -> None:
    headers = {"Content-Encoding": "gzip"}
    body = json.dumps(said()).encode()
    assert site.post(PATH, gzip.compress(body[:9]) + gzip.compress(body[9:]), headers=headers).status_code == 200
    bomb = gzip.compress(b" " * (5 * bodies.BODY_BYTES_MAX))
    assert len(bomb) < bodies.BODY_BYTES_MAX
    assert site.post(PATH, bomb, headers=headers).status_code == 413
    assert site.post(PATH, gzip.compress(body)[:-9], headers=headers).status_code == 400
    assert site.post(PATH, body, headers=headers).status_code == 400
    assert site.post(PATH, body, headers={"Content-Encoding": "br"}).status_code == 415
    assert site.post(PATH, b"x" * (bodies.BODY_BYTES_MAX + 1)).status_code == 413
    assert site.kept() == [full()]


@pytest.mark.parametrize("body", [
    b"", b"\xff\xfe", b"[" * 100_000, b'{"event_id": "\\ud800"}', b"null", b'"a"', b"1e999",
])
def test_what_is_no_object_is_refused_and_never_an_error(site: Site, body: bytes) -> None:
    assert site.post(PATH, body).status_code == 400
    assert [raw for _, raw in site.letters()] == [body]
