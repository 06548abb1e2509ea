"""The sample is one and the same everywhere, speaks every channel, and holds every story."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from examples.sample import faults, golden, stories
from examples.sample.catalogue import DAYS, GOOD, START_MS, at
from examples.sample.life import cost, iso, line
from examples.sample.world import PERSONAS, lines
from streams.core.channels import CHANNELS

DIGEST = "5a0356e7543f9f6a42b365336fd4dde93f17efdda3432d355f5bbae20a5639a9"


@pytest.fixture(scope="module")
def sample() -> list[str]:
    return list(lines())


@pytest.fixture(scope="module")
def events(sample: list[str]) -> list[dict]:
    """The lines that are JSON and not faults by design."""
    parsed = [json.loads(text) for text in sample if not text.startswith('{"event_id": "bad:bad_json')]
    return [event for event in parsed if not event["event_id"].startswith("bad:")]


def test_same_bytes_for_one_seed_under_any_hash_seed():
    """A set's order or a salted hash would show in another process."""
    script = "import hashlib; from examples.sample import lines; " \
             "print(hashlib.sha256('\\n'.join(lines(7, 60)).encode()).hexdigest())"
    root = Path(__file__).parents[3]
    digests = {subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root,
                              env=os.environ | {"PYTHONHASHSEED": salt}).stdout.strip() for salt in ("1", "2")}
    assert digests == {DIGEST}


def test_another_seed_tells_other_lives():
    assert list(lines(1, 20)) != list(lines(2, 20))


def test_fewer_people_are_the_first_of_more(events):
    few = [json.loads(text) for text in lines(people=40) if '"bad:' not in text]
    known = {event["event_id"]: event for event in events}
    assert all(known[event["event_id"]] == event for event in few)


@pytest.mark.parametrize("people", [0, 9001])
def test_people_out_of_range_are_refused(people):
    with pytest.raises(ValueError, match="expected 1 to 9000 people"):
        list(lines(people=people))


def test_about_twenty_thousand_events_of_every_channel(sample, events):
    assert 19_000 <= len(sample) <= 22_000
    by_channel = Counter(event["channel"] for event in events)
    assert by_channel.keys() == CHANNELS.keys()
    assert min(by_channel.values()) >= 50


def test_arrival_order_is_time_order_but_for_the_offline_tills(events):
    late = [event for before, event in pairwise(events) if event["occurred_at"] < before["occurred_at"]]
    assert late
    assert {(event["channel"], event["place"]["store_id"]) for event in late} == {("pos", "S4")}


def test_some_events_arrive_twice_with_equal_bytes(sample):
    repeated = [text for text, copies in Counter(sample).items() if copies == 2]
    assert 50 <= len(repeated) <= 300
    by_id = Counter(json.loads(text)["event_id"] for text in set(sample) if "bad:bad_json" not in text)
    assert max(by_id.values()) == 1


def test_times_lie_in_the_six_weeks(events):
    assert all(iso(START_MS - 86_400_000) < event["occurred_at"] < iso(at(DAYS, 0)) for event in events)
    assert iso(at(41, 23, 5, 6)) == "2026-02-28T23:05:06.000+02:00"


def test_bad_lines_are_about_one_in_a_thousand_and_name_their_reason(sample):
    bad = [text for text in sample if '"bad:' in text[:40]]
    assert len(bad) == sum(1 if reason == "oversize" else 2 for reason in faults.FAULTS)
    assert {text.split('"bad:')[1].rsplit("-", 1)[0].split("-")[0] for text in bad} == faults.FAULTS.keys()


def test_every_story_is_told(events):
    told = {event["event_id"].split(":", 1)[1].rsplit("-", 1)[0] for event in events}
    assert stories.STORIES.keys() <= told


def test_golden_story_is_one_order_through_six_channels(events):
    story = [event for event in events if event["event_id"].split(":", 1)[1].startswith("golden-")]
    channels = list(dict.fromkeys(event["channel"] for event in story))
    assert channels == ["ads", "web", "chat", "instagram", "call_centre", "pos"]
    stages = {event["type"]: event["channel"] for event in story if "order" in event}
    assert stages == {"order_requested": "instagram", "order_placed": "call_centre", "order_ready": "pos",
                      "order_paid": "pos", "order_fulfilled": "pos"}
    assert {event["order"]["order_id"] for event in story if "order" in event} == {golden.ORDER}


def test_a_cashiers_card_is_busier_than_anybody(events):
    card = [event for event in events if any(i["value"] == stories.CASHIER_CARD for i in event["identifiers"])]
    assert len({event["order"]["order_id"] for event in card if event["occurred_at"][:10] == iso(at(20, 9))[:10]}) > 20


def test_identifiers_of_two_people_never_meet_but_in_stories(events):
    """Else the sample would join strangers by accident and prove nothing."""
    holders: dict[tuple[str, str], set[str]] = {}
    for event in events:
        owner = event["event_id"].split(":", 1)[1].rsplit("-", 1)[0]
        if owner in stories.STORIES:
            continue
        for identifier in event["identifiers"]:
            if not identifier["value"].startswith(("da:a1:19", "noemail@")):  # these identify nobody
                holders.setdefault((identifier["kind"], identifier["value"].lower()), set()).add(owner)
    assert [names for names in holders.values() if len(names) > 1] == []


def test_quantities_and_totals_are_exact():
    apples = GOOD["apple"]
    assert line(1, apples, 456)["quantity"] == "0.456"
    assert line(1, apples, 2000)["quantity"] == "2"
    assert cost([(apples, 456)]) == 2275


def test_personas_are_named_once():
    assert len({persona.name for persona in PERSONAS}) == len(PERSONAS)
