"""How a dead letter of the collector names the connector that refused something, so that it can be read again.

The letter's source is `collector:<source> as <connector> <topic>`, the topic where a header told what happened; its
bytes are one whole input of that connector, however much came with it, or the channel event that was refused.
"""

from connectors.incoming import Decoded, Incoming
from connectors.registry import CONNECTORS
from connectors.source import Source
from connectors.webhooks.systems import SYSTEMS

COLLECTOR = "collector:"
AS = " as "


def source(name: str, connector: str) -> str:
    """The letter's source; connector as `named` gives it, empty where the source told channel events."""
    return f"{COLLECTOR}{name}{AS}{connector}" if connector else f"{COLLECTOR}{name}"


def named(connector: str, incoming: Incoming) -> str:
    """The connector, and the topic of what came."""
    header = SYSTEMS[connector].topic_header if connector in SYSTEMS else ""
    topic = incoming.headers.get(header, "") if header else ""
    return f"{connector} {topic}".strip()


def parts(letter_source: str) -> tuple[str, str, str]:
    """The source, the connector and the topic that a letter's source names; empty where it names none."""
    name, _, rest = letter_source.removeprefix(COLLECTOR).partition(AS)
    connector, _, topic = rest.partition(" ")
    return (name, connector, topic) if connector in CONNECTORS else (name, "", "")


def decode(connector: str, topic: str, raw: bytes, source: Source, at_ms: int) -> Decoded:
    """What the connector makes of the bytes now; at_ms is when they came."""
    read = CONNECTORS[connector].decode
    if read is None:
        return []
    header = SYSTEMS[connector].topic_header if connector in SYSTEMS else ""
    return read(Incoming(raw, {header: topic} if header else {}), source, at_ms)
