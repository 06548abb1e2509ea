"""Segment's API: every path, every way to show the key, and what SDKs expect as answers."""

import gzip
import json
from typing import Any

import pytest

from connectors.collector.segment import BATCHES, SINGLE
from connectors.payloads import Payloads
from tests.unit.connectors.collector.conftest import Site

CALL = {"type": "track", "event": "Product Viewed", "messageId": "m-1", "anonymousId": "visitor-1",
        "timestamp": "2026-02-05T10:00:00Z", "properties": {"product_id": "p-1"}}
CALLS: dict[str, Any] = {
    "track": {"event": "Signed Up", "userId": "u-1"}, "identify": {"userId": "u-1", "traits": {"name": "v1"}},
    "page": {"anonymousId": "v1"}, "screen": {"anonymousId": "v1"}, "group": {"userId": "u-1", "groupId": "g-1"},
    "alias": {"userId": "u-1", "previousId": "v1"},
}


def ids(site: Site) -> list[str]:
    return [record["event_id"] for topic, record in site.kept() if topic == "events.web"]


@pytest.mark.parametrize("name", SINGLE)
def test_every_call_is_taken_at_its_path_without_saying_its_type(site: Site, name: str) -> None:
    call = CALLS[SINGLE[name]] | {"messageId": "m-7"}
    answer = site.post(f"/v1/{name}", call)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "accepted": 1, "refused": []})
    assert ids(site) == ["shop:m-7"]


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_taken_whole_and_what_is_refused_is_told(site: Site, name: str) -> None:
    batch = {"batch": [CALL, {"type": "dance"}, CALL | {"messageId": "m-2"}], "sentAt": "2026-02-05T10:00:00Z"}
    answer = site.post(f"/v1/{name}", batch)
    assert (answer.status_code, answer.json()["accepted"], len(answer.json()["refused"])) == (200, 2, 1)
    assert ids(site) == ["shop:m-1", "shop:m-2"]
    (_, raw), = site.letters()
    assert json.loads(raw or b"")["type"] == "dance"


@pytest.mark.parametrize("content_type", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "", "x"])
def test_json_is_json_whatever_its_content_type_says(site: Site, content_type: str) -> None:
    body = json.dumps(CALL).encode()
    assert site.post("/v1/track", body, headers={"Content-Type": content_type}).status_code == 200


def test_the_key_may_stand_in_the_body_the_first_call_the_query_or_as_a_bearer(site: Site) -> None:
    track, batch = "/v1/track", "/v1/batch"
    assert site.post(track, CALL | {"writeKey": site.key}, "").status_code == 200
    assert site.post(batch, {"batch": [CALL], "writeKey": site.key}, "").status_code == 200
    assert site.post(batch, {"batch": [CALL | {"writeKey": site.key}]}, "").status_code == 200
    assert site.post(f"{track}?writeKey={site.key}", CALL, "").status_code == 200
    assert site.post(track, CALL, "", headers={"Authorization": f"Bearer {site.key}"}).status_code == 200
    assert len(site.kept()) == 5
    assert site.key.encode() not in b"".join(w.spooled.value for w in site.spool.read(0, 10))


@pytest.mark.parametrize("body", [CALL, CALL | {"writeKey": "other"}, CALL | {"writeKey": 7}, [], {"batch": 3}])
def test_without_a_key_nothing_is_kept(site: Site, body: Any) -> None:
    assert site.post("/v1/batch", body, "").status_code == 401
    assert site.kept() == []


@pytest.mark.parametrize("head", ["Basic", "Basic !!!", "Basic /w==", "Digest x", "Bearer", ""])
def test_a_broken_authorization_is_none(site: Site, head: str) -> None:
    assert site.post("/v1/track", CALL, "", headers={"Authorization": head}).status_code == 401


def test_a_call_whose_event_is_refused_is_kept_as_it_came_for_another_mapping(site: Site) -> None:
    call = {"type": "track", "event": "Order Completed", "userId": "u-1", "messageId": "m-9",
            "properties": {"no": "o-1"}}
    answer = site.post("/v1/track", call | {"writeKey": site.key})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "missing_field")
    (reason, raw), = site.letters()
    assert (reason, json.loads(raw or b"")) == ("missing_field", call)
    (site.home / "segment.toml").write_text(
        '[events."Order Completed"]\ntype = "order_placed"\nfields = { no = "order.order_id" }\n')
    (_, letter), = site.kept()
    events = Payloads(site.home).events(raw or b"", letter["source"], 1_770_285_600_000)
    assert isinstance(events, list)
    (event,) = events
    assert isinstance(event, dict)
    assert (event["event_id"], event["order"]) == ("shop:m-9", {"order_id": "o-1"})


def test_a_packed_batch_is_unpacked(site: Site) -> None:
    body = gzip.compress(json.dumps({"batch": [CALL]}).encode())
    assert site.post("/v1/batch", body, headers={"Content-Encoding": "gzip"}).json()["accepted"] == 1


def test_a_single_call_that_is_refused_is_a_bad_request(site: Site) -> None:
    answer = site.post("/v1/track", {"messageId": "m-1"})
    assert answer.status_code == 400
    assert [reason for reason, _ in site.letters()] == [answer.json()["error"]["reason"]]


@pytest.mark.parametrize("body", [b'{"batch": [', b"{}", b'{"batch": {}}', b"[]", b"\x00"])
def test_a_batch_that_is_none_is_a_bad_request_and_a_dead_letter(site: Site, body: bytes) -> None:
    assert site.post("/v1/batch", body).status_code == 400
    assert [raw for _, raw in site.letters()] == [body]


def test_a_devices_clock_is_set_right_by_when_it_sent(site: Site) -> None:
    site.post("/v1/batch", {"batch": [CALL], "sentAt": "2026-02-05T10:00:05Z"})
    (_, record), = site.kept()
    (_, received_ms), = site.spool._writer.execute("SELECT number, at_ms FROM records").fetchall()
    assert abs(received_ms - record["occurred_at"]) < 65_000


def test_a_mapping_that_fails_keeps_the_call(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr("connectors.collector.segment.decode", fail)
    assert site.post("/v1/batch", {"batch": [CALL]}).status_code == 200
    assert [(reason, json.loads(raw or b"")) for reason, raw in site.letters()] == [("bad_value", CALL)]
