"""What a running stack tells of identities: why, export, history, and the topics for other programs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Consumer

from deploy.local.ports import Addresses
from schemas.records import MERGE, PERSON, Record
from schemas.wire import HEAD_BYTES
from streams.settings import load
from streams.topics import Topics

ROOT = Path(__file__).parents[2]
PHONE, CLICK, CUSTOMER = "phone:+380670007001", "click_id:identity-test", "customer_id:identity-1"


def run(*words: str, stdin: str = "") -> str:
    done = subprocess.run([sys.executable, "-m", "cli.main", *words], capture_output=True, text=True, cwd=ROOT,
                          input=stdin, env=dict(os.environ), timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def event(number: int, channel: str, type_: str, *identifiers: str, **fields: Any) -> dict[str, Any]:
    named = [dict(zip(("kind", "value"), text.split(":", 1), strict=True)) for text in identifiers]
    return {"event_id": f"identity-{number}", "channel": channel, "type": type_, "source": "site",
            "occurred_at": f"2026-02-01T10:0{number}:00Z", "identifiers": named, **fields}


@pytest.fixture(scope="module")
def told(running_stack: Addresses) -> Addresses:
    """A click, a cookie and a phone come to be one; a customer number is held apart from them."""
    run("emit", "-", stdin="\n".join(json.dumps(line) for line in (
        event(1, "ads", "ad_clicked", CLICK, "anonymous_id:identity-a"),
        event(2, "web", "page_viewed", PHONE, "email:identity@example.com", properties={"url": "/lamps"}),
    )))
    run("settle")
    run("emit", "-", stdin="\n".join(json.dumps(line) for line in (
        event(3, "web", "form_submitted", "anonymous_id:identity-a", PHONE),
        event(4, "pos", "card_shown", CUSTOMER, PHONE),
    )))
    run("settle")
    run("unlink", CUSTOMER, PHONE, "--reason", "somebody else's phone")
    run("settle")
    return running_stack


def test_why_tells_the_chain_or_the_rule(told: Addresses) -> None:
    chain = json.loads(run("why", PHONE, CLICK, "--json"))["chain"]
    assert [(link["to"]["value"], [seen["event_id"] for seen in link["seen"]]) for link in chain] == [
        ("identity-a", ["identity-3"]), ("identity-test", ["identity-1"])]
    apart = json.loads(run("why", CUSTOMER, PHONE, "--json"))
    assert (apart["because"], apart["rules"][0]["reason"]) == ("unlink", "somebody else's phone")
    assert apart["refused"][0]["seen"][0]["event_id"] == "identity-4"
    page = run("why", PHONE, CLICK)
    assert "One person" in page
    assert max(map(len, page.splitlines())) <= 100


def test_export_holds_the_person_whole(told: Addresses) -> None:
    held = json.loads(run("export", PHONE))
    assert [touchpoint["event_id"] for touchpoint in held["touchpoints"]] == ["identity-1", "identity-2", "identity-3"]
    assert held["touchpoints"][1]["properties"]["url"] == "/lamps"
    assert {rule["verb"] for rule in held["rules"]} == {"unlink"}
    assert {"merged", "split"} <= {merge["action"] for merge in held["merges"]}


def test_the_past_can_be_asked_by_sql(told: Addresses) -> None:
    history = [json.loads(line) for line in run("sql", "SELECT * FROM identifier_history WHERE value = 'identity-1' "
                                                "ORDER BY valid_from", "--format", "JSONEachRow").splitlines()]
    assert history[-1]["valid_to"] is None
    assert [before["valid_to"] for before in history[:-1]] == [after["valid_from"] for after in history[1:]]
    assert history[-1]["person_id"] == json.loads(run("who", CUSTOMER, "--json"))["person"]["person_id"]
    count = "SELECT count() FROM persons_as_of(at = '2000-01-01')"
    assert run("sql", count, "--format", "TSV").strip() == "0"


def test_other_programs_read_the_person_and_what_became_of_it(told: Addresses) -> None:
    topics = Topics(load(told.home).topic_prefix)
    who = json.loads(run("who", PHONE, "--json"))["person"]
    persons = dict(read(told, topics.persons, PERSON))
    found = persons[who["person_id"]]
    assert found is not None
    assert (found["touchpoints"], found["channels"]) == (3, ["ads", "web"])
    merged = [value for _, value in read(told, topics.merges, MERGE) if value["event_id"] == "identity-3"]
    assert {merge["person_id"] for merge in merged} == {who["person_id"]}
    assert all(persons[merge["other_person_id"]] is None for merge in merged)


def read(addresses: Addresses, topic: str, record: Record) -> list[tuple[str, Any]]:
    """Every record of a public topic: its key as the text of a UUID, and what it says; None for a tombstone."""
    consumer = Consumer({"bootstrap.servers": addresses.kafka_bootstrap, "group.id": f"test-{topic}",
                         "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.subscribe([topic])
    found: list[tuple[str, Any]] = []
    ended: set[int] = set()
    while len(ended) < load(addresses.home).partitions:
        message = consumer.poll(30)
        assert message is not None, f"{topic} does not answer"
        if message.error():
            ended.add(message.partition())
        else:
            value = message.value()
            found.append((str(UUID(bytes=message.key())), value and record.decode(value, HEAD_BYTES)))
    consumer.close()
    return found
