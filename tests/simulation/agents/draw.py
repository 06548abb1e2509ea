"""Plans drawn from one seed: what is told, and which faults happen."""

from collections.abc import Collection
from random import Random

from schemas.wire import frame
from streams.topics import Topics
from tests.oracle.erasure import Erasure
from tests.oracle.rules import Word
from tests.simulation.agents import telling
from tests.simulation.agents.plan import Fault, Plan, Told
from tests.simulation.agents.telling import EVENT_ID, UNKNOWN_ID
from tests.strategies import Change, World, make_world

TOPICS = Topics()

STEPS_MAX = 2000
"""A world of 30 events takes about as many."""
FAULTS = ("crash", "crash", "crash", "pause", "pause", "pause", "leave", "rebalance", "rebalance", "fence", "fence",
          "clickhouse", "registry")
SECONDS = {
    "crash": (0.1, 1, 8, 20), "leave": (0.1, 3, 10), "clickhouse": (0.1, 3, 40), "registry": (0.1, 3, 40),
    "pause": (1, 8, 10, 12, 14, 30, 40), "rebalance": (0.1, 1), "fence": (0,),
}
"""A pause of 8 to 14 s loses the partitions while the transaction is still open; a longer one loses both."""


def plan(seed: int, events_max: int = 30, parts: Collection[str] = (), faults_max: int = 6) -> Plan:
    """All of a run, decided by the seed."""
    random = Random(seed)
    world = make_world(random, random.randint(1, events_max), parts)
    partitions = random.randint(1, 4)
    told, commands = _told(world, random, partitions)
    faults = tuple(_fault(random) for _ in range(random.randint(0, faults_max)))
    return Plan(seed, world.policy, world.durations, told, commands, faults, random.choice([1, 2, 2, 3, 3]), partitions)


def _fault(random: Random) -> Fault:
    kind = random.choice(FAULTS)
    seconds = random.choice(SECONDS[kind]) * random.uniform(0.8, 1.2)
    disk = random.choice(["kept", "kept", "torn", "lost"]) if kind == "crash" else "kept"
    return Fault(int(STEPS_MAX ** random.uniform(0.2, 1)), kind, seconds, disk)


def _told(
    world: World, random: Random, partitions: int,
) -> tuple[tuple[Told, ...], dict[bytes, Word | Change | Erasure]]:
    values = [(TOPICS.events(e.channel), telling.event_record(e)) for e in world.events]
    values += [(TOPICS.events("web"), _bad(random, n)) for n in range(random.choice([0, 0, 1, 3]))]
    commands: dict[bytes, Word | Change | Erasure] = {}
    for word in world.words:
        a, b = sorted(telling.identifier(end) for end in word.pair)
        moved = word._replace(pair=(a, b))
        commands[telling.word_record(moved)] = moved
    for erasure in world.erasures:
        meant = erasure._replace(identifier=telling.identifier(erasure.identifier))
        commands[telling.erasure_record(meant)] = meant
    values += [(TOPICS.commands, value) for value in commands]
    random.shuffle(values)
    changes: list[bytes] = []
    for n, change in enumerate(world.changes):
        records = telling.change_records(change, n)
        meanings = [Change(change.policy)] if change.policy else []
        meanings += [Change(None, change.durations)] if change.durations else []
        commands.update(zip(records, meanings, strict=True))
        changes += records
    places = sorted(random.randint(0, len(values)) for _ in changes)
    for place, value in reversed(list(zip(places, changes, strict=True))):
        values.insert(place, (TOPICS.commands, value))
    pace_s = random.choice([0.0, 0.1, 1.0, 5.0])
    return tuple(
        Told(topic, 0 if topic == TOPICS.commands else random.randrange(partitions), value,
             random.uniform(0, pace_s) if random.random() < 0.9 else random.uniform(0, 5 * pace_s))
        for topic, value in values
    ), commands


def _bad(random: Random, number: int) -> bytes | None:
    """What ingest refuses, or cannot identify."""
    event = telling.plain_event(f"b{number}")
    return random.choice([
        None, b"", b"{}", frame(UNKNOWN_ID, b"x"), frame(EVENT_ID, b"\xff"), event(channel="pos"),
        event(occurred_at=1), event(identifiers=[]),
        event(type="wifi_seen", identifiers=[{"kind": "wifi_mac", "value": "02:11:22:33:44:55"}]),
    ])
