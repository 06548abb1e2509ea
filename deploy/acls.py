"""What each component may do at the brokers: one table, applied to the local Kafka and printed for one's own.

Rules kept: a component has a user of its own and no right that it does not use; nobody may create or change topics but
the admin, except the changelog of our own state; what a program outside reads are the public topics. For brokers of
your own `python -m deploy.acls` prints the table as commands of Kafka's `kafka-acls`.

Source: Apache Kafka, Documentation, Security, Authorization and ACLs.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from streams.connections import kafka_config
from streams.errors import OneThreadError
from streams.settings import Settings, load
from streams.topics import Topics

COMPONENTS: dict[str, str] = {
    "worker": "the workers: all stages",
    "collector": "the collector, and programs that produce events",
    "operator": "the commands of `onethread`, but for what makes topics",
    "reader": "programs of yours that read who a person is",
    "admin": "makes topics, users and these rules: a super user of the brokers, in no row",
}

ADMIN = "admin"

NO_GROUP = "unused"
"""Named by consumers that choose their partitions and commit nothing; librdkafka still looks for its coordinator."""


@dataclass(frozen=True)
class Grant:
    """Operations of one component on resources of one name, or with `prefixed` of every name that begins so."""

    component: str
    kind: str
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


def grants(settings: Settings) -> list[Grant]:
    """The table for a deployment."""
    names = Topics(settings.topic_prefix)
    return [*_worker(names, settings), *_collector(names), *_operator(names, settings), *_reader(names)]


def _worker(names: Topics, settings: Settings) -> Iterator[Grant]:
    own = f"{names.prefix}onethread"
    for topic in (names.events(""), names.reference("")):
        yield Grant("worker", "topic", topic, ("READ", "WRITE", "DESCRIBE"), prefixed=True)
    for topic in (names.identity, names.facts, names.history, names.dead_letters):
        yield Grant("worker", "topic", topic, ("READ", "WRITE", "DESCRIBE"))
    for topic in (names.commands, *settings.mappings):
        yield Grant("worker", "topic", topic, ("READ", "DESCRIBE"))
    for topic in (names.persons, names.merges):
        yield Grant("worker", "topic", topic, ("WRITE", "DESCRIBE"))
    yield Grant("worker", "topic", f"{own}-", ("CREATE", "READ", "WRITE", "DESCRIBE"), prefixed=True)  # changelog
    yield Grant("worker", "group", own, ("READ", "DESCRIBE"))
    yield Grant("worker", "transactional-id", f"{own}-", ("WRITE", "DESCRIBE"), prefixed=True)


def _collector(names: Topics) -> Iterator[Grant]:
    yield Grant("collector", "topic", names.events(""), ("WRITE", "DESCRIBE"), prefixed=True)
    yield Grant("collector", "topic", names.dead_letters, ("WRITE", "DESCRIBE"))
    yield Grant("collector", "topic", names.commands, ("READ", "DESCRIBE"))
    yield Grant("collector", "group", NO_GROUP, ("READ", "DESCRIBE"))


def _operator(names: Topics, settings: Settings) -> Iterator[Grant]:
    own = f"{names.prefix}onethread"
    changing = ("READ", "WRITE", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "CREATE", "ALTER")
    for topic in (names.events(""), names.reference(""), own):
        yield Grant("operator", "topic", topic, changing, prefixed=True)
    for topic in (names.identity, names.facts, names.history, names.dead_letters, *settings.mappings):
        yield Grant("operator", "topic", topic, changing)
    for group in (own, NO_GROUP):
        yield Grant("operator", "group", group, ("READ", "DESCRIBE"))
    yield Grant("operator", "transactional-id", f"{own}-", ("WRITE", "DESCRIBE"), prefixed=True)


def _reader(names: Topics) -> Iterator[Grant]:
    for topic in (names.persons, names.merges):
        yield Grant("reader", "topic", topic, ("READ", "DESCRIBE"))
    yield Grant("reader", "group", "reader-", ("READ", "DESCRIBE"), prefixed=True)


def apply(bootstrap: str, settings: Settings) -> None:
    """Make every rule of the table; those that are there stay. Errors: OneThreadError with the broker's words."""
    wanted = [binding for grant in grants(settings) for binding in _bindings(grant)]
    admin = AdminClient(kafka_config(bootstrap))
    for made in admin.create_acls(wanted).values():
        try:
            made.result(30)
        except KafkaException as error:
            raise OneThreadError(f"Kafka at {bootstrap} does not take access rules: {error.args[0].str()}") from error


def _bindings(grant: Grant) -> Iterator[AclBinding]:
    kind = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP,
            "transactional-id": ResourceType.TRANSACTIONAL_ID}[grant.kind]
    pattern = ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL
    for operation in grant.operations:
        yield AclBinding(kind, grant.name, pattern, f"User:{grant.component}", "*", AclOperation[operation],
                         AclPermissionType.ALLOW)


def commands(settings: Settings) -> list[str]:
    """The table as commands of `kafka-acls`, for an administrator's shell."""
    return [
        f"kafka-acls --bootstrap-server $BROKERS --command-config admin.properties --add "
        f"--allow-principal User:{grant.component} "
        + " ".join(f"--operation {''.join(part.title() for part in name.split('_'))}" for name in grant.operations)
        + f" --{grant.kind} '{grant.name}'" + (" --resource-pattern-type prefixed" if grant.prefixed else "")
        for grant in grants(settings)
    ]


def table(settings: Settings) -> str:
    """The table for people, in Markdown."""
    rows = [f"| {grant.component} | {grant.kind} | `{grant.name}{'*' if grant.prefixed else ''}` | "
            f"{', '.join(name.lower().replace('_', ' ') for name in grant.operations)} |" for grant in grants(settings)]
    return "\n".join(["| user | what | name | may |", "|---|---|---|---|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.acls", description="Print the access rules for Kafka.")
    parser.add_argument("--home", type=Path, default=Path(".onethread"), help="whose settings (topic_prefix, mappings)")
    print("\n".join(commands(load(parser.parse_args().home))))


if __name__ == "__main__":
    main()
