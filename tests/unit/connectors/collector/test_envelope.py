"""Around every answer: which sites may use a key, how much of its limit is used, and what the metrics say."""

from typing import Any

import pytest

from connectors.collector.answers import Refused
from connectors.collector.keys import Key
from connectors.collector.limits import Limits
from tests.unit.connectors.collector.conftest import Site
from tests.unit.streams.core.records import told

SITE, OTHER = "https://shop.example.com", "https://other.example.com"


def preflight(site: Site, origin: str) -> Any:
    return site.client.options("/v1/batch", headers={
        "Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization",
    })


def from_page(site: Site, origin: str, key: str) -> Any:
    return site.post("/v1/events", told(channel=None), key, headers={"Origin": origin})


def test_a_page_of_the_keys_site_reads_the_answer_and_no_other(site: Site) -> None:
    site.keys_dropped()
    key = site.add("shop", channels=("web",), origins=(SITE,))
    granted = preflight(site, SITE)
    assert granted.status_code == 204
    assert granted.headers["access-control-allow-origin"] == SITE
    assert granted.headers["access-control-allow-headers"] == "authorization"
    assert from_page(site, SITE, key).headers["access-control-allow-origin"] == SITE
    assert preflight(site, OTHER).status_code == 403
    refused = from_page(site, OTHER, key)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)
    assert len(site.kept()) == 1


def test_a_key_without_sites_is_for_all_and_a_key_of_another_source_widens_nothing(site: Site) -> None:
    key = site.add("other-shop", channels=("web",), origins=(SITE,))
    assert from_page(site, OTHER, site.key).status_code == 200
    assert preflight(site, OTHER).status_code == 204
    assert from_page(site, OTHER, key).status_code == 403


def test_an_error_can_be_read_by_the_page_too(site: Site) -> None:
    answer = from_page(site, SITE, "ot_wrong")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, SITE)


def test_a_key_may_write_at_its_rate_and_is_told_how_much_is_used(site: Site) -> None:
    key = site.add("slow", channels=("web",), rate=5.0)
    site.collector.limits = Limits(lambda: 0.0)
    events = [told(event_id=f"e-{n}", channel=None) for n in range(4)]
    answers = [site.post("/v1/events", events, key) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-used"] for answer in answers] == ["0.40", "0.80", "1.00", "1.00"]
    assert answers[0].headers["x-ratelimit-limit"] == "5"
    assert answers[3].headers["retry-after"] == "1"
    assert answers[3].json()["error"]["detail"] == "expected at most 5 events a second with this key"
    assert len(site.kept()) == 12


def test_a_bucket_fills_again_and_a_large_batch_is_paid_for_afterwards() -> None:
    now_s = 0.0
    limits, key = Limits(lambda: now_s), Key("h", "s", rate=10.0)
    limits.take(key, 100)
    with pytest.raises(Refused) as refused:
        limits.take(key, 1)
    assert refused.value.headers["Retry-After"] == "9"  # 80 tokens of debt and one to spend
    now_s = 8.1
    assert limits.take(key, 1)["X-RateLimit-Remaining"] == "0"
    now_s = 1000.0
    assert limits.take(key, 0)["X-RateLimit-Remaining"] == "20"


def test_metrics_tell_what_came_and_what_waits(site: Site) -> None:
    site.post("/v1/events", told(channel=None))
    site.post("/v1/events", [told(channel=None, colour="red")])
    text = site.client.get("/metrics").text
    for line in (
        'onethread_collector_events_total{outcome="accepted",source="shop"}',
        'onethread_collector_events_total{outcome="unknown_field",source="shop"}',
        'onethread_collector_requests_total{route="/v1/events",status="200"}',
        'onethread_collector_seconds_count{route="/v1/events"}',
        'onethread_spool_records{spool="collector"} 2.0',
        'onethread_spool_age_seconds{spool="collector"}',
        'onethread_spool_limit_bytes{spool="collector"}',
    ):
        assert line in text


def test_a_path_that_is_none_is_no_metric_of_its_own(site: Site) -> None:
    assert site.client.get("/v1/persons-of/a.person@example.com/").status_code == 404
    assert "a.person" not in site.client.get("/metrics").text


def test_the_openapi_document_names_the_ways_in(site: Site) -> None:
    document = site.client.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"basic", "bearer"}
    paths = document["paths"]
    for path in ("/v1/track", "/v1/batch", "/v1/events"):
        assert paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert {"200", "400", "401", "413", "429", "503"} <= set(paths[path]["post"]["responses"])
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names))
