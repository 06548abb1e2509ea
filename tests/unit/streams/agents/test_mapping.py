"""The stage of foreign topics: rows become events exactly as often as they are read, and the rest a dead letter."""

import asyncio
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from connectors.checking import Checker
from connectors.files import changes
from connectors.files.mapping import parse
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, schema_id
from streams.agents.mapping import MapRecords
from streams.core.policy import default
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work
from tests.unit.streams.core.records import KAFKA_MS

SOURCE = TP("crm.public.contacts", 1)
MAPPING = """
[[skip]]
__op = "d"
[[events]]
channel = "{channel}"
type = "identified"
event_id = "crm:{id}"
occurred_at = "{at}"
identifiers = [{ kind = "phone", value = "{phone}" }, { kind = "payment_token", value = "{token?}" }]
[[events]]
when = { "second?" = "*" }
channel = "crm"
type = "identified"
event_id = "crm:{id}:second"
occurred_at = "{at}"
"""
GOOD = {"id": "7", "channel": "crm", "at": "2026-02-05T10:00:00Z", "phone": "+380670001201"}


class Registry:
    def lookup_schema(self, subject: str, _schema: Any) -> Any:
        return SimpleNamespace(schema_id={"t.events.crm-value": 5, "t.dead-letters-value": 9}[subject])


@dataclass
class Group:
    batches: list[Any]
    offsets: dict[TP, int] = field(default_factory=lambda: {SOURCE: 3})


def work(*rows: dict[str, Any] | bytes | None, op: str = "u") -> Work:
    values = [json.dumps({"op": op, "before": row, "after": row}).encode() if isinstance(row, dict) else row
              for row in rows]
    batch = SimpleNamespace(tp=SOURCE, records=[
        SimpleNamespace(topic=SOURCE.topic, partition=1, offset=n, timestamp=KAFKA_MS, value=value)
        for n, value in enumerate(values)
    ])
    stage = MapRecords(
        4, Topics("t."), {SOURCE.topic: parse(MAPPING, "crm")}, Checker(Settings(topic_prefix="t."), default()),
        SchemaCache(Registry()), changes.row,
    )
    return asyncio.run(stage.handle(Group([batch])))


def letters(done: Work) -> list[dict[str, Any]]:
    return [DEAD_LETTER.decode(value or b"", HEAD_BYTES) for topic, _, _, value in done.records
            if topic == "t.dead-letters"]


def test_a_row_leaves_as_its_events_with_the_offsets_of_its_group() -> None:
    done = work({**GOOD, "second": "yes"})
    assert [(topic, CHANNEL_EVENT.decode(value or b"", HEAD_BYTES)["event_id"], schema_id(value or b""))
            for topic, _, _, value in done.records] == [
        ("t.events.crm", "crm:7", 5), ("t.events.crm", "crm:7:second", 5),
    ]
    assert done.offsets == {SOURCE: 3}
    assert not done.writes


def test_the_copies_of_an_event_go_to_one_partition_and_keys_name_nobody() -> None:
    first, again = work(GOOD).records[0], work({**GOOD, "phone": "+380670001202"}).records[0]
    assert first[1:3] == again[1:3]
    assert 0 <= first[1] < 4
    assert b"crm" not in (first[2] or b"")


def test_what_never_becomes_an_event_is_a_dead_letter_with_its_place_and_bytes() -> None:
    done = work(b"junk", {**GOOD, "at": "never"}, {**GOOD, "channel": "moon"}, {**GOOD, "id": ""}, GOOD)
    found = letters(done)
    assert [(told["reason"], told["topic"], told["partition"], told["offset"]) for told in found] == [
        ("bad_json", SOURCE.topic, 1, 0), ("bad_time", SOURCE.topic, 1, 1), ("unknown_channel", SOURCE.topic, 1, 2),
        ("missing_field", SOURCE.topic, 1, 3),
    ]
    assert found[0]["raw"] == b"junk"
    assert [topic for topic, *_ in done.records].count("t.events.crm") == 1


def test_the_number_of_a_card_is_not_kept() -> None:
    told, = letters(work({**GOOD, "at": "never", "token": "4111111111111111"}))
    assert told["raw"] is None


def test_tombstones_and_rows_that_mean_nothing_are_passed_over() -> None:
    assert work(None, b"").records == []
    assert work(GOOD, op="d").records == []


def test_whether_an_event_is_good_is_for_ingest_to_say() -> None:
    assert [topic for topic, *_ in work({**GOOD, "phone": ""}).records] == ["t.events.crm"]
