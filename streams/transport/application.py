"""A Faust application as this product runs it: the batching transport, one table on RocksDB, stages that commit by
transaction. Which stages there are is said in `streams.app`."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust

import streams.state.store
import streams.transport.batching
from streams.settings import Settings
from streams.state.recovery import TableManager
from streams.transport.assignor import HOST, Assignor
from streams.transport.commit import Committer
from streams.transport.credentials import credentials
from streams.transport.failures import Failures
from streams.transport.loop import Handler, run

TABLE = "graph"
SESSION_TIMEOUT_S = 6
HEARTBEAT_S = 0.5
"""The others learn by theirs that somebody left, so it is a part of every take-over."""
REBALANCE_TIMEOUT_S = 60
"""Longer than the slowest group with its commit: the group waits this long for what is in hand."""
LEADERS_AGE_MS_MAX = 10_000
"""aiokafka does not ask who leads a partition when it is told that its offset is asked of a broker that does not, and
while it asks on, nothing else is fetched from that broker."""


@dataclass(frozen=True)
class Stage:
    """One agent: what it reads and who works on it."""

    name: str
    topics: tuple[str, ...]
    handler: Handler


def application_id(settings: Settings) -> str:
    """Name of the Faust application and of its consumer group."""
    return f"{settings.topic_prefix}onethread"


def instance_id(settings: Settings, worker_index: int, datadir: Path) -> str:
    """Who the worker is to its group: one that comes back within its session gets its partitions back.

    With standbys the name belongs to the state as well: a worker whose disk is lost is somebody else, so that a standby
    takes over instead of waiting for it to restore.
    """
    if not settings.standbys:
        return f"{HOST}{worker_index}"
    path = datadir / "incarnation"
    if not path.exists():
        path.write_text(secrets.token_hex(4) + "\n")
    return f"{HOST}{worker_index}-{path.read_text().strip()}"


def new_app(settings: Settings, brokers: str, worker_index: int, datadir: Path) -> faust.App:
    """An application with its table and no stages. Settings that differ from Faust's: docs/decisions/0020."""
    app = faust.App(
        application_id(settings),
        broker=f"batching://{brokers}",
        broker_credentials=credentials(),
        store="graph://",
        TableManager=TableManager,
        datadir=datadir,
        origin="streams",
        autodiscover=False,
        web_enabled=False,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.brokers,
        topic_disable_leader=True,
        table_standby_replicas=settings.standbys,
        PartitionAssignor=Assignor,
        canonical_url=f"http://{HOST}{worker_index}",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=256 << 10,
        consumer_group_instance_id=instance_id(settings, worker_index, datadir),
        consumer_metadata_max_age_ms=LEADERS_AGE_MS_MAX,
        broker_max_poll_records=None,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_S,
        stream_buffer_maxsize=64,
        stream_recovery_delay=0.0,
    )
    app.looks = []  # of stages that want to know, at each look of the watch, how far behind they are
    app.finalize()
    app.Table(
        TABLE, key_type=bytes, value_type=bytes,
        partitions=settings.partitions, extra_topic_configs=streams.state.store.CHANGELOG_CONFIG,
    )
    return app


def changelog_topic(app: faust.App) -> str:
    name: str = app.tables[TABLE].changelog_topic_name
    return name


def graph_store(app: faust.App) -> streams.state.store.Store:
    """Where all state is: multi_get, scan; writes go through `Work`."""
    store: streams.state.store.Store = app.tables[TABLE].data
    return store


def new_committer(app: faust.App, settings: Settings, brokers: str, worker_index: int) -> Committer:
    """The transactional id is stable, so that a restart fences the earlier self of this worker."""
    name, failures = f"{application_id(settings)}-{worker_index}", Failures(Path(app.conf.datadir) / "failures.json")
    return Committer(brokers, name, changelog_topic(app), graph_store(app), failures)


def add_stage(app: faust.App, stage: Stage, committer: Committer) -> None:
    """Register an agent that runs `stage`."""
    topic = app.topic(*stage.topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def agent(stream: Any) -> None:
        await run(stage.name, stream, stage.handler, committer, stage.topics)

    app.agent(topic, name=stage.name)(agent)
    if hasattr(stage.handler, "look"):
        app.looks.append(stage.handler.look)
    if hasattr(stage.handler, "forget"):
        forget = stage.handler.forget

        async def on_change(_app: Any, partitions: Any, **_: Any) -> None:
            forget({tp.partition for tp in partitions})

        app.on_partitions_revoked.connect(on_change, weak=False)
        app.on_partitions_assigned.connect(on_change, weak=False)
