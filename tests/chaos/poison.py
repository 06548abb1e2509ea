"""Records that no consumer can use, straight into the topics of events: each must become one dead letter."""

from collections.abc import Callable
from functools import cache
from random import Random

from confluent_kafka import Producer

from connectors.checking import Checked, Checker
from schemas.records import CHANNEL_EVENT
from schemas.registry import SchemaCache, client
from schemas.wire import frame
from streams import clock
from streams.core.policy import default
from streams.settings import Settings
from streams.topics import Topics
from tests.chaos.deployment import PARTITIONS, Deployment

UNKNOWN_SCHEMA = 999_999
DELIVERY_S_MAX = 120
CHANNELS = ("web", "pos", "email")
EVENT = (b'{"event_id":"poison","channel":"web","type":"page_viewed","occurred_at":"2026-02-01T10:00:00Z",'
         b'"source":"site","identifiers":[{"kind":"anonymous_id","value":"poison"}]}')


def send(stack: Deployment, how: str, random: Random) -> int:
    """Some records of one sort, one into each partition of a channel; how many, when Kafka has them."""
    channel = "pos" if how == "of another channel" else random.choice(CHANNELS)
    topic = Topics("").events(channel)
    values = [_value(stack.direct.registry_url, how, random) for _ in range(PARTITIONS)]
    producer = Producer({
        "bootstrap.servers": stack.proxied.kafka_bootstrap, "enable.idempotence": True, "log_level": 2,
        "delivery.timeout.ms": DELIVERY_S_MAX * 1000,
    })
    taken: list[bool] = []
    for partition, value in enumerate(values):
        producer.produce(topic, value, partition=partition, on_delivery=lambda error, _: taken.append(error is None))
    producer.flush(DELIVERY_S_MAX)
    assert taken == [True] * len(values), "Kafka does not take the poison"
    return len(values)


def _value(registry_url: str, how: str, random: Random) -> bytes | None:
    ways: dict[str, Callable[[], bytes | None]] = {
        "noise": lambda: b"\x01" + random.randbytes(200),
        "no value": lambda: b"",
        "tombstone": lambda: None,
        "unknown schema": lambda: frame(UNKNOWN_SCHEMA, random.randbytes(50)),
        "cut short": lambda: good_event(registry_url)[: random.randrange(6, 40)],
        "no schema's id": lambda: b"\0\xff" + random.randbytes(50),
        "too large": lambda: b"\0" + random.randbytes(600_000),
        "of another channel": lambda: good_event(registry_url),
    }
    return ways[how]()


@cache
def good_event(registry_url: str) -> bytes:
    """A good event of the channel web, as a record has it."""
    checked = Checker(Settings(), default()).check(EVENT, clock.now_ms())
    assert isinstance(checked, Checked)
    number = SchemaCache(client(registry_url)).id_of(Topics("").events("web"), CHANNEL_EVENT)
    return frame(number, checked.payload)
