"""What a failed insert means: try again with a growing pause, or stop."""

import socket

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError, ProgrammingError

from sinks.clickhouse.columns import Rows
from sinks.clickhouse.writer import InsertRefused, Writer
from streams import metrics
from streams.errors import Retryable
from tests.unit.sinks.clickhouse.conftest import Engine, row


class Client:
    """Fails with the errors given, then takes what comes."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.inserted: list[tuple[str, int]] = []

    def insert_arrow(self, table: str, arrow: object, settings: object) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.inserted.append((table, len(arrow)))


def writer(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> tuple[Writer, Client]:
    client = Client(*errors)
    monkeypatch.setattr("sinks.clickhouse.writer.connect", lambda _url, _answer_s_max: client)
    return Writer("http://127.0.0.1:1"), client


PERSONS = [Rows("persons", [row("persons")])]


def test_a_server_that_is_away_is_retryable_and_the_pause_doubles_to_30_s(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, client = writer(monkeypatch, *[OperationalError("away")] * 8)
    pauses = []
    for _ in range(8):
        with pytest.raises(Retryable) as caught:
            sink.write(PERSONS)
        pauses.append(caught.value.retry_after_s)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]
    sink.write(PERSONS)
    assert client.inserted == [("onethread.facts_persons", 1)]


def test_success_starts_the_pause_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, client = writer(monkeypatch, OperationalError("away"), OperationalError("away"))
    for _ in range(2):
        with pytest.raises(Retryable):
            sink.write(PERSONS)
    sink.write(PERSONS)
    client.errors = [OperationalError("away")]
    with pytest.raises(Retryable) as caught:
        sink.write(PERSONS)
    assert caught.value.retry_after_s == 0.5


def test_too_many_parts_is_retryable_and_a_missing_column_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, _ = writer(monkeypatch, DatabaseError("many", code=252, name="TOO_MANY_PARTS"),
                     DatabaseError("value 'secret'", code=16, name="NO_SUCH_COLUMN_IN_TABLE"))
    with pytest.raises(Retryable):
        sink.write(PERSONS)
    with pytest.raises(InsertRefused, match="persons with code 16") as caught:
        sink.write(PERSONS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("error", [ProgrammingError("column 'secret'"), DataError("value 'secret'")])
def test_what_the_driver_cannot_send_stops_the_process(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """To try it for ever would look like a server that is away."""
    sink, _ = writer(monkeypatch, error)
    with pytest.raises(InsertRefused) as caught:
        sink.write(PERSONS)
    assert "secret" not in str(caught.value)


def test_a_proxy_without_a_server_behind_it_is_retryable(monkeypatch: pytest.MonkeyPatch) -> None:
    sink, _ = writer(monkeypatch, DatabaseError("HTTP driver received HTTP status 502"))
    with pytest.raises(Retryable):
        sink.write(PERSONS)


def test_a_server_that_hangs_is_retryable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.clickhouse.writer.INSERT_S_MAX", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(Retryable):
        Writer(f"http://127.0.0.1:{mute.getsockname()[1]}").write(PERSONS)


def test_a_closed_port_is_retryable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(Retryable):
            Writer(f"http://127.0.0.1:{reserved.getsockname()[1]}").write(PERSONS)


def test_a_missing_table_stops_the_process(engine: Engine) -> None:
    engine.client.command("RENAME TABLE onethread.facts_persons TO onethread.aside")
    try:
        with pytest.raises(InsertRefused, match="code 60"):
            engine.write("persons", row("persons"))
    finally:
        engine.client.command("RENAME TABLE onethread.aside TO onethread.facts_persons")


def test_rows_are_counted_by_table(engine: Engine) -> None:
    before = metrics.WORKER.get_sample_value("onethread_clickhouse_rows_total", {"table": "merges"}) or 0
    engine.write("merges", row("merges", event_id="1"), row("merges", event_id="2"))
    assert metrics.WORKER.get_sample_value("onethread_clickhouse_rows_total", {"table": "merges"}) == before + 2


def test_nothing_to_write_asks_nobody() -> None:
    Writer("http://127.0.0.1:1").write([Rows("persons", [], [])])
