"""The way back of dead letters: judged by what holds now, under the ids they always had."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.checking import Checked, Checker
from connectors.collector import keys
from connectors.files.mapping import load, parse
from connectors.payloads import Payloads
from connectors.replaying import Replayer, readable
from schemas.records import CHANNEL_EVENT
from schemas.registry import SchemaCache
from schemas.wire import frame
from sinks.clickhouse.letters import Letter, Place
from streams.core.policy import default
from streams.core.refusal import Reject
from streams.settings import Settings
from streams.topics import Topics
from tests.unit.streams.core.records import KAFKA_MS, read, told

EVENT = 5
MAPPING = """
[[events]]
channel = "pos"
type = "store_visited"
event_id = "v{id}"
occurred_at = "{at}"
identifiers = [{ kind = "phone", value = "{phone}" }]
"""
ROW = {"id": "1", "at": "2026-02-05 10:00", "phone": "+380670001201"}
ZONE = '[file]\nzone = "Europe/Kyiv"\n'


class Registry:
    def get_schema(self, number: int) -> Any:
        assert number == EVENT
        return SimpleNamespace(schema_type="AVRO", schema_str=CHANNEL_EVENT.text)


def letter(
    raw: bytes | None, reason: str = "bad_value", topic: str | None = None, source: str = "day.jsonl:7",
) -> Letter:
    return Letter(Place(1, 7), datetime(2026, 2, 5, tzinfo=UTC), reason, "", topic, 0, 3, None, source, None, raw, None)


def answer(given: Letter, mapping: str = "", home: Path = Path(), **settings: Any) -> list[str] | str:
    """Ids of the events, or the reason why there are none."""
    replayer = Replayer(
        Checker(Settings(**settings), default()), Topics(), SchemaCache(Registry()),
        {"crm.contacts": parse(ZONE + MAPPING, "crm")}, Payloads(home), parse(mapping, "m") if mapping else None,
    )
    found = replayer.answer(given, KAFKA_MS)
    return str(found.reason) if isinstance(found, Reject) else [one.event_id for one in found]


def avro(**fields: Any) -> bytes:
    record = read(told(**fields))
    assert isinstance(record, dict)
    return frame(EVENT, CHANNEL_EVENT.encode(record))


def test_a_line_of_json_goes_once_its_channel_is_there() -> None:
    given = letter(json.dumps(told(event_id="a", channel="locker")).encode(), "unknown_channel")
    assert answer(given) == "unknown_channel"
    assert answer(given, channels={"locker": "store"}) == ["a"]


def test_a_record_of_an_events_topic_is_avro_or_the_json_in_its_place() -> None:
    assert answer(letter(avro(event_id="b"), topic="events.web")) == ["b"]
    assert answer(letter(json.dumps(told(event_id="c")).encode(), "bad_avro", "events.web")) == ["c"]
    assert answer(letter(b"\x01junk", "bad_avro", "events.web")) == "bad_avro"
    assert answer(letter(avro(event_id="d", channel="locker"), topic="events.web")) == "unknown_channel"


def test_a_record_of_the_wrong_topic_goes_to_that_of_its_channel() -> None:
    replayer = Replayer(Checker(Settings(), default()), Topics(), SchemaCache(Registry()), {}, Payloads(Path()))
    found = replayer.answer(letter(avro(channel="app"), "channel_mismatch", "events.web"), KAFKA_MS)
    assert isinstance(found, list)
    assert [one.channel for one in found] == ["app"]


def test_a_row_goes_through_its_mapping_as_that_is_now(tmp_path: Path) -> None:
    file = tmp_path / "visits.toml"
    file.write_text(MAPPING)
    given = letter(json.dumps(ROW).encode(), "bad_time", source=f"visits.csv:2 by {load(file).name}")
    assert answer(given) == "bad_time"
    file.write_text(ZONE + MAPPING)
    assert answer(given) == ["v1"]
    file.unlink()
    assert answer(given) == "bad_value"
    assert answer(given, ZONE + MAPPING) == ["v1"]


def test_of_a_row_all_events_go_or_none() -> None:
    two = ZONE + MAPPING + MAPPING.replace("v{id}", "w{id}")
    given = letter(json.dumps(ROW).encode(), source="visits.csv:2 by gone")
    assert answer(given, two) == ["v1", "w1"]
    assert answer(given, two.replace("w{id}", "w{absent}")) == "missing_field"


def test_a_record_of_a_foreign_topic_goes_through_the_mapping_of_its_topic() -> None:
    change = {"op": "u", "before": None, "after": ROW, "ts_ms": 1}
    assert answer(letter(json.dumps(change).encode(), topic="crm.contacts")) == ["v1"]
    assert answer(letter(b"junk", topic="crm.contacts")) == "bad_json"


SUBSCRIBED = {"event": "subscribed", "timestamp": 1_760_000_000_000, "message_token": 7, "user": {"id": "0123="}}
ORDER = {"id": 1, "created_at": "2026-02-04T10:00:00Z", "email": "a.person@example.com"}
CALL = {"type": "track", "event": "Product Viewed", "messageId": "m1", "anonymousId": "an-1", "userId": "v1",
        "timestamp": "2026-02-05T10:00:00Z", "properties": {"product_id": "mug"}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    keys.add(tmp_path, "shop", channels=("web",))
    return tmp_path


def again(home: Path, value: Any, source: str = "collector:shop") -> list[str] | str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return answer(letter(raw, source=source), home=home)


def test_an_event_that_the_collector_refused_goes_where_the_keys_of_its_source_may(home: Path) -> None:
    assert again(home, told(event_id="a")) == ["a"]
    assert again(home, told(event_id="a", channel="app")) == "channel_mismatch"
    assert again(home, told(event_id="a"), "collector:gone") == "bad_value"
    assert again(home, {"unlike": "anything"}) == "bad_value"


def test_a_webhook_is_read_again_by_its_connector(home: Path) -> None:
    assert again(home, SUBSCRIBED, "collector:shop as viber") == ["viber:shop:subscribed:7"]
    assert again(home, {**SUBSCRIBED, "event": "new"}, "collector:shop as viber") == "bad_value"
    assert again(home, ORDER, "collector:shop as shopify orders/create") == ["shopify:1:order_placed"]
    assert again(home, ORDER, "collector:shop as shopify orders/none") == "bad_value"
    assert again(home, SUBSCRIBED, "collector:gone as viber") == "bad_value"
    assert again(home, SUBSCRIBED, "collector:shop as nothing") == "bad_value"


def test_an_event_that_a_connector_made_is_of_any_channel(home: Path) -> None:
    """What a messenger tells of an advertisement is on ads, whatever the key says of its own channel."""
    assert again(home, told(event_id="a", channel="ads"), "collector:shop as whatsapp") == ["a"]


def test_a_call_of_segment_is_read_again(home: Path) -> None:
    found = again(home, CALL, "collector:shop as segment")
    assert isinstance(found, list)
    assert len(found) == 1
    assert again(home, b"junk", "collector:shop as segment") == "bad_value"


def test_what_tells_no_time_keeps_that_of_its_arrival(home: Path) -> None:
    raw = b"MessageSid=SM1&SmsStatus=received&From=%2B380670001201"
    replayer = Replayer(Checker(Settings(), default()), Topics(), SchemaCache(Registry()), {}, Payloads(home))
    found = replayer.answer(letter(raw, source="collector:shop as twilio"), KAFKA_MS)
    assert isinstance(found, list)
    assert CHANNEL_EVENT.decode(found[0].payload)["occurred_at"] == int(letter(raw).at.timestamp() * 1000)


@pytest.mark.parametrize(("given", "reason"), [
    (letter(None, "card_number"), "card_number"),
    (letter(b"x", topic="reference.rates"), "bad_value"),
    (letter(b"{}", topic="onethread.commands"), "bad_value"),
    (letter(b"not json", source="visits.csv:2 by till_receipts"), "bad_value"),
    (letter(b"{}", source="costs.csv:2 by ad_costs"), "bad_value"),
])
def test_what_has_no_way_back_stays(given: Letter, reason: str) -> None:
    assert answer(given) == reason


def test_bytes_are_shown_as_json_as_text_or_not_at_all() -> None:
    schemas = SchemaCache(Registry())
    assert json.loads(readable(avro(event_id="a"), schemas) or "")["event_id"] == "a"
    assert readable('{"a": "Київ"}\n'.encode(), schemas) == '{"a": "Київ"}\n'
    assert readable(b"\x01\x02", schemas) is None
    assert readable(b"\xff", schemas) is None


def test_what_is_sent_again_is_what_was_checked() -> None:
    found = Replayer(Checker(Settings(), default()), Topics(), SchemaCache(Registry()), {}, Payloads(Path())).answer(
        letter(json.dumps(told()).encode()), KAFKA_MS)
    assert found == [Checked("web", "e-1", CHANNEL_EVENT.encode(read(told())))]
