"""The cache of schemas: asked once, patient while the registry is away."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas import registry
from schemas.records import CHANNEL_EVENT, COMMAND, DEAD_LETTER, MERGE, PERSON, REFERENCE, Undecodable
from schemas.registry import SchemaCache, records_of
from streams.errors import OneThreadError, Retryable
from streams.topics import Topics


class Registry:
    """Answers from a dict; counts questions; away when told so."""

    def __init__(self) -> None:
        self.schemas: dict[int, tuple[str, str]] = {}
        self.asked: list[int] = []
        self.failure: Exception | None = None

    def get_schema(self, number: int) -> Any:
        self.asked.append(number)
        if self.failure:
            raise self.failure
        if number not in self.schemas:
            raise SchemaRegistryError(404, 40403, "Schema not found")
        kind, text = self.schemas[number]
        return SimpleNamespace(schema_type=kind, schema_str=text)

    def lookup_schema(self, subject: str, schema: Any) -> Any:
        if self.failure:
            raise self.failure
        assert subject == "dead-letters-value"
        assert schema.schema_str == DEAD_LETTER.text
        return SimpleNamespace(schema_id=9)


@pytest.fixture
def server() -> Registry:
    return Registry()


@pytest.fixture
def cache(server: Registry) -> SchemaCache:
    return SchemaCache(server)


def test_a_schema_is_asked_for_once(server: Registry, cache: SchemaCache) -> None:
    server.schemas[5] = ("AVRO", CHANNEL_EVENT.text)
    assert cache.lacks([5])
    cache.learn([5])
    cache.learn([5])
    assert not cache.lacks([5])
    assert server.asked == [5]
    assert (record := cache.writer(5)) is not None
    assert record.canonical == CHANNEL_EVENT.canonical


def test_an_unknown_id_is_asked_for_again_only_later(
    server: Registry, cache: SchemaCache, monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache.learn([5])
    cache.learn([5])
    assert (cache.writer(5), cache.lacks([5]), server.asked) == (None, False, [5])
    monkeypatch.setattr(registry, "_UNKNOWN_S", 0.0)
    later = SchemaCache(server)
    later.learn([5])
    server.schemas[5] = ("AVRO", CHANNEL_EVENT.text)
    later.learn([5])
    assert later.writer(5) is not None


def test_a_schema_that_is_not_avro_is_unknown(server: Registry, cache: SchemaCache) -> None:
    server.schemas[5] = ("JSON", "{}")
    cache.learn([5])
    assert cache.writer(5) is None


@pytest.mark.parametrize("text", [
    "no JSON", "{}", '{"type": "record"}',
    '{"type": "record", "name": "a", "fields": [{"name": "x", "type": "of.another.Subject"}]}',
])
def test_a_schema_that_cannot_be_parsed_is_unknown(server: Registry, cache: SchemaCache, text: str) -> None:
    """Else one foreign record would stop the stream for good."""
    server.schemas[5] = ("AVRO", text)
    cache.learn([5])
    assert cache.writer(5) is None


@pytest.mark.parametrize("text", ['"string"', '["null", "string"]', '{"type": "array", "items": "long"}'])
def test_a_record_written_as_anything_but_a_record_is_undecodable(
    server: Registry, cache: SchemaCache, text: str,
) -> None:
    server.schemas[5] = ("AVRO", text)
    cache.learn([5])
    with pytest.raises(Undecodable):
        CHANNEL_EVENT.read(b"\0", 0, cache.writer(5))


def test_unknown_ids_do_not_fill_the_memory(
    server: Registry, cache: SchemaCache, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_UNKNOWN_MAX", 3)
    cache.learn(range(4))
    assert [n for n in range(4) if not cache.lacks([n])] == [3]


@pytest.mark.parametrize("failure", [
    httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), ConnectionResetError(),
    SchemaRegistryError(503, 50003, "starting"), SchemaRegistryError(429, 42901, "slowly"),
])
def test_a_registry_that_is_away_is_waited_for(server: Registry, cache: SchemaCache, failure: Exception) -> None:
    server.failure = failure
    with pytest.raises(Retryable):
        cache.learn([5])
    assert cache.lacks([5])
    with pytest.raises(Retryable):
        cache.id_of("dead-letters", DEAD_LETTER)


def test_our_own_record_has_an_id(cache: SchemaCache) -> None:
    assert cache.id_of("dead-letters", DEAD_LETTER) == 9


def test_a_topic_without_our_record_is_said_with_what_to_do(server: Registry, cache: SchemaCache) -> None:
    server.failure = SchemaRegistryError(404, 40401, "Subject not found")
    with pytest.raises(OneThreadError, match=r"no onethread\.DeadLetter for dead-letters .*`onethread up`"):
        cache.id_of("dead-letters", DEAD_LETTER)


def test_every_public_topic_has_its_record() -> None:
    assert records_of(Topics("shop."), ["web", "pos"]) == {
        "shop.events.web": CHANNEL_EVENT, "shop.events.pos": CHANNEL_EVENT, "shop.dead-letters": DEAD_LETTER,
        "shop.onethread.persons": PERSON, "shop.onethread.merges": MERGE,
        "shop.onethread.commands": COMMAND,
        **{f"shop.reference.{name}": record for name, record in REFERENCE.items()},
    }
