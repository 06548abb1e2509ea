"""Page, campaign, device, place and language of a call."""

from typing import Any

import pytest

from tests.unit.connectors.segment.samples import call, decoded

SHOP = "https://www.shop.example/shoes"


def of(**context: Any) -> dict[str, Any]:
    return decoded(call(context=context))


def paged(url: str, referrer: str = "", **context: Any) -> dict[str, Any]:
    return of(page={"url": url, "referrer": referrer}, **context)


@pytest.mark.parametrize(("query", "campaign"), [
    ("utm_source=news&utm_medium=email&utm_campaign=spring%20sale&utm_term=a+b&utm_content=top",
     {"source": "news", "medium": "email", "name": "spring sale", "term": "a b", "content": "top"}),
    ("gclid=G1&utm_campaign=a", {"click_id": "G1", "name": "a", "source": "google", "medium": "cpc"}),
    ("gclid=G1", {"click_id": "G1", "source": "google", "medium": "cpc"}),
    ("fbclid=F1&utm_source=x", {"click_id": "F1", "source": "x"}),
    ("fbclid=F1&gclid=G1", {"click_id": "G1", "source": "google", "medium": "cpc"}),
    ("gclid=G1&gclid=G2", {"click_id": "G1", "source": "google", "medium": "cpc"}),
    ("utm_source=", None), ("q=1", None), ("", None),
])
def test_the_campaign_of_an_address(query: str, campaign: dict[str, str] | None) -> None:
    event = paged(f"{SHOP}?{query}#top")
    assert event.get("campaign") == campaign
    assert event["properties"]["url"] == f"{SHOP}?{query}#top"


def test_the_campaign_that_the_client_tells_wins_over_the_address() -> None:
    event = paged(f"{SHOP}?utm_source=x&msclkid=M1", campaign={"name": "spring", "id": "7"})
    assert event["campaign"] == {"name": "spring", "click_id": "M1", "source": "bing", "medium": "cpc"}
    assert event["properties"]["context.campaign.id"] == "7"


def test_a_search_without_the_address_is_read_too() -> None:
    assert of(page={"search": "?gclid=G1"})["campaign"]["click_id"] == "G1"


def test_an_address_that_is_none_harms_nothing() -> None:
    assert "campaign" not in paged("http://[?" + "&a=1" * 500)
    assert "campaign" not in of(page={"url": 7, "search": ["?gclid=G1"]})


def test_a_referrer_of_the_same_site_brought_nobody() -> None:
    same = paged(SHOP, "https://shop.example/")
    assert same["properties"]["context.page.referrer"] == "https://shop.example/"
    assert "referrer" not in same["properties"]
    other = paged(SHOP, "https://search.example/")
    assert other["properties"]["referrer"] == "https://search.example/"


def test_the_word_for_no_referrer_is_none() -> None:
    event = paged(SHOP, "$direct")
    assert "referrer" not in event["properties"]
    assert event["properties"]["context.page.referrer"] == "$direct"


@pytest.mark.parametrize(("zone", "minutes"), [("GMT+0530", 330), ("GMT-0800", -480), ("GMT+0000", 0), ("NA", None)])
def test_an_offset_told_as_the_zone(zone: str, minutes: int | None) -> None:
    event = of(timezone=zone)
    assert (event.get("utc_offset_min"), event["properties"]["context.timezone"]) == (minutes, zone)


def test_a_page_call_says_its_page_twice_and_it_is_kept_once() -> None:
    page = {"url": SHOP, "referrer": "https://shop.example/", "title": "Shoes", "path": "/shoes", "search": ""}
    event = decoded(call(type="page", event=None, name="Shoes", properties=page, context={"page": page}))
    assert event["properties"] == {
        "url": SHOP, "title": "Shoes", "path": "/shoes", "name": "Shoes", "context.page.referrer": "https://shop.example/",
    }


def test_an_address_among_the_properties_is_not_the_pages() -> None:
    event = decoded(call(properties={"url": "https://shop.example/product"}, context={"page": {"url": SHOP}}))
    assert event["properties"]["url"] == "https://shop.example/product"
    assert event["properties"]["context.page.url"] == SHOP


@pytest.mark.parametrize(("agent", "device"), [
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "desktop"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "desktop"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Mobile/15E148 Safari/604", "mobile"),
    ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", "mobile"),
    ("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", "tablet"),
    ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605 Mobile/15E148 Safari/604", "tablet"),
    ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 TV Safari/537.36", "tv"),
    ("analytics-python/2.3", None),
])
def test_the_device_of_a_user_agent(agent: str, device: str | None) -> None:
    event = of(userAgent=agent)
    assert (event.get("device"), event["properties"]["context.userAgent"]) == (device, agent)


@pytest.mark.parametrize(("told", "device"), [
    ({"type": "ios", "model": "iPhone7,2"}, "mobile"), ({"type": "ios", "model": "iPad11,1"}, "tablet"),
    ({"type": "android"}, "mobile"), ({"type": "tv"}, "tv"), ({"type": "fridge"}, None),
])
def test_the_device_that_the_client_tells(told: dict[str, str], device: str | None) -> None:
    assert of(device=told).get("device") == device


def test_the_place_as_far_as_it_is_one() -> None:
    location = {"city": "Kyiv", "country": "UA", "latitude": 50.45, "longitude": 300, "speed": 0}
    event = of(location=location, timezone="Europe/Kyiv")
    assert event["place"] == {"city": "Kyiv", "country": "UA", "latitude": 50.45, "zone": "Europe/Kyiv"}
    assert event["properties"]["context.location.longitude"] == "300"
    assert of(timezone="Mars/Base")["properties"]["context.timezone"] == "Mars/Base"


@pytest.mark.parametrize(("locale", "language"), [("uk-UA", "uk-UA"), ("en_GB", "en-GB"), ("x?", None), (7, None)])
def test_the_language(locale: Any, language: str | None) -> None:
    assert of(locale=locale).get("language") == language
