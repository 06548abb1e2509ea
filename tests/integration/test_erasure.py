"""After an erasure nothing names the person, wherever something did; raw events stay as long as the receipt says.

That each search finds what is there is shown before the erasure, value by value.
"""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import httpx
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from connectors.collector import keys
from deploy.local import status
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from streams.settings import load
from streams.state.snapshot import changelog_topic
from streams.topics import Topics
from tests.integration import searching
from tests.integration.test_governing import onethread, owner

EMAIL, PHONE, DEVICE, ORDER = "gone@erasure.example.com", "+380670007001", "erasure-dev-771", "erasure-order-1"
NAME = "Nobody Remembers"
NAMES = {EMAIL, PHONE[1:], DEVICE, ORDER, NAME, sha256(EMAIL.encode()).hexdigest()}
AS_REFUSED = EMAIL.upper()
TOLD = {*NAMES, AS_REFUSED}
COMPACTED_S = 150
STRANGERS = 20
"""With two identifiers each, some of every partition."""


def line(event_id: str, kind: str, at: str, ids: dict[str, str], **more: Any) -> str:
    return json.dumps({
        "event_id": event_id, "channel": "web", "type": kind, "occurred_at": f"2026-02-{at}:00Z",
        "identifiers": [{"kind": k, "value": v} for k, v in ids.items()], **more,
    })


OF_PERSON = (
    line("erasure-1", "page_viewed", "05T10:00", {"email": EMAIL, "device_id": DEVICE},
         properties={"url": f"/x?mail={EMAIL}"}),
    line("erasure-2", "order_placed", "05T10:10", {"email": EMAIL, "phone": PHONE},
         order={"order_id": ORDER, "total": "12.50", "currency": "EUR"}),
    line("erasure-3", "message_received", "06T11:00", {"phone": PHONE}, traits={"name": NAME},
         message={"message_id": "erasure-m", "text": f"I am {NAME}"}),
)
REFUSED = line("erasure-4", "page_viewed", "05T12:00", {"email": AS_REFUSED}, mistyped=1)
OF_ANOTHER = (
    line("erasure-5", "page_viewed", "05T10:00", {"email": "stays@erasure.example.com", "device_id": "erasure-other"}),
    line("erasure-6", "page_viewed", "05T10:05", {"email": "stays@erasure.example.com"}),
)


@pytest.fixture
def home(running_stack: Addresses) -> Addresses:
    """The stack, with topics that are compacted as soon as there is something to compact."""
    prefix = load(running_stack.home).topic_prefix
    soon = {"segment.ms": "500", "max.compaction.lag.ms": "500", "min.cleanable.dirty.ratio": "0.001"}
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in soon.items()]
    admin = AdminClient({"bootstrap.servers": running_stack.kafka_bootstrap})
    topics = changelog_topic(prefix), Topics(prefix).commands
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries) for topic in topics]
    for altered in admin.incremental_alter_configs(resources).values():
        altered.result()
    return running_stack


def emit(*lines: str) -> None:
    onethread("emit", "-", stdin="\n".join(lines))
    onethread("settle")


def books(addresses: Addresses) -> dict[str, int]:
    found = status.read(addresses, load(addresses.home)).books
    assert found is not None
    assert found["difference"] == 0
    return found


def collect(addresses: Addresses, event: str) -> None:
    """By way of the collector and its spool."""
    httpx.post(f"{addresses.collector_url}/v1/events", auth=(keys.local(addresses.home), ""), content=event,
               headers={"Content-Type": "application/json"}, trust_env=False).raise_for_status()


class Place(NamedTuple):
    """Where the person may be named: the search, what it finds before the erasure, and how soon nothing after it."""

    search: Callable[[], searching.Told]
    holds: set[str]
    within_s: float = 0


def places(addresses: Addresses) -> dict[str, Place]:
    """All but the topics of raw events, which the receipt speaks of."""
    home, bootstrap, prefix = addresses.home, addresses.kafka_bootstrap, load(addresses.home).topic_prefix
    names, changelog = Topics(prefix), changelog_topic(prefix)

    def of(*topics: str) -> searching.Told:
        return searching.in_topics(bootstrap, topics, TOLD)

    def compacted(topic: str) -> searching.Told:
        """Each look brings records to every partition, without which no segment ends."""
        strangers = [f"{time.time_ns()}-{n}@erasure.example.com" for n in range(STRANGERS)]
        emit(*(line(f"erasure-{email}", "page_viewed", "07T10:00", {"email": email}) for email in strangers))
        onethread("unlink", "device_id:erasure-other", f"email:{strangers[0]}", "--reason", "two people")
        return of(topic)

    others = {topic for topic in searching.topics(bootstrap) if not topic.startswith(names.events(""))}
    others -= {changelog, names.commands, names.identity, names.facts, names.dead_letters}
    return {
        "clickhouse": Place(lambda: searching.in_clickhouse(home / "clickhouse", TOLD), TOLD, 30),
        "state": Place(lambda: searching.in_state(home / "state", TOLD), NAMES, 90),
        "changelog": Place(lambda: compacted(changelog), NAMES, COMPACTED_S),
        "commands": Place(lambda: compacted(names.commands), {EMAIL, PHONE[1:], DEVICE}, COMPACTED_S),
        "identity": Place(lambda: of(names.identity), NAMES),
        "facts": Place(lambda: of(names.facts), NAMES),
        "dead letters": Place(lambda: of(names.dead_letters), {AS_REFUSED}),
        "other topics": Place(lambda: of(*others), set()),
        "other files": Place(lambda: searching.in_files(home, TOLD, but={"clickhouse", "state", "kafka"}), set()),
    }


def await_nothing(place: Place) -> None:
    until_s = time.monotonic() + place.within_s
    while (found := place.search()) and time.monotonic() < until_s:
        time.sleep(2)
    assert found == {}


@pytest.mark.timeout(900)
def test_after_an_erasure_nothing_names_the_person(home: Addresses) -> None:
    collect(home, OF_PERSON[0])
    emit(*OF_PERSON[1:], REFUSED, *OF_ANOTHER)
    onethread("unlink", f"device_id:{DEVICE}", "device_id:erasure-other", "--reason", "two people")
    onethread("link", f"email:{EMAIL}", f"phone:{PHONE}", "--reason", "told us")
    onethread("settle")
    onethread("restart")  # a store that is closed writes down what it had in memory alone
    searched = places(home)
    for name, place in searched.items():
        assert place.search().keys() >= place.holds, name
    before = books(home)
    stays = owner(home, "email", "stays@erasure.example.com")

    preview = json.loads(onethread("erase", f"email:{EMAIL}", "--reason", "asked", "--dry-run"))
    assert (preview["identifiers"]["phone"], preview["stores"]["dead_letters"]) == (1, 1)
    assert books(home) == before
    assert "--yes" in onethread("erase", f"email:{EMAIL}", "--reason", "asked", code=2)

    receipt = json.loads(onethread("erase", f"phone:{PHONE}", "--reason", "asked", "--yes"))
    assert (receipt["stores"]["touchpoints"], receipt["stores"]["commands"]) == (3, 2)
    assert receipt["stores"]["state"]["identifiers"] == 5
    assert {month["month"] for month in receipt["months"]} == {"2026-02"}
    assert receipt["kept_until"]["events.web"] == {"records": 3, "until": "for ever"}
    erased = connect(home.clickhouse_url).query(
        "SELECT month, currency, touchpoints, orders, toFloat64(revenue) FROM onethread.erasures "
        "WHERE receipt_id = {id:String} ORDER BY currency", parameters={"id": receipt["receipt_id"]}).result_rows
    assert erased == [("2026-02", "", 3, 0, 0.0), ("2026-02", "EUR", 0, 1, 12.5)]
    assert "no such email" in onethread("who", f"email:{EMAIL}", code=1)
    assert owner(home, "email", "stays@erasure.example.com") == stays
    after = books(home)
    assert (after["erased"], after["touchpoints"]) == (before["erased"] + 3, before["touchpoints"] - 3)

    for place in searched.values():
        await_nothing(place)
    onethread("restart")
    await_nothing(searched["state"])

    emit(*OF_PERSON)
    late = books(home)
    assert (late["erased"], late["touchpoints"] - after["touchpoints"]) == (
        after["erased"] + 3, late["in"] - after["in"] - 3)
    emit(line("erasure-7", "page_viewed", "08T10:00", {"email": EMAIL}))
    assert json.loads(onethread("who", f"email:{EMAIL}", "--json"))["person"]["touchpoints"] == 1


@pytest.mark.timeout(600)
def test_who_is_suppressed_is_only_counted(home: Addresses) -> None:
    emit(line("suppressed-1", "page_viewed", "05T10:00", {"email": "no@suppressed.example.com"}))
    receipt = json.loads(onethread(
        "erase", "email:no@suppressed.example.com", "--reason", "asked", "--suppress", "--yes"))
    assert receipt["identifiers"] == {"email": 1, "email_sha256": 1}
    before = books(home)
    emit(line("suppressed-2", "page_viewed", "06T10:00", {"email": "no@suppressed.example.com"}),
         line("suppressed-3", "page_viewed", "06T10:00", {"email": "No@Suppressed.example.com", "device_id": "s-1"}))
    after = books(home)
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert changed == {"in": 2, "suppressed": 2}
    assert "no such device_id" in onethread("who", "device_id:s-1", code=1)


@pytest.mark.timeout(600)
def test_nobody_is_erased_by_an_identifier_of_many_people(home: Addresses) -> None:
    emit(*(line(f"kiosk-{n}", "page_viewed", "05T10:00", {"email": f"{n}@kiosk.example.com", "device_id": "kiosk-1"})
           for n in range(4)))
    assert "many people's" in onethread("erase", "device_id:kiosk-1", "--reason", "asked", "--yes", code=1)
