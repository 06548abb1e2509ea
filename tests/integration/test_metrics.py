"""The metrics of a running stack agree with what SQL and `status` count, event by event."""

import json
import time

import pytest

from cli.scraping import Scrape, parse, scrape
from deploy.local.parts import http_text
from deploy.local.ports import HOST, Addresses
from tests.integration.test_governing import onethread

PATIENCE_S = 120


def pages(addresses: Addresses) -> Scrape:
    """Once the worker's gauges, set twice a second, say that nothing lags."""
    urls = {"worker-0": addresses.metrics_url(0), "supervisor": f"http://{HOST}:{addresses.portal}/metrics"}
    deadline = time.monotonic() + PATIENCE_S
    while (found := scrape(urls)).total("onethread_lag_records") or len(found.pages) < len(urls):
        assert time.monotonic() < deadline, "something lags though all is settled"
        time.sleep(0.2)
    return found


def event(number: int, *identifiers: str) -> str:
    return json.dumps({
        "event_id": f"metrics-{number}", "channel": "web", "type": "page_viewed",
        "occurred_at": int(time.time() * 1000) - 5000,
        "identifiers": [dict(zip(("kind", "value"), one.split(":"), strict=True)) for one in identifiers],
    })


def test_metrics_say_what_became_of_every_event(running_stack: Addresses) -> None:
    """Six events of which one comes twice; the last one shows that two persons are one."""
    before = pages(running_stack)
    lines = [event(0, "email:m0@example.com"), *(event(n, "phone:+380441230000") for n in range(1, 5))]
    onethread("emit", "-", stdin="\n".join([*lines, lines[0]]))
    onethread("settle")
    onethread("emit", "-", stdin=event(5, "email:m0@example.com", "phone:+380441230000"))
    onethread("settle")
    settled_at = time.time()
    after = pages(running_stack)

    def more(name: str, **labels: str) -> float:
        return after.total(f"onethread_{name}", **labels) - before.total(f"onethread_{name}", **labels)

    assert more("events_in_total", topic="events.web") == 7
    assert more("duplicates_total") == 1
    assert more("visible_seconds_count", since="produced") == more("visible_seconds_count", since="occurred") == 6
    assert more("visible_seconds_sum", since="occurred") - more("visible_seconds_sum", since="produced") + 0.1 > 6 * 5
    merges = onethread("sql", "SELECT count() FROM merges WHERE event_id = 'metrics-5'")
    assert more("merges_total", action="merged") == more("visible_seconds_count", since="merge") == int(merges) == 1
    assert more("commits_total") > 0
    assert more("commit_seconds_count", step="kafka") == more("commits_total")
    assert after.total("onethread_clickhouse_delay_seconds") == 0
    assert after.largest("onethread_partitions_expected") == after.total("onethread_partitions_assigned")
    assert after.by("part", "onethread_part_up").keys() >= {"supervisor", "kafka", "clickhouse", "worker-0"}

    told = after
    while told.total("onethread_books_read_seconds") < settled_at + 1:
        assert time.time() < settled_at + PATIENCE_S, "nobody tells the books"
        time.sleep(0.3)
        told = Scrape(0, 0, {"supervisor": parse(http_text(f"http://{HOST}:{running_stack.portal}/metrics") or "")})
    status = json.loads(onethread("status", "--json"))
    assert {entry: int(count) for entry, count in told.by("entry", "onethread_books").items()} == status["books"]
    assert status["books"]["difference"] == 0
    assert told.total("onethread_conflicting_duplicates") == status["conflicting_duplicates"]


@pytest.mark.usefixtures("running_stack")
def test_top_shows_the_stack() -> None:
    frame = json.loads(onethread("top", "--json"))
    assert {part["name"] for part in frame["parts"]} >= {"kafka", "clickhouse", "worker-0"}
    assert frame["silent"] == []
    assert frame["partitions"][0] == frame["partitions"][1] > 0
    assert frame["books"]["difference"] == 0
