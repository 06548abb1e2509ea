"""What a run left everywhere, against what was told: rows, books, letters, public topics, state, each exactly."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.records import DEAD_LETTER, PERSON
from schemas.wire import HEAD_BYTES
from streams.core import messages
from streams.core.accept import Accepted, Unidentifiable
from streams.core.erasing import FOR_EVER_MS
from streams.core.event import Event, Identifier, Position
from streams.core.facts import TABLES
from streams.core.graph import Partition
from streams.core.ids import uuid_text
from streams.core.keys import Keys
from streams.core.shaping import Shaping
from tests.oracle.erasure import Erasure, Receipts
from tests.oracle.rules import Word
from tests.simulation.agents import telling
from tests.simulation.agents.kafka import Record
from tests.simulation.agents.parts import CHANGELOG
from tests.simulation.agents.world import World
from tests.simulation.broker import PEPPER, receipts
from tests.simulation.compare import differences, leaks, oracle
from tests.simulation.stores import Store
from tests.strategies import Change
from tests.strategies import World as Told


@dataclass(frozen=True)
class Meaning:
    """What the records of a run's inputs stand for. `suppressed` are records of which ingest kept nothing: where each
    lies, and whom it names."""

    events: tuple[Event, ...]
    suppressed: Mapping[Position, set[Identifier]]
    words: tuple[Word, ...]
    changes: tuple[Change, ...]
    erasures: tuple[Erasure, ...]
    records: int
    refused: int
    unidentifiable: int


def records_of(world: World, topic: str) -> Iterator[Record]:
    """All committed records of a topic, partition by partition."""
    for tp in sorted(world.broker.logs):
        if tp.topic == topic:
            yield from world.broker.logs[tp].committed()


def event_topics(world: World) -> list[str]:
    return sorted({tp.topic for tp in world.broker.logs if world.topics.channel_of(tp.topic) != tp.topic})


def wrong(world: World, meaning: Meaning) -> list[str]:
    """A line for each thing that is not as it should be."""
    told = Told(
        world.plan.policy, meaning.events, world.plan.durations, meaning.words, meaning.erasures, meaning.changes,
    )
    erased = _receipts(world, meaning)
    return [
        *differences(oracle(told, erased), world.clickhouse), *_books(world, meaning), *_observed(world, meaning),
        *_letters(world, meaning), *_persons(world), *_stores(world), *_state(world, meaning),
        *_erased(world, meaning, erased), *leaks(told, _owned(world).values(), erased),
    ]


def _books(world: World, meaning: Meaning) -> Iterator[str]:
    """in = touchpoints + duplicates + dead letters + unidentifiable + erased + suppressed, each counted by itself."""
    intake = Counter[str]()
    for row in world.clickhouse.rows("intake").values():
        intake.update(dict(zip(("records", "refused", "unidentifiable", "suppressed"), row[2:], strict=True)))
    copies = [c.name for c in TABLES["touchpoints"].columns].index("copies")
    touchpoints = [row[copies] for row in world.clickhouse.rows("touchpoints").values()]
    found = {
        "records": intake["records"], "refused": intake["refused"], "unidentifiable": intake["unidentifiable"],
        "touchpoints, duplicates and erased": sum(touchpoints) + len(world.clickhouse.rows("erased_records")),
        "suppressed": intake["suppressed"], "rows of unidentifiable": len(world.clickhouse.rows("unidentifiable")),
    }
    want = {
        "records": meaning.records, "refused": meaning.refused, "unidentifiable": meaning.unidentifiable,
        "touchpoints, duplicates and erased": len(meaning.events), "suppressed": len(meaning.suppressed),
        "rows of unidentifiable": meaning.unidentifiable,
    }
    yield from (f"books: {found[name]} {name}, expected {want[name]}" for name in want if found[name] != want[name])


def _observed(world: World, meaning: Meaning) -> Iterator[str]:
    """Ingest sent every accepted record on exactly once."""
    sent = _sent(world)
    for position in sorted(sent.keys() | {e.position for e in meaning.events}):
        if sent[position] != 1:
            yield f"ingest sent the event at {position} {sent[position]} times"


def _sent(world: World) -> Counter[Position]:
    """How often ingest sent each event on."""
    return Counter(
        message.event.position for message in _messages(world)
        if isinstance(message, messages.Observe) and message.clock == 0
    )


def _messages(world: World) -> Iterator[messages.Message]:
    """All that was sent over the topic `identity`, what came in chunks made whole."""
    chunks: dict[tuple[int, bytes], list[bytes]] = {}
    for record in records_of(world, world.topics.identity):
        for message in messages.unpack(record.value or b""):
            if not isinstance(message, messages.Chunk):
                yield message
                continue
            pieces = chunks.setdefault((record.partition, message.name), [])
            pieces.append(message.data)
            if message.number == message.count - 1:
                yield messages.whole(chunks.pop((record.partition, message.name)))


def _letters(world: World, meaning: Meaning) -> Iterator[str]:
    """Each refused record is one dead letter, in Kafka and in ClickHouse."""
    letters = list(records_of(world, world.topics.dead_letters))
    places = _refused(world)
    if any(count != 1 for count in places.values()) or len(places) != meaning.refused:
        yield f"dead letters: {places}, expected {meaning.refused}, each once"
    rows = {key: row[2:] for key, row in world.clickhouse.rows("dead_letters").items()}
    if rows.keys() != {(letter.partition, letter.offset) for letter in letters}:
        yield f"dead_letters: {len(rows)} rows, expected {len(letters)}"


def _refused(world: World) -> Counter[Position]:
    """How many dead letters tell of each record."""
    letters = (DEAD_LETTER.decode(r.value or b"", HEAD_BYTES) for r in records_of(world, world.topics.dead_letters))
    return Counter((letter["topic"], letter["partition"], letter["offset"]) for letter in letters)


def _persons(world: World) -> Iterator[str]:
    """The last record of each person on the public topic is the person's row."""
    last: dict[bytes, bytes | None] = {}
    for record in records_of(world, world.topics.persons):
        last[record.key or b""] = record.value
    rows = {key[0]: row for key, row in world.clickhouse.rows("persons").items()}
    for person_id in sorted(last.keys() | rows.keys()):
        value = last.get(person_id)
        told = None if value is None else PERSON.decode(value, HEAD_BYTES)
        row = rows.get(person_id)
        names = [c.name for c in TABLES["persons"].columns]
        want = None if row is None else dict(zip(names, (uuid_text(person_id), *row[1:]), strict=True))
        if told != want:
            yield f"{world.topics.persons}: {told}, expected {want}"


def _stores(world: World) -> Iterator[str]:
    """Each partition's store is its changelog, byte by byte."""
    for number, store in _owned(world).items():
        folded: dict[bytes, bytes] = {}
        for record in records_of(world, CHANGELOG):
            if record.partition == number and record.key is not None:
                folded[record.key] = record.value  # type: ignore[assignment]
        folded = {key: value for key, value in folded.items() if value is not None}
        if folded != dict(store):
            yield f"partition {number}: the store is not what its changelog says"


def _receipts(world: World, meaning: Meaning) -> Receipts:
    """What was erased, as the stores tell it."""
    named = {i[:2] for e in meaning.events for i in e.ids} | {end for word in meaning.words for end in word.pair}
    named = named.union(*meaning.suppressed.values())
    shaping = Shaping(Keys(PEPPER, world.partitions), **world.plan.durations)
    partitions = {n: Partition(n, world.plan.policy, shaping, store) for n, store in _owned(world).items()}
    return receipts(partitions, named | {e.identifier for e in meaning.erasures}, meaning.events)


def _erased(world: World, meaning: Meaning, found: Receipts) -> Iterator[str]:
    """Each erasure left its mark and its row; what was suppressed names somebody who is."""
    for erasure in meaning.erasures:
        if found.until_ms.get(erasure.identifier, -1) < erasure.until_ms:
            yield f"{erasure} left no mark"
    rows = {key[0] for key in world.clickhouse.rows("erasures")}
    if rows != {erasure.command for erasure in meaning.erasures}:
        yield f"erasures: rows of {sorted(rows)}"
    for position, named in meaning.suppressed.items():
        if all(found.until_ms.get(i) != FOR_EVER_MS for i in named):
            yield f"ingest kept nothing of the record at {position}, whom nobody suppressed"


def _owned(world: World) -> dict[int, Store]:
    """The stores as their present owners have them."""
    found = {}
    for machine in world.machines:
        member = world.group.members.get(machine.name)
        for number in member.partitions if member else ():
            found[number] = machine.disk.partitions.get(number, Store())
    return found


def _state(world: World, meaning: Meaning) -> Iterator[str]:
    """The state is a function of the log of `identity`: one Partition that works it in peace ends with the same bytes.

    Not so where policies changed: which nodes a step of their sweep brings over depends on what was committed then.
    """
    if meaning.changes:
        return
    shaping = Shaping(Keys(PEPPER, world.partitions), **world.plan.durations)
    for number, store in _owned(world).items():
        kept = Store()
        partition = Partition(number, world.plan.policy, shaping, kept)
        for record in records_of(world, world.topics.identity):
            if record.partition == number:
                partition.work(messages.unpack(record.value or b""))
        effects = partition.take()
        kept.commit(effects.puts, effects.deletes - effects.puts.keys())
        have = {key: value for key, value in store.items() if key[:1] not in (b"b", b"k")}
        if not have and len(kept) <= 2:  # nothing ever came
            continue
        if have != dict(kept):
            keys = sorted(key for key in have.keys() | kept.keys() if have.get(key) != kept.get(key))
            yield f"partition {number}: {len(keys)} records of the state are not as without faults, first {keys[0]!r}"


def read(world: World) -> Meaning:
    """The inputs, as the contract reads them."""
    events: list[Event] = []
    suppressed: dict[Position, set[Identifier]] = {}
    refused = unidentifiable = records = 0
    words, changes, erasures = commanded(world)
    may_suppress = any(erasure.until_ms == FOR_EVER_MS for erasure in erasures)
    kept = _sent(world) + _refused(world)
    for topic in event_topics(world):
        for record in records_of(world, topic):
            records += 1
            position = (record.topic, record.partition, record.offset)
            outcome, named = telling.outcome(record, world.topics.channel_of(topic))
            if isinstance(outcome, Unidentifiable):
                unidentifiable += 1
            elif may_suppress and not kept[position]:
                suppressed[position] = named
            elif isinstance(outcome, Accepted):
                events.append(outcome.event)
            else:
                refused += 1
    return Meaning(tuple(events), suppressed, words, changes, erasures, records, refused, unidentifiable)


def commanded(world: World) -> tuple[tuple[Word, ...], tuple[Change, ...], tuple[Erasure, ...]]:
    """The commands in the order of their log, by what they were made of."""
    words, changes, erasures = [], [], []
    for record in records_of(world, world.topics.commands):
        meant = world.plan.commands[record.value or b""]
        if isinstance(meant, Word):
            words.append(meant._replace(received_ms=record.timestamp))
        elif isinstance(meant, Erasure):
            erasures.append(meant._replace(until_ms=max(record.timestamp, meant.until_ms)))
        else:
            changes.append(meant)
    return tuple(words), tuple(changes), tuple(erasures)
