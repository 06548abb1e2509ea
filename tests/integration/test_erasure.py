"""After an erasure nothing names the person: not the state, not ClickHouse's files, not the changelog, not the logs."""

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from deploy.local import status
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from streams.settings import load
from streams.state.snapshot import changelog_topic, read
from streams.topics import Topics
from tests.integration.test_governing import onethread, owner

EMAIL, PHONE, DEVICE, ORDER = "gone@erasure.example.com", "+380670007001", "erasure-dev-771", "erasure-order-1"
NAME = "Nobody Remembers"
TOLD = (EMAIL, PHONE, PHONE[1:], DEVICE, ORDER, NAME, sha256(EMAIL.encode()).hexdigest())
COMPACTED_S = 150


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
REFUSED = line("erasure-4", "page_viewed", "05T12:00", {"email": EMAIL.upper()}, mistyped=1)
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


def naming(folder: Path) -> list[str]:
    """Files that tell one of the values."""
    found = []
    for file in folder.rglob("*"):
        try:
            data = file.read_bytes() if file.is_file() else b""
        except FileNotFoundError:
            continue
        found += [f"{file.relative_to(folder)}: {value}" for value in TOLD if value.encode() in data]
    return found


def await_nothing(search: Any, within_s: float) -> None:
    until_s = time.monotonic() + within_s
    while (found := search()) and time.monotonic() < until_s:
        time.sleep(2)
    assert found == []


def in_compacted(addresses: Addresses) -> list[str]:
    """Values that compacted topics still tell; each look brings records, without which no segment ends."""
    emit(line(f"erasure-tick-{time.time_ns()}", "page_viewed", "07T10:00", {"email": "tick@erasure.example.com"}))
    onethread("unlink", "device_id:erasure-other", "email:tick@erasure.example.com", "--reason", "two people")
    found: set[str] = set()

    def look(_key: bytes, value: bytes | None) -> None:
        found.update(told for told in TOLD if value and told.encode() in value)

    prefix = load(addresses.home).topic_prefix
    for topic in (changelog_topic(prefix), Topics(prefix).commands):
        read(addresses.kafka_bootstrap, topic, look)
    return sorted(found)


@pytest.mark.timeout(900)
def test_after_an_erasure_nothing_names_the_person(home: Addresses) -> None:
    emit(*OF_PERSON, REFUSED, *OF_ANOTHER)
    onethread("unlink", f"device_id:{DEVICE}", "device_id:erasure-other", "--reason", "two people")
    onethread("link", f"email:{EMAIL}", f"phone:{PHONE}", "--reason", "told us")
    onethread("settle")
    before = books(home)
    stays = owner(home, "email", "stays@erasure.example.com")
    assert naming(home.home / "clickhouse")

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

    await_nothing(lambda: naming(home.home / "clickhouse"), 30)
    await_nothing(lambda: naming(home.home / "state"), 90)
    await_nothing(lambda: naming(home.home / "logs"), 0)
    await_nothing(lambda: in_compacted(home), COMPACTED_S)

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
