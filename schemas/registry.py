"""The schema registry: what we write there, and the schemas of foreign ids, learned once and kept.

The registry speaks Confluent's protocol (Apicurio serves it under `/apis/ccompat/v7`). When it is away the stream
waits (`Retryable`): a good event never becomes a dead letter because a service was down.
"""

import time
import warnings
from collections.abc import Iterable
from typing import Any

import httpx

with warnings.catch_warnings():
    # The client loads authlib, which announces at every start that it will move to another HTTP library, and sets
    # a filter of its own so that everybody sees it.
    from authlib.deprecate import AuthlibDeprecationWarning  # type: ignore[import-untyped]

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from confluent_kafka.schema_registry import Schema as Schema
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.records import CHANNEL_EVENT, COMMAND, DEAD_LETTER, MERGE, PERSON, REFERENCE, Record
from streams import connections
from streams.errors import OneThreadError, Retryable
from streams.topics import Topics

COMPATIBILITY = "BACKWARD_TRANSITIVE"

_UNKNOWN_S = 30.0
"""How long an id the registry does not know is not asked for again: a flood of such records must not become one of
requests, and an id registered late is still found."""

_UNKNOWN_MAX = 10_000
"""Of such ids in memory, then they are all asked for again: garbage in place of an id is another one each time."""

_NOT_FOUND = 404


def subject(topic: str) -> str:
    return f"{topic}-value"


def client(registry_url: str) -> SchemaRegistryClient:
    """A client that fails after a few seconds, so that the caller decides about trying again."""
    login = connections.registry()
    told: dict[str, Any] = {"url": registry_url, "timeout": 5.0, "max.retries": 1}
    if login.basic:
        told["basic.auth.user.info"] = ":".join(login.basic)
    if login.ca:
        told["ssl.ca.location"] = login.ca
    return SchemaRegistryClient(told)


def records_of(topics: Topics, channels: Iterable[str]) -> dict[str, Record]:
    """Which record each public topic carries."""
    return {
        **{topics.events(channel): CHANNEL_EVENT for channel in channels},
        topics.dead_letters: DEAD_LETTER,
        topics.persons: PERSON,
        topics.merges: MERGE,
        topics.commands: COMMAND,
        **{topics.reference(name): record for name, record in REFERENCE.items()},
    }


def register_all(registry_url: str, topics: Topics, channels: Iterable[str]) -> dict[str, int]:
    """Registers the record of every public topic, subject -> id. Repeating it changes nothing.

    Errors: Retryable where the registry is away; SchemaRegistryError where it refuses a schema as incompatible.
    """
    registry = client(registry_url)
    ids = {}
    for topic, record in records_of(topics, channels).items():
        name = subject(topic)
        ids[name] = _ask(registry.register_schema, name, Schema(record.text, "AVRO"))
        # A subject has no rule of its own before its first version.
        _ask(registry.set_compatibility, name, COMPATIBILITY)
    return ids


class SchemaCache:
    """Schemas by id for one reader's record, and the ids of our own records."""

    def __init__(self, registry: Any) -> None:
        """`registry` is a SchemaRegistryClient, or in tests whatever answers get_schema and lookup_schema."""
        self._registry = registry
        self._writers: dict[int, Record] = {}
        self._unknown_until_s: dict[int, float] = {}

    def learn(self, ids: Iterable[int]) -> None:
        """Asks the registry for those of `ids` that are not known yet; blocks. Errors: Retryable."""
        now_s = time.monotonic()
        for number in ids:
            if number in self._writers or self._unknown_until_s.get(number, 0.0) > now_s:
                continue
            record = self._fetch(number)
            if record is None:
                if len(self._unknown_until_s) >= _UNKNOWN_MAX:
                    self._unknown_until_s.clear()
                self._unknown_until_s[number] = now_s + _UNKNOWN_S
            else:
                self._writers[number] = record
                self._unknown_until_s.pop(number, None)

    def lacks(self, ids: Iterable[int]) -> bool:
        """Whether `learn` would ask the registry for one of `ids`."""
        now_s = time.monotonic()
        return any(n not in self._writers and self._unknown_until_s.get(n, 0.0) <= now_s for n in ids)

    def writer(self, number: int) -> Record | None:
        """The schema with that id, None where the registry did not know it, or we cannot read it."""
        return self._writers.get(number)

    def id_of(self, topic: str, record: Record) -> int:
        """The id under which `record` is registered for `topic`; blocks.

        Errors: Retryable where the registry is away; OneThreadError where the topic or this version of it has none.
        """
        try:
            found = _ask(self._registry.lookup_schema, subject(topic), Schema(record.text, "AVRO"))
        except SchemaRegistryError as error:
            raise OneThreadError(
                f"the schema registry has no {record.name} for {topic} ({error.error_message}): "
                "`onethread up` registers what is missing"
            ) from error
        return int(found.schema_id)

    def _fetch(self, number: int) -> Record | None:
        try:
            schema = _ask(self._registry.get_schema, number)
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                return None
            raise
        return _readable(schema.schema_str) if schema.schema_type == "AVRO" else None


def _readable(text: str) -> Record | None:
    """A foreign schema; None where we cannot parse it, as where it refers to others: its records are dead letters."""
    record = Record("a foreign record", text)
    try:
        return record if record.canonical else None
    except Exception:  # whatever foreign text makes the parser raise
        return None


def _ask(call: Any, *arguments: Any) -> Any:
    """The answer to a call; Retryable where the registry is away or in trouble of its own."""
    try:
        return call(*arguments)
    except (httpx.HTTPError, OSError) as error:
        raise Retryable(f"the schema registry does not answer: {type(error).__name__}") from error
    except SchemaRegistryError as error:
        if error.http_status_code >= 500 or error.http_status_code == 429:
            raise Retryable(f"the schema registry answers with {error.http_status_code}") from error
        raise
