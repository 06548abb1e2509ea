"""Clients that look at a deployment from outside, and why brokers do not talk to us, in words somebody can act on.

A client that is refused at the door only ever times out: librdkafka tells the reason to a callback, and tries again
for ever. So the reason is asked for by a client of its own, once something has failed. No secret is in any text.
"""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.connections import Connections, Kafka, kafka_config
from streams.errors import OneThreadError

PROBE_S = 5.0


class NotLetIn(OneThreadError):  # noqa: N818 - it says what happened
    """The brokers are there and do not take who we say we are, or we do not take who they say they are."""


def admin(bootstrap: str) -> AdminClient:
    """A client for questions about topics and groups, which logs nothing: whoever asks tells what failed."""
    return AdminClient({**kafka_config(bootstrap), "log_level": 0})


def reader(bootstrap: str, queue_kb: int) -> Consumer:
    """A consumer that is a member of no group, sees only what was committed, and is told where partitions end.

    Shape: `queue_kb` is how far it may fetch ahead, by partition; librdkafka's own 64 MB are for faster readers.
    """
    return Consumer({
        **kafka_config(bootstrap), "group.id": "unused", "enable.auto.commit": False, "log_level": 0,
        "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 10, "queued.max.messages.kbytes": queue_kb,
    })


def no_answer(bootstrap: str, error: KafkaException) -> OneThreadError:
    """What to tell of a call that failed: why we are not let in, where that is so; else the call's own words."""
    return _why_not(bootstrap) or OneThreadError(f"Kafka does not answer at {bootstrap}: {error.args[0].str()}")


def check(bootstrap: str) -> None:
    """Return when the brokers let us in, or cannot be reached at all, which waiting may mend.

    Errors: NotLetIn.
    Cost: nothing for plaintext; one connection else.
    """
    if error := _why_not(bootstrap):
        raise error


def _why_not(bootstrap: str) -> NotLetIn | None:
    if Connections.from_environ().kafka.protocol == "plaintext":
        return None
    told: list[KafkaError] = []
    config: dict[str, Any] = {**kafka_config(bootstrap), "log_level": 0, "error_cb": told.append}
    admin = AdminClient(config)
    deadline = time.monotonic() + PROBE_S
    while time.monotonic() < deadline:
        try:
            admin.list_topics(timeout=0.5)
            return None
        except KafkaException:
            admin.poll(0)
        for error in told:
            if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
                return NotLetIn(_text(bootstrap, Connections.from_environ().kafka, error))
    return None


def _text(bootstrap: str, kafka: Kafka, error: KafkaError) -> str:
    if error.code() == KafkaError._AUTHENTICATION:
        return (
            f"Kafka at {bootstrap} does not let {kafka.login.user!r} in ({kafka.mechanism}): expected the user and the "
            "password that the brokers know; look at ONETHREAD_KAFKA_USER, ONETHREAD_KAFKA_PASSWORD (or …_FILE)"
        )
    signer = kafka.login.ca or "the system's authorities"
    return (
        f"Kafka at {bootstrap} and we find no TLS connection: expected a certificate for that name signed by {signer}, "
        f"and brokers that speak TLS there (ONETHREAD_KAFKA_SECURITY is {kafka.protocol}); "
        "look at ONETHREAD_KAFKA_CA, ONETHREAD_KAFKA_CERT"
    )
