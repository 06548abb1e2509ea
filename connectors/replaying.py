"""The way back of a dead letter: its bytes judged again, under the rules, the policy and the mappings that hold now.

The events have the ids they always had, so sending them twice is harmless. A letter goes only if all that it holds is
accepted now: what would be refused again stays where it lies, and makes no second letter.
"""

import json
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Table
from typing import Any

import msgspec

from connectors.checking import Checked, Checker
from connectors.emit import Emitter
from connectors.files import changes
from connectors.files import mapping as mappings
from connectors.files.errors import MappingError
from connectors.files.mapping import Mapping
from connectors.files.sending import BY
from connectors.payloads import COLLECTOR, Payloads
from schemas.records import CHANNEL_EVENT
from schemas.registry import SchemaCache
from schemas.wire import schema_ids
from sinks.clickhouse.letters import Letter, Place
from streams.agents.decoding import decoded
from streams.core.facts import Facts, encode
from streams.core.refusal import Reason, Refusal, Reject
from streams.topics import EVENTS, Topics

Answer = list[Checked] | Reject


class Replayer:
    """Says what becomes of letters now.

    Shape:  foreign are the mappings of foreign topics, payloads reads what the collector refused; mapping stands in
            place of the one that a row's letter names.
    """

    def __init__(
        self, checker: Checker, topics: Topics, schemas: SchemaCache, foreign: Table[str, Mapping],
        payloads: Payloads, mapping: Mapping | None = None,
    ) -> None:
        self._checker, self._topics, self._schemas = checker, topics, schemas
        self._foreign, self._payloads, self._given = foreign, payloads, mapping
        self._mappings: dict[str, Mapping] = {}

    def answer(self, letter: Letter, now_ms: int) -> Answer:
        """The events of a letter, or why it would be refused again. Errors: Retryable without the registry."""
        if letter.raw is None:
            return Reject(Reason(letter.reason), "its bytes were not kept")
        if letter.topic is not None and letter.topic.startswith(f"{self._topics.prefix}{EVENTS}"):
            return self._record(letter.raw, now_ms)
        if letter.topic is not None and letter.topic in self._foreign:
            return self._change(letter.raw, letter.topic, now_ms)
        if letter.topic is not None:
            return Reject(Reason(letter.reason), f"{letter.topic} holds no events: send it anew from its source")
        source = letter.source or ""
        if BY in source:
            return self._row(letter.raw, source.rpartition(BY)[2], now_ms)
        if source.startswith(COLLECTOR):
            found = self._payloads.events(letter.raw, source, int(letter.at.timestamp() * 1000))
            return found if isinstance(found, Reject) else self._all(found, now_ms)
        return _one(self._checker.check(letter.raw, now_ms))

    def _record(self, raw: bytes, now_ms: int) -> Answer:
        """A record of an events topic: Avro in the wire format, or the JSON that somebody wrote in its place."""
        self._schemas.learn(schema_ids([raw]))
        try:
            record, _ = decoded(raw, CHANNEL_EVENT, self._schemas)
        except Refusal as refusal:
            as_json = self._checker.check(raw, now_ms)
            return [as_json] if isinstance(as_json, Checked) else refusal.reject()
        return _one(self._checker.check(record, now_ms))

    def _row(self, raw: bytes, name: str, now_ms: int) -> Answer:
        """A row of a file, through its mapping as that is now."""
        try:
            return self._events(self._given or self._mapping(name), msgspec.json.decode(raw), now_ms)
        except (MappingError, msgspec.DecodeError) as error:
            return Reject(Reason.BAD_VALUE, str(error))

    def _change(self, raw: bytes, topic: str, now_ms: int) -> Answer:
        """A record of a foreign topic, through the mapping that its topic has now."""
        self._schemas.learn(schema_ids([raw]))
        try:
            row = changes.row(raw, self._schemas)
        except Refusal as refusal:
            return refusal.reject()
        return self._events(self._given or self._foreign[topic], row, now_ms) if row is not None else []

    def _events(self, mapping: Mapping, row: dict[str, Any], now_ms: int) -> Answer:
        if mapping.reference:
            return Reject(Reason.BAD_VALUE, "a row of reference records: import its file again")
        return self._all(mapping.events(row), now_ms)

    def _all(self, events: Iterable[dict[str, Any] | Reject], now_ms: int) -> Answer:
        """All of them, or why one is refused."""
        found: list[Checked] = []
        for event in events:
            checked = event if isinstance(event, Reject) else self._checker.check(event, now_ms)
            if isinstance(checked, Reject):
                return checked
            found.append(checked)
        return found

    def _mapping(self, name: str) -> Mapping:
        if name not in self._mappings:
            self._mappings[name] = mappings.load(mappings.find(name))
        return self._mappings[name]


def _one(checked: Checked | Reject) -> Answer:
    return checked if isinstance(checked, Reject) else [checked]


class ReplaySender(Emitter):
    """Sends the events of letters, and notes which letters they were."""

    def note(self, places: list[Place], at_ms: int) -> None:
        """Tell the history that letters were sent again; Kafka has their events before."""
        self.flush()
        by_partition: dict[int, list[Sequence[int]]] = {}
        for place in places:
            by_partition.setdefault(place.partition, []).append((at_ms, *place, at_ms))
        for partition, rows in by_partition.items():
            value = encode(Facts("replays", rows, []))
            self._put(self._topics.of_facts("replays"), value, None, partition=partition)
        self.flush()


def readable(raw: bytes, schemas: SchemaCache) -> str | None:
    """Bytes as people read them: a record of Avro as JSON, else text; None where they are neither."""
    try:
        schemas.learn(schema_ids([raw]))
        return json.dumps(decoded(raw, CHANNEL_EVENT, schemas)[0], indent=2, ensure_ascii=False)
    except Refusal:
        pass
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in "\r\n\t" for c in text) else None
