"""A secured home: a broker, a gateway and a collector that speak TLS, ask for passwords, and let each user do what the
tables of rights say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from cli.main import app
from connectors import commands
from connectors.collector import keys
from deploy import acls
from deploy.local import downloads, kafka, parts, security
from deploy.local.ports import Addresses
from deploy.local.security import Secured
from sinks.clickhouse.client import connect
from streams import connections
from streams.connections import kafka_config
from streams.errors import OneThreadError
from streams.reaching import NotLetIn, check
from streams.settings import Settings
from tests.conftest import PEPPER, free_base, supervised

EVENTS, PERSONS, FOREIGN = "events.web", "onethread.persons", "payroll"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """One secured broker with two of our topics, a foreign one, and a record in each."""
    addresses = Addresses(tmp_path_factory.mktemp("secured"), free_base())
    secured = Secured(addresses.home)
    secured.make()
    pieces = [*kafka.parts(addresses, 1, downloads.kafka_jars(), secured), parts.gateway(addresses),
              parts.collector(addresses)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONETHREAD_HOME", str(addresses.home))
        patch.setenv("ONETHREAD_COMPONENT", "admin")
        with supervised(addresses.home, pieces):
            admin = AdminClient(kafka_config(addresses.kafka_bootstrap))
            for made in admin.create_topics([NewTopic(name, 1) for name in (EVENTS, PERSONS, FOREIGN)]).values():
                made.result(30)
            acls.apply(addresses.kafka_bootstrap, Settings())
            for name in (PERSONS, FOREIGN):
                assert produce(addresses, name) is None
            yield addresses


@pytest.fixture
def as_user(home: Addresses, monkeypatch: pytest.MonkeyPatch) -> Any:
    def become(component: str) -> str:
        monkeypatch.setenv("ONETHREAD_HOME", str(home.home))
        monkeypatch.setenv("ONETHREAD_COMPONENT", component)
        return home.kafka_bootstrap

    return become


def produce(addresses: Addresses, topic: str) -> KafkaError | None:
    """What the broker says of one record; None where it has it."""
    told: list[Any] = []
    producer = Producer({**kafka_config(addresses.kafka_bootstrap), "log_level": 0, "message.timeout.ms": 15_000})
    producer.produce(topic, b"a record", on_delivery=lambda error, _: told.append(error))
    producer.flush(20)
    return told[0] if told else KafkaError(KafkaError._TIMED_OUT)


def consume(bootstrap: str, topic: str, group: str, wait_s: float = 15.0) -> Any:
    """The first record or error that comes; None where nothing does."""
    consumer = Consumer({**kafka_config(bootstrap), "group.id": group, "auto.offset.reset": "earliest", "log_level": 0})
    consumer.subscribe([topic])
    try:
        return consumer.poll(wait_s)
    finally:
        consumer.close()


def test_the_right_user_produces_and_consumes(home: Addresses, as_user: Any) -> None:
    as_user("collector")
    assert produce(home, EVENTS) is None
    as_user("worker")
    assert consume(home.kafka_bootstrap, EVENTS, "onethread").value() == b"a record"
    as_user("reader")
    assert consume(home.kafka_bootstrap, PERSONS, "reader-crm").value() == b"a record"


@pytest.mark.parametrize(("component", "topic"), [
    ("collector", PERSONS), ("collector", FOREIGN), ("worker", FOREIGN), ("operator", FOREIGN), ("reader", EVENTS),
])
def test_a_topic_outside_the_rights_of_a_user_takes_no_record(
    home: Addresses, as_user: Any, component: str, topic: str,
) -> None:
    as_user(component)
    refused = produce(home, topic)
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize(("component", "topic", "group"), [
    ("collector", EVENTS, "onethread"), ("reader", PERSONS, "onethread"), ("reader", FOREIGN, "reader-crm"),
])
def test_a_topic_or_group_outside_the_rights_of_a_user_gives_no_record(
    as_user: Any, component: str, topic: str, group: str,
) -> None:
    found = consume(as_user(component), topic, group)
    assert found.error().code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


def test_a_wrong_password_gets_a_clear_error_and_no_data(
    home: Addresses, as_user: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
) -> None:
    """What was expected, what to look at; and neither password in it or in what libraries print."""
    bootstrap = as_user("worker")
    wrong, right = "not-the-password-of-anybody", Secured(home.home).password("worker")
    monkeypatch.setenv("ONETHREAD_KAFKA_SECURITY", "sasl_ssl")
    monkeypatch.setenv("ONETHREAD_KAFKA_CA", str(Secured(home.home).ca))
    monkeypatch.setenv("ONETHREAD_KAFKA_USER", "worker")
    monkeypatch.setenv("ONETHREAD_KAFKA_PASSWORD", wrong)
    with pytest.raises(NotLetIn, match=r"does not let 'worker' in .*expected the user and the password") as refused:
        check(bootstrap)
    monkeypatch.setattr(commands, "PATIENCE_S", 2.0)
    with pytest.raises(NotLetIn):  # as every command of an operator says it
        commands.policy_in_force(bootstrap, home.registry_url, Settings())
    found = consume(bootstrap, EVENTS, "onethread", 3)
    assert found is None or found.error()
    assert produce(home, EVENTS) is not None
    shown = str(refused.value) + "".join(capfd.readouterr())
    assert wrong not in shown
    assert right not in shown


def test_a_certificate_of_nobody_we_know_is_refused(
    home: Addresses, as_user: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    other = Secured(tmp_path)
    other.make()
    bootstrap = as_user("worker")
    monkeypatch.setenv("ONETHREAD_KAFKA_USER", "worker")
    monkeypatch.setenv("ONETHREAD_KAFKA_SECURITY", "sasl_ssl")
    monkeypatch.setenv("ONETHREAD_KAFKA_PASSWORD_FILE", str(home.home / "security" / "worker.password"))
    monkeypatch.setenv("ONETHREAD_KAFKA_CA", str(other.ca))
    with pytest.raises(NotLetIn, match=r"expected a certificate for that name signed by .*ca\.pem"):
        check(bootstrap)


def test_who_comes_without_tls_is_not_heard(home: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path))
    assert not kafka.answers(home.kafka_bootstrap)


def test_no_password_is_in_a_process_a_log_or_a_record(home: Addresses) -> None:
    """Of everything that the home's processes show."""
    secured = Secured(home.home)
    secrets = [secured.password(user) for user in (*acls.COMPONENTS, "broker", "clickhouse")]
    shown = ["\0".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    shown += [path.read_text(errors="replace") for folder in ("logs", "run")
              for path in (home.home / folder).rglob("*") if path.is_file()]
    assert any("kafka.Kafka" in text for text in shown)
    assert not [secret for secret in secrets for text in shown if secret in text]


def test_a_running_stack_shows_neither_its_pepper_nor_its_key(running_stack: Addresses) -> None:
    """In arguments of processes, logs, records of its parts, and what `status --json` prints."""
    secrets = [PEPPER, keys.local(running_stack.home)]
    shown = ["\0".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    shown += [path.read_text(errors="replace") for folder in ("logs", "run")
              for path in (running_stack.home / folder).rglob("*") if path.is_file()]
    shown.append(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert '"parts"' in shown[-1]
    assert not [secret for secret in secrets for text in shown if secret in text]


def test_files_with_secrets_are_their_owners_alone(home: Addresses) -> None:
    files = [*(home.home / "security").iterdir(), home.home / "kafka" / "node-0.properties",
             home.home / "clickhouse-users.json"]
    assert len(files) > 10
    assert not [path for path in files if path.stat().st_mode & 0o077]


def test_collector_and_clickhouse_answer_by_https_to_who_knows_the_authority(home: Addresses, as_user: Any) -> None:
    as_user("operator")
    trusting = connections.clickhouse()
    for url in (home.clickhouse_url + "/ping", home.collector_url + "/healthz"):
        assert url.startswith("https://")
        assert httpx.get(url, verify=trusting.verify, trust_env=False).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(url, trust_env=False)
        with pytest.raises(httpx.HTTPError):
            httpx.get(url.replace("https", "http"), trust_env=False)


def test_clickhouse_lets_nobody_in_without_the_password(home: Addresses, as_user: Any) -> None:
    as_user("operator")
    assert connect(home.clickhouse_url).command("SELECT 1") == 1
    as_user("reader")  # who has the authority's certificate, and no user
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
        connect(home.clickhouse_url)


def test_a_home_stays_as_it_was_made(home: Addresses, tmp_path: Path) -> None:
    """Kafka learns its users when its folder is formatted."""
    with pytest.raises(OneThreadError, match=r"made with security = 'tls'.*came 'none': set it back"):
        security.prepare(home.home, Settings())
    (tmp_path / "kafka").mkdir()
    with pytest.raises(OneThreadError, match=r"made with security = 'none'.*came 'tls': set it back"):
        security.prepare(tmp_path, Settings(security="tls"))
