"""Records that were only on their way are deleted from their topics once they are consumed."""

from collections.abc import Iterable

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import ConfigResource

from deploy.local.settle import Pipeline
from streams import reaching
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.topics import Topics

PATIENCE_S = 30.0
FOR_EVER = -1


def truncate_hops(bootstrap: str, settings: Settings) -> dict[str, int]:
    """Delete what is consumed of the topics between our own stages; topic -> records that went.

    The broker's files follow when their segment is full. Errors: OneThreadError where Kafka does not do it.
    """
    names = Topics(settings.topic_prefix)
    pipeline = Pipeline(bootstrap, settings)
    try:
        hops = {p: offset for p, offset in pipeline.consumed().items() if p[0] in (names.identity, names.facts)}
    finally:
        pipeline.close()
    return truncate(bootstrap, hops)


def truncate(bootstrap: str, up_to: dict[tuple[str, int], int]) -> dict[str, int]:
    """Delete records below offsets, by (topic, partition); topic -> how many offsets went."""
    admin = reaching.admin(bootstrap)
    wanted = [TopicPartition(topic, partition, offset) for (topic, partition), offset in up_to.items() if offset > 0]
    gone: dict[str, int] = {}
    try:
        for tp, future in admin.delete_records(wanted, request_timeout=PATIENCE_S).items() if wanted else ():
            gone[tp.topic] = gone.get(tp.topic, 0) + max(future.result().low_watermark, 0)
    except KafkaException as error:
        raise OneThreadError(f"Kafka does not delete consumed records: {error.args[0].str()}") from error
    return gone


def retention_ms(bootstrap: str, topics: Iterable[str]) -> dict[str, int]:
    """For how long topics keep records; -1 for ever. Errors: OneThreadError where Kafka does not say."""
    return {topic: int(value) for topic, value in _configured(bootstrap, topics, "retention.ms").items()}


def is_compacted(bootstrap: str, topic: str) -> bool:
    """Whether a topic forgets what has a tombstone. Errors: as of `retention_ms`."""
    return "compact" in _configured(bootstrap, [topic], "cleanup.policy")[topic]


def _configured(bootstrap: str, topics: Iterable[str], name: str) -> dict[str, str]:
    admin = reaching.admin(bootstrap)
    asked = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in topics]
    try:
        told = admin.describe_configs(asked, request_timeout=PATIENCE_S) if asked else {}
        return {resource.name: str(future.result()[name].value) for resource, future in told.items()}
    except KafkaException as error:
        raise OneThreadError(f"Kafka does not tell its retention: {error.args[0].str()}") from error
