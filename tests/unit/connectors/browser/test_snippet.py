"""onethread.js in Node, in pages made of stubs; and as the collector serves it."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from connectors.collector.browser import FILE
from tests.unit.connectors.collector.conftest import Site, site  # noqa: F401 - a fixture
from tests.unit.connectors.segment.samples import decoded, named

URL = "https://shop.example/shoes?utm_source=news&gclid=G1"


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """What each scenario of the harness sent."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node, to run what runs in browsers")
    done = subprocess.run(
        [node, Path(__file__).with_name("harness.mjs"), FILE], capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def test_with_its_key_on_the_tag_it_loads_and_counts_the_view(said: dict[str, Any]) -> None:
    (request,) = said["loads_by_itself"]
    assert (request["to"], request["type"], request["keepalive"]) == (
        "https://collector.example/v1/batch", "text/plain", True)
    assert (request["body"]["writeKey"], len(request["body"]["batch"])) == ("k", 1)
    event = decoded(request["body"]["batch"][0])
    assert (event["type"], event["device"], event["language"], event["place"]["zone"]) == (
        "page_viewed", "mobile", "uk-UA", event["place"]["zone"])
    assert event["campaign"] == {"source": "news", "click_id": "G1"}
    assert (event["properties"]["url"], event["properties"]["referrer"]) == (URL, "https://search.example/")


def test_the_calls_of_analytics_js(said: dict[str, Any]) -> None:
    made = said["every_call"]
    assert made["to"] == "https://other.example/v1/batch"
    told = [
        {key: call[key] for key in call if key not in ("messageId", "timestamp", "anonymousId", "context")}
        for call in made["calls"]
    ]
    page = made["calls"][0]["context"]["page"]
    assert told == [
        {"type": "page", "category": "Shop", "name": "Shoes", "properties": page | {"colour": "red"}},
        {"type": "track", "event": "Product Viewed", "properties": {"sku": "A"}},
        {"type": "identify", "userId": "u-1", "traits": {"email": "ann@example.com"}},
        {"type": "identify", "userId": "u-1", "traits": {"plan": "free"}},
        {"type": "group", "userId": "u-1", "groupId": "g-1", "traits": {"name": "X"}},
        {"type": "alias", "userId": "u-2", "previousId": "u-1"},
        {"type": "alias", "userId": "u-3", "previousId": "old"},
        {"type": "track", "userId": "u-3", "event": "Bare", "properties": {}},
    ]
    assert made["calls"][1]["timestamp"] == "2026-02-05T10:00:00.000Z"
    assert made["calls"][1]["context"]["ip"] == "10.0.0.1"
    assert len({call["messageId"] for call in made["calls"]}) == len(told)
    assert named(decoded(made["calls"][2]))["email"] == "ann@example.com"


def test_calls_made_before_it_is_there_wait_for_it(said: dict[str, Any]) -> None:
    made = said["a_snippets_calls_wait"]
    assert made["key"] == "k"
    assert [(call["type"], call["userId"]) for call in made["calls"]] == [("identify", "u-1"), ("track", "u-1")]
    assert said["without_a_key_nothing_is_sent"] == []


def test_segments_own_loader_finds_the_snippet(said: dict[str, Any]) -> None:
    assert said["segments_own_loader"] == {
        "to": "https://collector.example/v1/batch", "types": ["page", "track"], "properties": {"n": 1},
    }


def test_a_browser_is_one_until_it_is_reset(said: dict[str, Any]) -> None:
    first, again, after = said["the_same_browser_comes_again"]
    assert first == again != after


def test_without_storage_the_id_is_in_a_cookie(said: dict[str, Any]) -> None:
    made = said["without_storage_a_cookie_serves"]
    assert made["cookie"].startswith(f"ot_anonymous_id={made['id']}; path=/; SameSite=Lax; max-age=31536000; Secure")
    assert made["same"] == made["id"]


def test_what_could_not_be_sent_goes_with_the_next_page(said: dict[str, Any]) -> None:
    assert said["what_failed_goes_with_the_next_page"] == {"first": 0, "kept": 1, "second": 1, "left": 0}
    assert said["without_beacons_it_stays_for_the_next_page"] == 1


def test_a_collector_that_is_full_gets_the_same_call_again_and_a_refusal_ends_it(said: dict[str, Any]) -> None:
    ids = said["a_full_collector_gets_it_again_when_online"]
    assert (len(ids), len(set(ids))) == (3, 1)
    assert said["a_refused_batch_is_not_sent_again"] == 1


def test_who_leaves_the_page_still_tells_the_last_thing(said: dict[str, Any]) -> None:
    made = said["leaving_sends_by_beacon"]
    assert (made["to"], made["type"], made["times"], made["sent"]) == (
        "https://collector.example/v1/batch", "text/plain", 1, 0)
    assert [call["event"] for call in made["body"]["batch"]] == ["Last"]


def test_what_is_under_way_when_the_page_is_left_is_not_sent_twice(said: dict[str, Any]) -> None:
    assert said["what_is_under_way_is_not_sent_twice"] == {"beaconed": ["Second"], "fetched": ["First"], "times": 2}


def test_the_campaign_is_told_until_the_path_changes(said: dict[str, Any]) -> None:
    news = {"source": "news"}
    assert said["a_page_of_many_views"] == [
        [URL, "https://search.example/", news],
        [URL, "https://search.example/", news],
        ["https://shop.example/shoes?q=1&utm_source=news&gclid=G1", "https://search.example/", news],
        ["https://shop.example/cart", "https://shop.example/shoes?q=1&utm_source=news&gclid=G1", None],
    ]


def test_many_calls_go_in_bounded_batches_and_the_oldest_give_way(said: dict[str, Any]) -> None:
    made = said["many_calls_go_in_batches"]
    assert (made["calls"], made["last"]) == (500, 549)
    assert made["most"] < 60_000, "a browser sends at most 64 KiB from a page that is being left"


def test_callbacks_are_called(said: dict[str, Any]) -> None:
    assert said["callbacks_are_called"] == ["ready", "track", "page"]


def test_it_is_small() -> None:
    assert len(gzip.compress(FILE.read_bytes())) < 3600


def test_the_collector_serves_it(site: Site) -> None:  # noqa: F811
    answer = site.client.get("/onethread.js", headers={"Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.content) == (200, FILE.read_bytes())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    plain = site.client.get("/onethread.js", headers={"Accept-Encoding": "identity"})
    assert (plain.content, "content-encoding" in plain.headers) == (FILE.read_bytes(), False)
    again = site.client.get("/onethread.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_segments_loader_gets_it_from_the_address_of_theirs(site: Site) -> None:  # noqa: F811
    answer = site.client.get(f"/analytics.js/v1/{site.key}/analytics.min.js")
    assert (answer.status_code, answer.content) == (200, FILE.read_bytes())


def test_analytics_js_is_told_to_send_here(site: Site) -> None:  # noqa: F811
    told = site.client.get(f"/v1/projects/{site.key}/settings").json()
    assert told["integrations"] == {
        "Segment.io": {"apiKey": site.key, "apiHost": "testserver/v1", "protocol": "http"},
    }
    assert site.client.get("/v1/projects/ot_other/settings").status_code == 401


@pytest.mark.parametrize("path", ["/sourceConfig", "/sourceConfig/"])
def test_rudderstacks_script_is_told_of_a_source_without_destinations(site: Site, path: str) -> None:  # noqa: F811
    told = site.client.get(path, auth=(site.key, "")).json()["source"]
    assert (told["name"], told["enabled"], told["destinations"]) == ("shop", True, [])
    assert site.client.get(path, params={"writeKey": site.key}).status_code == 200
    assert site.client.get(path, params={"writeKey": "ot_other"}).status_code == 401


def test_a_key_of_one_site_tells_its_settings_to_no_other(site: Site) -> None:  # noqa: F811
    key = site.add("eu", channels=("web",), origins=("https://shop.example",))
    path = f"/v1/projects/{key}/settings"
    assert site.client.get(path, headers={"Origin": "https://shop.example"}).status_code == 200
    assert site.client.get(path, headers={"Origin": "https://other.example"}).status_code == 403
