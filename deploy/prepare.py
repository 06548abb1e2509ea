"""`python -m deploy.prepare`: what a deployment must hold before its workers start: topics, schemas, tables.

Run it once before the first start and before each upgrade, with the environment of the workers and a home of its own
that is kept: there it notes under which settings facts are made, and refuses what `onethread up` refuses. What is
there already stays, so it may be run again at any time. It waits for services that do not answer yet.
"""

import sys
import time
from collections.abc import Callable

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException

from deploy.local import kafka, registry, stack
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from streams.errors import OneThreadError, Retryable, UsageError
from streams.reaching import check
from streams.settings import Settings, load
from streams.transport.serve import log_to_stdout

WAIT_S_MAX = 300.0
POLL_S = 1.0

log = structlog.get_logger()


def prepare(addresses: Addresses, wait_s: float = WAIT_S_MAX) -> None:
    """Check the settings, wait for the services, make what is missing.

    Errors: UsageError where the pepper is missing; OneThreadError where settings that shape facts have changed, a
    service does not answer in time, or it holds what does not fit this version.
    """
    folder = addresses.home
    folder.mkdir(parents=True, exist_ok=True)
    settings = checked(addresses)
    await_services(addresses, settings, wait_s)
    try:
        stack.prepare(addresses, settings)
    except (KafkaException, ClickHouseError, Retryable) as error:
        raise OneThreadError(f"not everything could be made: {error}; run it again") from error
    log.info("prepared", partitions=settings.partitions, brokers=settings.brokers,
             clickhouse_cluster=settings.clickhouse_cluster)


def checked(addresses: Addresses) -> Settings:
    """The settings, where facts may be made under them. Errors: UsageError, OneThreadError."""
    settings = load(addresses.home)
    if not settings.pepper.get_secret_value():
        raise UsageError("ONETHREAD_PEPPER_FILE: expected a file with the deployment's pepper, the same for every "
                         "process and for ever; `openssl rand -hex 32` makes one")
    stack.check(addresses.home, settings)
    return settings


def await_services(addresses: Addresses, settings: Settings, wait_s: float) -> None:
    """Return when Kafka has all its brokers, and registry and ClickHouse answer. Errors: OneThreadError."""
    check(addresses.kafka_bootstrap)
    asked: dict[str, Callable[[], bool]] = {
        f"Kafka at {addresses.kafka_bootstrap}": lambda: kafka.answers(addresses.kafka_bootstrap, settings.brokers),
        f"registry at {addresses.registry_url}": lambda: registry.answers(addresses),
        f"ClickHouse at {addresses.clickhouse_url}": lambda: _answers(addresses.clickhouse_url),
    }
    deadline = time.monotonic() + wait_s
    while waiting := [name for name, answers in asked.items() if not answers()]:
        if time.monotonic() > deadline:
            raise OneThreadError(f"no answer after {wait_s:.0f} s: {', '.join(waiting)}")
        log.info("waiting", services=", ".join(waiting))
        time.sleep(POLL_S)


def _answers(url: str) -> bool:
    try:
        client = connect(url)
    except ClickHouseError:
        return False
    client.close()
    return True


def main() -> None:
    """Exit 0 when everything is there, 1 where it cannot be made, 2 where the settings cannot be."""
    log_to_stdout()
    try:
        prepare(Addresses.from_environ())
    except OneThreadError as error:
        print(f"prepare: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError) else 1)


if __name__ == "__main__":
    main()
