"""Tracked letters: who opened, who clicked, and never a redirect to where the owner did not want it."""

import pytest

from connectors.collector import links
from connectors.collector.links import Letter
from tests.unit.connectors.collector.conftest import Site

TARGET = "https://shop.example.com/a?b=c&d=%2F#e"
LETTER = Letter("m-1", ("customer_id:c-1", "email:a.person@example.com"), "spring & more")


@pytest.fixture
def mail(site: Site) -> str:
    return site.add("mail", channels=("email",), links=True)


def test_a_click_is_told_and_leads_on(site: Site, mail: str) -> None:
    url = links.redirect("", mail, LETTER, TARGET)
    answer = site.client.get(url, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    assert mail not in url
    (topic, event), = site.kept()
    assert (topic, event["type"], event["message"]["message_id"], event["campaign"]["name"]) == (
        "events.email", "message_clicked", "m-1", "spring & more",
    )
    assert [(i["kind"], i["value"]) for i in event["identifiers"]] == [
        ("customer_id", "c-1"), ("email", "a.person@example.com"),
    ]
    assert event["properties"] == {"url": TARGET}


def test_an_opening_is_told_once_a_minute(site: Site, mail: str) -> None:
    url = links.pixel("", mail, LETTER)
    answers = [site.client.get(url) for _ in range(2)]
    assert [(a.status_code, a.headers["content-type"], a.headers["cache-control"]) for a in answers] == [
        (200, "image/gif", "no-store, max-age=0"),
    ] * 2
    events = [event for _, event in site.kept()]
    assert {event["type"] for event in events} == {"message_opened"}
    assert len({(event["event_id"], event["occurred_at"]) for event in events}) <= 2  # a minute may end in between


@pytest.mark.parametrize("change", [
    ("shop.example.com", "evil.example.org"), ("c-1", "c-2"), ("&s=", "&s=x"), ("&s=", "&t="), ("m-1", "m-2"),
])
def test_a_link_that_was_changed_leads_nowhere(site: Site, mail: str, change: tuple[str, str]) -> None:
    url = links.redirect("", mail, LETTER, TARGET).replace(*change)
    assert site.client.get(url, follow_redirects=False).status_code == 400
    assert site.client.get(links.pixel("", mail, LETTER).replace(*change)).status_code == 200
    assert [event["type"] for _, event in site.kept()] == ["message_opened"] * (change[0] == "shop.example.com")


def test_the_signature_of_a_picture_is_none_of_a_link(site: Site, mail: str) -> None:
    url = links._signed("", links.PIXEL, mail, LETTER, TARGET).replace(links.PIXEL, links.REDIRECT)
    assert site.client.get(url, follow_redirects=False).status_code == 400


def test_a_key_that_may_stand_in_a_page_signs_nothing(site: Site) -> None:
    url = links.redirect("", site.key, LETTER, TARGET)
    assert site.client.get(url, follow_redirects=False).status_code == 400


@pytest.mark.parametrize(("target", "status"), [
    (TARGET, 302), ("http://shop.example.com", 302), ("https://evil.example.org/", 400),
    ("https://shop.example.com.evil.example.org/", 400), ("https://shop.example.com@evil.example.org/", 400),
    ("https://evil.example.org\\@shop.example.com/", 400), ("//shop.example.com/", 400),
    ("javascript://shop.example.com/%0aalert(1)", 400), ("https://[", 400), ("", 400),
    ("https://shop.example.com\n", 400),
])
def test_without_a_signature_only_hosts_of_the_list_are_led_to(site: Site, target: str, status: int) -> None:
    site.add("list", channels=("email",), targets=("shop.example.com",))
    key_id = site.collector.keys.of_source("list")[0].id
    given = {"k": key_id, "u": target, "m": "m-1", "i": "customer_id:c-1"}
    assert site.client.get("/r", params=given, follow_redirects=False).status_code == status


def test_a_customer_is_led_on_although_nothing_can_be_kept(site: Site, mail: str) -> None:
    site.spool.bytes_max = 1
    assert site.client.get(links.redirect("", mail, LETTER, TARGET), follow_redirects=False).status_code == 302
    assert site.client.get(links.pixel("", mail, LETTER)).status_code == 200
    assert site.kept() == []
    told = 'onethread_collector_events_total{outcome="lost",source="mail"} 2.0'
    assert told in site.client.get("/metrics").text, "what was lost is counted"


def test_a_dropped_key_has_no_links(site: Site, mail: str) -> None:
    url = links.redirect("", mail, LETTER, TARGET)
    site.keys_dropped()
    assert site.client.get(url, follow_redirects=False).status_code == 400
