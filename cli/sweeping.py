"""Waiting until a new policy has reached everything: progress from the workers' metrics, the end from the pipeline."""

import time

from confluent_kafka import KafkaException

from cli.progress import Tell, line
from deploy.local import stack, workers
from deploy.local.parts import http_text
from deploy.local.ports import Addresses
from deploy.local.readings import samples
from deploy.local.settle import Pipeline, settle
from streams.errors import OneThreadError
from streams.reaching import no_answer
from streams.settings import Settings

LOOK_S = 0.5
REST_S = 5.0
"""Between two looks at the whole pipeline, which also ends the wait where a worker's restart lost its figures."""
SETTLE_S = 120.0

Swept = dict[str, tuple[int, int]]
"""Partition -> (version it has come to, nodes brought to the next one so far)."""


def wait(addresses: Addresses, settings: Settings, version: int, identifiers: int) -> None:
    """Return when every partition has come to a policy and ClickHouse shows what it made.

    Shape:  `identifiers` is about how many nodes there are.
    Errors: OneThreadError where no worker runs, or Kafka does not answer.
    """
    with line("applying", total=max(identifiers, 1)) as tell:
        _await_sweep(addresses, settings, version, tell)
        tell(description="settling", completed=identifiers)
        settle(addresses.kafka_bootstrap, settings, SETTLE_S)  # while events flow there is always something left


def _await_sweep(addresses: Addresses, settings: Settings, version: int, tell: Tell) -> None:
    pipeline = Pipeline(addresses.kafka_bootstrap, settings)
    looked_s = time.monotonic()
    stale = _swept(addresses)
    try:
        while True:
            swept = _swept(addresses)
            if len(swept) == settings.partitions and all(come_to >= version for come_to, _ in swept.values()):
                return
            # Until a partition begins, its figures are of the policy before.
            tell(completed=sum(told[1] for partition, told in swept.items() if told != stale.get(partition)))
            if time.monotonic() - looked_s > REST_S:
                looked_s = time.monotonic()
                if not pipeline.look()[1]:
                    return
                if not _workers(addresses):
                    raise OneThreadError("no worker runs: the policy waits in its topic until one does")
            time.sleep(LOOK_S)
    except KafkaException as error:
        raise no_answer(addresses.kafka_bootstrap, error) from error
    finally:
        pipeline.close()


def _workers(addresses: Addresses) -> list[str]:
    if workers.are_outside():
        return workers.urls(addresses)
    return [f"http://{record.address}" for record in stack.living_parts(addresses.home)
            if record.name.startswith("worker-")]


def _swept(addresses: Addresses) -> Swept:
    """What the workers tell; of a partition that moved the furthest."""
    found: Swept = {}
    for address in _workers(addresses):
        for partition, told in parse(http_text(f"{address}/metrics") or "").items():
            known = found.get(partition, (0, 0))
            found[partition] = (max(told[0], known[0]), max(told[1], known[1]))
    return found


def parse(text: str) -> Swept:
    """The two figures of each partition in a worker's metrics."""
    figures: dict[str, dict[str, int]] = {"onethread_policy_version": {}, "onethread_policy_swept_nodes": {}}
    for name, labels, value in samples(text):
        if name in figures:
            figures[name][dict(labels)["partition"]] = int(value)
    versions, nodes = figures.values()
    return {partition: (versions.get(partition, 0), nodes.get(partition, 0)) for partition in nodes}
