"""Creates the topics of a deployment: the same partition count for all, so that every stage is copartitioned."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from streams.connections import kafka_config
from streams.core import reference
from streams.core.channels import CHANNELS
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.topics import FORGOTTEN_MS, Topics

FOR_EVER = "-1"
INTERNAL_RETENTION_MS = str(30 * 86_400_000)
"""Messages between our own stages are needed until they are consumed; a month survives any outage worth surviving."""

COMMANDS = {
    "cleanup.policy": "compact", "segment.ms": str(FORGOTTEN_MS), "max.compaction.lag.ms": str(FORGOTTEN_MS),
    "message.timestamp.type": "LogAppendTime",
}
"""A decision holds until it is taken back, whatever the retention of events, and goes when somebody whom it names is
erased; the broker's clock dates all of them."""


def names_of_channels(settings: Settings) -> list[str]:
    """Every channel of the deployment: the built-in ones and its own."""
    return [*CHANNELS, *(name for name in settings.channels if name not in CHANNELS)]


def configs(settings: Settings) -> dict[str, dict[str, str]]:
    """Every topic with its configuration."""
    topics = Topics(settings.topic_prefix)
    kept = {"retention.ms": _retention_ms(settings)}
    internal = {"retention.ms": INTERNAL_RETENTION_MS}
    return {
        **{topics.events(channel): kept for channel in names_of_channels(settings)},
        **dict.fromkeys(settings.mappings, kept),
        topics.identity: internal,
        topics.facts: internal,
        topics.history: kept,
        topics.dead_letters: kept,
        topics.persons: {"cleanup.policy": "compact"},
        topics.merges: kept,
        topics.commands: COMMANDS,
        **{topics.reference(name): {"cleanup.policy": "compact"} for name in reference.TABLES},
    }


def create(bootstrap: str, settings: Settings, replicas: int = 1) -> None:
    """Create what is missing; what exists is left as it is.

    Errors: OneThreadError naming the topics whose partition count is not the setting's.
    """
    admin = AdminClient(kafka_config(bootstrap))
    existing = admin.list_topics(timeout=10).topics
    wanted = configs(settings)
    wrong = [name for name in wanted if name in existing and len(existing[name].partitions) != settings.partitions]
    if wrong:
        raise OneThreadError(
            f"expected {settings.partitions} partitions in every topic; {', '.join(wrong)} has another number: "
            "set partitions back, or start an empty home"
        )
    new = [NewTopic(name, num_partitions=settings.partitions, replication_factor=replicas, config=config)
           for name, config in wanted.items() if name not in existing]
    for name, created in admin.create_topics(new, operation_timeout=30).items() if new else ():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise OneThreadError(f"Kafka does not create {name}: {error.args[0].str()}") from error


def _retention_ms(settings: Settings) -> str:
    days = settings.retention.removesuffix("d")
    return str(int(days) * 86_400_000) if days else FOR_EVER
