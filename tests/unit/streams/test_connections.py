from pathlib import Path

import pytest

from streams import connections
from streams.connections import Connections, kafka_config, without_password
from streams.errors import OneThreadError, UsageError
from streams.transport.credentials import credentials

PASSWORD = "correct horse battery staple"
SOURCES = [path for folder in ("streams", "connectors", "deploy", "cli", "sinks", "schemas", "examples")
           for path in Path(folder).rglob("*.py")]


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path))


def sasl(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return {
        "ONETHREAD_HOME": str(tmp_path), "ONETHREAD_KAFKA_SECURITY": "sasl_plaintext",
        "ONETHREAD_KAFKA_USER": "collector", "ONETHREAD_KAFKA_PASSWORD_FILE": str(tmp_path / "password"),
    }


def test_nothing_told_is_plaintext_without_a_user() -> None:
    assert kafka_config("kafka:9092") == {"bootstrap.servers": "kafka:9092"}
    assert credentials() is None
    assert connections.clickhouse().basic is None


def test_user_and_password_reach_librdkafka_and_faust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in sasl(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert kafka_config("kafka:9092") == {
        "bootstrap.servers": "kafka:9092", "security.protocol": "sasl_plaintext", "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "collector", "sasl.password": PASSWORD,
    }
    told = credentials()
    assert (told.username, told.password, told.mechanism.value) == ("collector", PASSWORD, "SCRAM-SHA-512")


def test_a_secret_is_in_no_representation(tmp_path: Path) -> None:
    found = Connections.from_environ(sasl(tmp_path))
    assert found.kafka.login.password.get_secret_value() == PASSWORD
    assert PASSWORD not in repr(found) + str(found.kafka.login)


@pytest.mark.parametrize(("told", "expected"), [
    ({"ONETHREAD_KAFKA_SECURITY": "tls"}, "expected one of plaintext, ssl"),
    ({"ONETHREAD_KAFKA_MECHANISM": "GSSAPI"}, "expected one of SCRAM-SHA-512"),
    ({"ONETHREAD_KAFKA_SECURITY": "sasl_ssl", "ONETHREAD_KAFKA_USER": "u"}, "one of them is not set"),
    ({"ONETHREAD_KAFKA_CA": "/nowhere/ca.pem"}, "no such file"),
    ({"ONETHREAD_REGISTRY_PASSWORD": PASSWORD, "ONETHREAD_REGISTRY_PASSWORD_FILE": "/nowhere"}, "both set"),
])
def test_what_cannot_be_is_refused_by_name_and_without_secrets(
    told: dict[str, str], expected: str, tmp_path: Path,
) -> None:
    with pytest.raises(UsageError) as refused:
        Connections.from_environ({"ONETHREAD_HOME": str(tmp_path), **told})
    assert expected in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OneThreadError, match="ONETHREAD_CLICKHOUSE_PASSWORD_FILE: /nowhere cannot be read"):
        Connections.from_environ({"ONETHREAD_HOME": str(tmp_path), "ONETHREAD_CLICKHOUSE_PASSWORD_FILE": "/nowhere"})


def test_the_home_says_what_the_environment_does_not(tmp_path: Path) -> None:
    folder = tmp_path / connections.FOLDER
    folder.mkdir()
    (folder / "operator.env").write_text("ONETHREAD_CLICKHOUSE_USER=default\nONETHREAD_CLICKHOUSE_PASSWORD=operators\n")
    (folder / "worker.env").write_text("ONETHREAD_CLICKHOUSE_USER=default\nONETHREAD_CLICKHOUSE_PASSWORD=workers\n")
    home = {"ONETHREAD_HOME": str(tmp_path)}
    assert Connections.from_environ(home).clickhouse.basic == ("default", "operators")
    assert Connections.from_environ({**home, "ONETHREAD_COMPONENT": "worker"}).clickhouse.basic == (
        "default", "workers")
    elsewhere = {**home, "ONETHREAD_CLICKHOUSE": "https://clickhouse.example.com:8443"}
    assert Connections.from_environ(elsewhere).clickhouse.basic is None
    ann = {**home, "ONETHREAD_CLICKHOUSE_USER": "ann", "ONETHREAD_CLICKHOUSE_PASSWORD": "hers"}
    assert Connections.from_environ(ann).clickhouse.basic == ("ann", "hers")


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    assert without_password("CLICKHOUSE", "https://host:8443/@") == "https://host:8443/@"
    with pytest.raises(UsageError) as refused:
        without_password("CLICKHOUSE", "https://ann:secret@host:8443")
    assert "secret" not in str(refused.value)


def test_no_other_module_makes_a_client_of_its_own() -> None:
    found = [str(path) for path in SOURCES if '"bootstrap.servers"' in path.read_text()]
    assert found == ["streams/connections.py"]


def test_authorities_are_read_only_where_there_is_something_to_check() -> None:
    """A poll of a part ten times a second would read the system's, each time."""
    assert connections.NOBODY.verify_at("http://127.0.0.1:19000/healthz") is False
    assert connections.NOBODY.verify_at("https://127.0.0.1:19000/healthz") is True
