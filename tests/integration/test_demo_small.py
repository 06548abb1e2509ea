"""`onethread demo` on a real stack: the golden customer is one person with one thread and one order."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.lookup.local import create
from deploy.local.ports import Addresses
from examples.sample import golden
from tests.conftest import free_base

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

CHECKOUT = Path(__file__).parents[2]
ASKED = sorted(CHECKOUT.joinpath("tests", "fixtures", "questions").glob("*.sql"))
READY = ("channel_mix", "white_spots", "identification", "channel_switches", "obstacles", "journey_paths", "ropo",
         "abandoned_carts", "connectivity", "store_funnel", "channel_profile", "device_mix", "time_to_purchase")


class Demo:
    """A demo of a hundred people, and what it printed."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.page = self.run("demo", "--people", "100")

    def run(self, *words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "cli.main", *words], capture_output=True, text=True, cwd=CHECKOUT,
                              env=os.environ | self.addresses.environ(), timeout=400)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, query: str) -> list[dict[str, Any]]:
        answer = httpx.post(self.addresses.clickhouse_url, content=query.encode(), trust_env=False, timeout=60,
                            params={"database": "onethread", "default_format": "JSONEachRow", "readonly": "2"})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    addresses = Addresses(tmp_path_factory.mktemp("demo") / "home", free_base())
    try:
        yield Demo(addresses)
    finally:
        subprocess.run([sys.executable, "-m", "cli.main", "down"], cwd=CHECKOUT, env=os.environ | addresses.environ(),
                       check=True, timeout=120)


def test_six_systems_are_one_person_with_one_order(demo: Demo) -> None:
    told = json.loads(demo.run("who", f"phone:{golden.PHONE}", "--json"))
    assert told["person"]["channels"] == ["ads", "web", "chat", "instagram", "call_centre", "pos"]
    assert {i["kind"] for i in told["identifiers"]} == {"click_id", "anonymous_id", "phone", "instagram_id", "order_id"}
    [order] = told["orders"]
    assert (order["order_id"], order["requested_channel"], order["placed_channel"], order["fulfilled_channel"],
            order["fulfilled_store_id"], order["status"], order["revenue"]) == (
        golden.ORDER, "instagram", "call_centre", "pos", golden.STORE, "fulfilled", "1298.0000")
    assert [(item["sku"], item["quantity"]) for item in order["items"]] == [("garland-led-10", "2.0000")]


def test_every_identifier_of_the_golden_customer_leads_to_the_same_person(demo: Demo) -> None:
    people = {json.loads(demo.run("who", who, "--json"))["person"]["person_id"] for who in (
        "phone:067 000 90 01", "click_id:gclid-golden", "instagram_id:17841400:5009001", f"order_id:{golden.ORDER}")}
    assert len(people) == 1


def test_the_thread_is_told_step_by_step_with_what_ties_it(demo: Demo) -> None:
    lines = [" ".join(line.split()) for line in demo.page.splitlines()]
    assert "● 2 20:12 web desktop page viewed · winter-light click_id from 1 +anonymous_id" in lines
    assert "ads → web → chat → ads → instagram → call_centre" in lines
    assert "17 Feb 20:12 ads ad · winter-light 100.0% · · 16.7% 16.3% 40.0%" in lines
    assert "● 13 13:03 call_centre phone order placed · 1,298.00 UAH phone from 7" in lines
    assert "● 16 18:06 pos pos S2 order fulfilled order_id from 11" in lines
    assert "fulfilled 19 Feb 18:06 pos S2" in lines
    assert max(len(line) for line in demo.page.splitlines()) <= 100


def test_the_story_is_one_journey_and_its_touches_share_the_order(demo: Demo) -> None:
    told = json.loads(demo.run("who", f"phone:{golden.PHONE}", "--json"))
    [journey] = told["journeys"]
    assert (journey["start_channel"], journey["end_type"], journey["outcome"], journey["order_id"]) == (
        "ads", "order_placed", "converted", golden.ORDER)
    assert (told["person"]["acquisition_channel"], told["person"]["acquisition_campaign"]) == ("ads", "winter-light")
    shared = demo.rows("SELECT model, toString(sum(credit)) AS credit, toString(sum(revenue)) AS revenue FROM credits "
                       f"WHERE order_id = '{golden.ORDER}' GROUP BY model")
    assert len(shared) == 6
    assert {(row["credit"], row["revenue"]) for row in shared} == {("1", "1298")}


def test_the_report_shows_the_story_and_leaves_no_part_empty(demo: Demo, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert demo.run("report", "--out", str(out)) == f"the page: {out}\n"
    told = out.read_text(encoding="utf-8")
    assert "Nothing to show" not in told
    assert "13 touchpoints over 5 changes of channel, within 16 h 51 min, to an order of 1,298 UAH" in told
    assert golden.PHONE not in told


def test_every_counted_order_is_credited_to_the_last_digit(demo: Demo) -> None:
    assert demo.rows("""
        SELECT count() AS orders FROM orders AS o LEFT JOIN (
            SELECT order_id, person_id, sum(credit) AS credit, sum(revenue) AS revenue FROM credits
            GROUP BY order_id, person_id, model
        ) AS c ON c.order_id = o.order_id AND c.person_id = o.person_id
        WHERE placed_at IS NOT NULL AND status != 'cancelled' AND NOT person_shared
            AND (c.credit != 1 OR c.revenue != o.revenue)""") == [{"orders": 0}]


def test_the_stories_around_it_came_out(demo: Demo) -> None:
    shared = demo.rows("SELECT kind, value FROM identifiers WHERE shared AND kind != 'email_sha256' ORDER BY kind")
    assert [row["value"] for row in shared] == ["till-s3@example.com", "7799009300"]
    [tablet] = demo.rows("SELECT contested FROM identifiers WHERE value = 'family-tablet'")
    assert tablet["contested"]
    orders = demo.rows("SELECT placed_channel, fulfilled_channel, status FROM orders WHERE order_id IN "
                       "('web-pickup', 'app-returned') ORDER BY order_id")
    assert orders == [{"placed_channel": "app", "fulfilled_channel": "delivery", "status": "partly_returned"},
                      {"placed_channel": "web", "fulfilled_channel": "pos", "status": "fulfilled"}]


def test_the_books_balance_and_the_faults_are_dead_letters(demo: Demo) -> None:
    status = json.loads(demo.run("status", "--json"))
    assert status["books"]["difference"] == 0
    assert status["books"]["dead_letters"] == 25
    assert status["unknown_types"] == []


@pytest.mark.parametrize("file", ASKED, ids=lambda file: file.stem)
def test_what_analysts_asked_first_is_answered(demo: Demo, file: Path) -> None:
    rows = demo.rows(file.read_text(encoding="utf-8"))
    assert rows or file.stem == "Q6"  # in six weeks nobody can be missed


def test_ready_questions_are_answered_with_a_period_and_without(demo: Demo) -> None:
    february = "(from = '2026-02-01', to = '2026-03-01')"
    for name in READY:
        assert demo.rows(f"SELECT * FROM {name} LIMIT 1"), name
        assert name == "connectivity" or demo.rows(f"SELECT * FROM {name}_between{february} LIMIT 1"), name


def test_a_look_up_says_of_everybody_what_the_view_says(demo: Demo) -> None:
    """Status, money and probability alive are said twice, in SQL of everybody and in Python of one person."""
    rows = demo.rows("SELECT * FROM persons WHERE known AND NOT shared")
    assert {row["status"] for row in rows} >= {"new", "prospect"}
    found = asyncio.run(_looked_up(demo.addresses, [row["person_id"] for row in rows]))
    assert [_standing(row, row) for row in rows] == [_standing(one, one["ltv"]) for one in found]


def _standing(told: dict[str, Any], money: dict[str, Any]) -> dict[str, Any]:
    names = ("person_id", "known", "status", "unnoticed_by", "probability_alive", "preferences", "consent")
    return {**{name: told[name] for name in names}, "orders": int(money["orders"]),
            "revenue": float(money["revenue"]), "unconverted": int(money["unconverted"])}


async def _looked_up(addresses: Addresses, person_ids: list[str]) -> list[dict[str, Any]]:
    lookup = create(addresses)
    lookup.start()
    found = [await lookup.document("person", person_ids[0])]
    while found[0]["missing"]:  # until ClickHouse has told the figures
        await asyncio.sleep(0.1)
        found = [await lookup.document("person", person_ids[0])]
    found += [await lookup.document("person", one) for one in person_ids[1:]]
    await lookup.stop()
    return found
