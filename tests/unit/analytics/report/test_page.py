"""The page of the report: whole, from nothing outside, with the figures it was given."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from analytics.report.figures import Figures
from analytics.report.page import page
from tests.unit.analytics.report.fixture import COHORTS, EMPTY, HEAD, JOURNEY, WHOLE

LOADING = {"src", "srcset", "data", "action", "poster", "background", "href", "xlink:href"}


class Links(HTMLParser):
    """Everything in a page that would make a browser ask somebody for something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for name, value in attributes
                       if name in LOADING and not (name == "href" and (value or "").startswith("#"))]


def document(found: Figures) -> ElementTree.Element:
    """The page as XML, which it is for whoever closes every tag and quotes every attribute."""
    told = page(found)
    assert told.startswith("<!doctype html>")
    return ElementTree.fromstring(told.removeprefix("<!doctype html>"))


def words(found: Figures) -> str:
    return " ".join(" ".join(document(found).itertext()).split())


def section(found: Figures, name: str) -> str:
    part, = (one for one in document(found).iter("section") if one.get("id") == name)
    return " ".join(" ".join(part.itertext()).split())


@pytest.mark.parametrize("found", [WHOLE, EMPTY], ids=["whole", "empty"])
def test_it_asks_nobody_for_anything(found: Figures) -> None:
    links = Links()
    links.feed(page(found))
    assert links.found == []
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(links.tags)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|@font-face", page(found))


@pytest.mark.parametrize("found", [WHOLE, EMPTY], ids=["whole", "empty"])
def test_it_is_well_formed_and_every_part_can_be_gone_to(found: Figures) -> None:
    root = document(found)
    parts = [part.get("id") for part in root.iter("section")]
    assert parts == ["channel_mix", "switches", "attribution", "cohorts", "ltv", "white_spots", "obstacles", "journey"]
    assert [link.get("href") for link in root.iter("a")] == [f"#{part}" for part in parts]


def test_it_follows_the_readers_choice_of_light_or_dark() -> None:
    style = next(document(WHOLE).iter("style")).text or ""
    light, dark = style.split("prefers-color-scheme: dark", 1)
    colours = set(re.findall(r"(--[a-z]+):", light))
    assert colours == set(re.findall(r"(--[a-z]+):", dark.split("}", 1)[0]))
    assert set(re.findall(r"var\((--[a-z]+)\)", style)) <= colours
    body = page(WHOLE).split("</style>")[1]
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b|rgb\(", body), "colours are the style's"


def test_every_class_of_a_chart_is_of_the_style() -> None:
    root = document(WHOLE)
    style = next(root.iter("style")).text or ""
    used = {kind for chart in root.iter("svg") for one in chart.iter() for kind in one.get("class", "").split()}
    assert {kind for kind in used if f"svg .{kind} " not in style and f"svg text.{kind} " not in style} <= {"cell"}


def test_the_same_figures_give_the_same_bytes() -> None:
    assert page(WHOLE) == page(replace(WHOLE))


def test_figures_are_those_of_the_rows() -> None:
    told = words(WHOLE)
    for figure in ("1,234 ", "revenue, UAH 1,234,567 ", "55 named nobody", "3 orders without a rate are not in it",
                   "17 Feb 2026, 22:12"):
        assert figure in told
    assert "several 230 23.0% 900 600,000 UAH 2,609 UAH 4.75 ×" in section(WHOLE, "channel_mix")
    assert "anonymous not known – 55 20,000 UAH – –" in section(WHOLE, "channel_mix")
    assert "web → chat: 120, 61 lost here" in section(WHOLE, "switches")
    assert "web → chat 120 61 50.8% 1 h 30 min" in section(WHOLE, "switches")
    assert "ads, first: 50.0%" in section(WHOLE, "attribution")
    assert "Jan 2026, 2: 16%" in section(WHOLE, "cohorts")
    assert "predicts 321 purchases in the second; 318 came" in section(WHOLE, "ltv")
    assert "ads · winter-light 320 160 812 UAH 406 UAH 4,200 UAH" in section(WHOLE, "ltv")
    assert "Centre 600 255 42.5% 9,000 UAH 24 15" in section(WHOLE, "white_spots")
    assert "payment failed 71 40 31 56.3% 71.0%" in section(WHOLE, "obstacles")
    assert "an order of 1,890 UAH" in section(WHOLE, "journey")


def test_what_is_missing_is_told() -> None:
    assert words(EMPTY).count("Nothing to show:") == 8
    assert "Not run yet: shapley (onethread attribute)." in section(WHOLE, "attribution")
    assert "no model was fitted yet" in section(replace(WHOLE, fit=None), "ltv")
    assert "of counted orders" in words(replace(WHOLE, head=HEAD | {"unconverted": 0}))


@pytest.mark.parametrize("name", [f.name for f in fields(Figures) if f.name not in ("head", "families")])
def test_each_part_may_be_empty_alone(name: str) -> None:
    empty = getattr(EMPTY, name)
    document(replace(WHOLE, **{name: empty}))


def test_names_of_others_do_no_harm() -> None:
    """Channels, campaigns and stores are named by whoever sends events."""
    bad = "<script>alert(1)</script>&\"'"
    found = replace(
        WHOLE, switches=[row | {"from_channel": bad} for row in WHOLE.switches],
        credits=[row | {"channel": bad} for row in WHOLE.credits],
        acquisitions=[row | {"campaign": bad} for row in WHOLE.acquisitions],
        white_spots=[row | {"store": bad} for row in WHOLE.white_spots],
        obstacles=[row | {"obstacle": bad} for row in WHOLE.obstacles],
        journey=JOURNEY | {"path": [bad] * 7},
    )
    assert "<script" not in page(found)
    assert bad in words(found)


def test_a_cohort_of_one_month_and_one_week_of_a_store_are_shown() -> None:
    one = replace(WHOLE, cohorts=COHORTS[:1], white_spots=WHOLE.white_spots[:1])
    assert "100%" in section(one, "cohorts")
    assert "Centre" in section(one, "white_spots")
