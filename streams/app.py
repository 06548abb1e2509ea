"""The worker's application: which stages there are, what each reads, and what they share."""

from collections.abc import Collection
from pathlib import Path

import faust

from connectors.checking import Checker
from connectors.files import changes
from connectors.files.mapping import of_topics
from deploy.local.ports import Addresses
from schemas.registry import SchemaCache
from schemas.registry import client as registry_client
from streams.agents.ingest import Ingest
from streams.agents.load import Load
from streams.agents.mapping import MapRecords
from streams.agents.stitch import PartitionReader, Stitch
from streams.core import reference
from streams.core.channels import CHANNELS
from streams.core.policy import default as default_policy
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.application import Stage, add_stage, graph_store, new_app, new_committer
from streams.transport.commit import Committer


def create_app(
    settings: Settings, addresses: Addresses, worker_index: int, datadir: Path, only: Collection[str] = (),
) -> tuple[faust.App, Committer]:
    """The worker's application with its stages, or only those named, and the committer to be started before it."""
    topics = Topics(settings.topic_prefix)
    app = new_app(settings, addresses.kafka_bootstrap, worker_index, datadir)
    committer = new_committer(app, settings, addresses.kafka_bootstrap, worker_index)
    store = graph_store(app)
    policy = default_policy()
    schemas = SchemaCache(registry_client(addresses.registry_url))
    taken_in = (*(topics.events(channel) for channel in [*CHANNELS, *settings.channels]), topics.commands)
    loaded = (topics.facts, topics.history, topics.dead_letters, *(topics.reference(name) for name in reference.TABLES))
    for stage in (
        *_mapping(settings, topics, addresses.home, schemas),
        Stage("ingest", taken_in, Ingest(settings, topics, policy, schemas, store)),
        Stage("stitch", (topics.identity,), Stitch(settings, topics, policy, schemas, store)),
        Stage("load", loaded, Load(settings, topics, addresses.clickhouse_url, schemas)),
    ):
        if not only or stage.name in only:
            add_stage(app, stage, committer)
    return app, committer


def state_of(app: faust.App) -> dict[int, PartitionReader]:
    """The committed state at hand by partition; nothing while partitions move or are being restored."""
    if app.rebalancing or not app.tables.actives_ready:
        return {}
    store = graph_store(app)
    mine = {tp.partition for tp in app.tables.recovery.active_tps}
    return {number: PartitionReader(store, number) for number in store.partitions() if number in mine}


def _mapping(settings: Settings, topics: Topics, home: Path, schemas: SchemaCache) -> list[Stage]:
    """The stage of foreign topics, where the settings name some. Under which policy is ingest's business."""
    rows = of_topics(settings.mappings, home, settings.topic_prefix)
    checker = Checker(settings, default_policy())
    handler = MapRecords(settings.partitions, topics, rows, checker, schemas, changes.row)
    return [Stage("map", tuple(rows), handler)] if rows else []
