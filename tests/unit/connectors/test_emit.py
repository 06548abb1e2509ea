"""Emit: the rules of ingest before Kafka, refusals as dead letters without a position, memory that stays bounded."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from connectors import delivery, emit
from connectors.emit import Emitter, Pace, lines
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from schemas.wire import HEAD_BYTES, schema_id
from streams.core.policy import default
from streams.core.refusal import EVENT_BYTES_MAX
from streams.errors import OneThreadError
from streams.settings import Settings
from tests.unit.streams.core.records import named, read, told


class Producer:
    """Keeps what it is given; full or failing when told so."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.full_times = 0
        self.failure: str | None = None

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Any) -> None:
        if self.full_times:
            self.full_times -= 1
            raise BufferError
        self.sent.append((topic, value, key))
        on_delivery(self.failure, None)

    def poll(self, _timeout_s: float) -> int:
        return 0

    def flush(self, _timeout_s: float) -> int:
        return 0


class Registry:
    def lookup_schema(self, subject: str, _schema: Any) -> Any:
        return SimpleNamespace(schema_id={"t.events.web-value": 5, "t.dead-letters-value": 9}[subject])


@pytest.fixture
def emitter(monkeypatch: pytest.MonkeyPatch) -> Emitter:
    monkeypatch.setattr(delivery, "Producer", Producer)
    monkeypatch.setattr(delivery, "client", lambda _url: Registry())
    return Emitter("kafka:1", "http://registry", Settings(topic_prefix="t."), default())


def sent(emitter: Emitter) -> list[tuple[str, bytes, bytes]]:
    found: list[tuple[str, bytes, bytes]] = emitter._producer.sent  # type: ignore[attr-defined]
    return found


def line(**fields: Any) -> bytes:
    return json.dumps(told(**fields)).encode() + b"\n"


def test_an_event_goes_to_its_channels_topic_as_avro(emitter: Emitter) -> None:
    assert emitter.send(line(), "day.jsonl:1") is None
    (topic, value, key), = sent(emitter)
    assert (topic, schema_id(value), CHANNEL_EVENT.decode(value, HEAD_BYTES)) == ("t.events.web", 5, read(told()))
    assert len(key) == 16
    assert (emitter.sent, emitter.refused) == (1, {})


def test_copies_of_an_event_have_one_key_and_it_names_nobody(emitter: Emitter) -> None:
    for event_id in ("a.person@example.com", "a.person@example.com", "other"):
        emitter.send(line(event_id=event_id), "-:1")
    first, second, other = (key for _, _, key in sent(emitter))
    assert first == second != other
    assert b"example" not in first


def test_a_refusal_is_a_dead_letter_without_position(emitter: Emitter) -> None:
    raw = line(colour="red")
    reject = emitter.send(raw, "day.jsonl:7")
    assert reject is not None
    (topic, value, _), = sent(emitter)
    letter = DEAD_LETTER.decode(value, HEAD_BYTES)
    assert (topic, schema_id(value)) == ("t.dead-letters", 9)
    assert letter | {"at": 0} == {
        "reason": "unknown_field", "detail": "colour: no such field", "topic": None, "partition": None, "offset": None,
        "at": 0, "schema_id": None, "source": "day.jsonl:7", "event_id": "e-1", "raw": raw,
    }
    assert (emitter.sent, emitter.refused) == (0, {"unknown_field": 1})


def test_a_cards_number_never_reaches_kafka(emitter: Emitter) -> None:
    emitter.send(line(identifiers=[named("payment_token", "4111111111111111")]), "-:1")
    assert emitter.refused == {"card_number": 1}
    assert all(b"4111111111111111" not in value for _, value, _ in sent(emitter))


def test_an_event_that_only_avro_makes_too_large_is_refused(emitter: Emitter) -> None:
    many = line(products=[{"sku": "a"}] * 18_000)
    many = many.replace(b'"sku": ', b'"sku":').replace(b"}, {", b"},{")
    assert len(many) < EVENT_BYTES_MAX
    emitter.send(many, "-:1")
    assert emitter.refused == {"oversize": 1}


def test_a_full_queue_is_waited_for(emitter: Emitter) -> None:
    emitter._producer.full_times = 3  # type: ignore[attr-defined]
    emitter.send(line(), "-:1")
    assert len(sent(emitter)) == 1


def test_an_event_that_is_not_delivered_is_an_error(emitter: Emitter) -> None:
    emitter._producer.failure = "broker is down"  # type: ignore[attr-defined]
    with pytest.raises(OneThreadError, match="1 events were not delivered to Kafka: broker is down"), emitter:
        emitter.send(line(), "-:1")


def test_lines_end_where_the_file_says() -> None:
    assert list(lines(io.BytesIO(b"\xef\xbb\xbfa\r\n\nb"))) == [b"a\r\n", b"\n", b"b"]
    assert list(lines(io.BytesIO(b""))) == []


def test_of_an_endless_line_only_the_beginning_is_held() -> None:
    first, second = lines(io.BytesIO(b"x" * (5 * EVENT_BYTES_MAX) + b"\nnext\n"))
    assert EVENT_BYTES_MAX < len(first) < 2 * EVENT_BYTES_MAX
    assert second == b"next\n"


def test_a_pace_waits_only_when_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now_s=100.0, slept_s=[])

    def sleep(seconds: float) -> None:
        clock.slept_s.append(seconds)
        clock.now_s += seconds

    monkeypatch.setattr(emit.time, "monotonic", lambda: clock.now_s)
    monkeypatch.setattr(emit.time, "sleep", sleep)
    pace = Pace(2.0)
    for _ in range(3):
        pace.wait()
    assert clock.slept_s == [0.5, 0.5]
    Pace(None).wait()
    assert clock.slept_s == [0.5, 0.5]
