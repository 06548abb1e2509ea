"""The gateway as its clients see it: clickhouse-connect unmodified, curl, and sockets that break off."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

START_S = 30.0
LONG = "SELECT sum(sleepEachRow(1)) FROM numbers(60) SETTINGS max_block_size = 1, max_threads = 1"


class Process:
    """One gateway on a free port."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.log = path.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command(path, self.port), stdout=log, stderr=log)
        until(lambda: self.answers("/ping") == "Ok.\n")

    def answers(self, path: str) -> str | None:
        done = curl(f"http://127.0.0.1:{self.port}{path}")
        return done.stdout.decode() if done.returncode == 0 else None

    def client(self, **given: Any) -> Client:
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.port, **given)

    def ask(self, sql: str, *arguments: str, parameters: str = "") -> str:
        done = curl(f"http://127.0.0.1:{self.port}/?{parameters}", *arguments, "--data-binary", "@-", data=sql.encode())
        return done.stdout.decode()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


def command(path: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "deploy.local.gateway", "--path", str(path), "--port", str(port)]


def curl(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["curl", "-sS", *arguments], input=data, capture_output=True, timeout=60, check=False)


def until(holds: Any, limit_s: float = START_S) -> None:
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("gateway") / "data")
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(gateway: Process) -> Iterator[Client]:
    with contextlib.closing(gateway.client()) as client:
        client.command(
            "CREATE OR REPLACE TABLE t (a UInt64, b String, c LowCardinality(String)) ENGINE = MergeTree ORDER BY a"
        )
        yield client


@pytest.mark.parametrize("compress", [True, False, "lz4", "zstd", "gzip"])
def test_rows_come_back_as_they_went_in(gateway: Process, client: Client, compress: bool | str) -> None:
    """Through Native, in every compression of the client, both ways."""
    rows = [(number, f"b{number}", f"c{number % 7}") for number in range(50_000)]
    with contextlib.closing(gateway.client(compress=compress)) as other:
        assert other.insert("t", rows, column_names=["a", "b", "c"]).written_rows == 50_000
        answer = other.query("SELECT * FROM t ORDER BY a")
    assert answer.result_rows == rows
    assert int(answer.summary["read_rows"]) == 50_000


def test_parameters_are_values_and_never_text(client: Client) -> None:
    """Quotes, backslashes, line ends and arrays of them."""
    given = {"x": "it's \\ \n\t {y:Int8} -- ", "y": ["a'b", "c\td"], "t": "t"}
    sql = "SELECT {x:String}, {y:Array(String)}, (SELECT count() FROM {t:Identifier})"
    assert client.query(sql, parameters=given).result_rows == [(given["x"], given["y"], 0)]


def test_tables_can_be_uploaded_and_frames_read(client: Client) -> None:
    """Also by a client that may only read."""
    table = ExternalData(file_name="ext.csv", data=b"1,a\n2,b\n", fmt="CSV", structure="x Int32, y String")
    assert client.query("SELECT * FROM ext", external_data=table, settings={"readonly": 1}).result_rows == [
        (1, "a"),
        (2, "b"),
    ]
    assert client.query_df("SELECT number FROM numbers(3)")["number"].tolist() == [0, 1, 2]
    assert client.query_arrow("SELECT number FROM numbers(3)")["number"].to_pylist() == [0, 1, 2]


def test_streams_are_whole_and_failures_in_them_are_failures(client: Client) -> None:
    """The rows before an exception never look like an answer."""
    with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        assert sum(len(block) for block in blocks) == 1_000_000
    with pytest.raises(DatabaseError, match="395"):
        client.query("SELECT throwIf(number = 900000) FROM numbers(1000000)")


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("JSON", b"{"),
        ("JSONEachRow", b'{"x":1}'),
        ("CSVWithNames", b'"x"\n1'),
        ("TabSeparatedWithNamesAndTypes", b"x\nUInt8\n1"),
        ("Pretty", b""),
        ("Vertical", b"Row 1"),
        ("XML", b"<?xml"),
        ("Values", b"(1)"),
        ("RowBinary", b"\x01"),
        ("Native", b"\x01\x01\x01x\x05UInt8\x01"),
        ("Arrow", b"ARROW1"),
        ("ArrowStream", b"\xff\xff\xff\xff"),
        ("Parquet", b"PAR1"),
        ("ORC", b"ORC"),
        ("Avro", b"Obj"),
        ("MsgPack", b"\x01"),
        ("Null", b""),
    ],
)
def test_formats_come_from_clause_parameter_and_header(gateway: Process, form: str, start: bytes) -> None:
    """The same bytes by each of the three ways."""
    url = f"http://127.0.0.1:{gateway.port}/"
    clause = curl(url, "--data-binary", f"SELECT 1 AS x FORMAT {form}").stdout
    header = curl(url, "-H", f"X-ClickHouse-Format: {form}", "--data-binary", "SELECT 1 AS x").stdout
    parameter = curl(f"{url}?default_format={form}&query=SELECT+1+AS+x").stdout
    assert clause.startswith(start)
    assert len(clause) == len(header) == len(parameter) or form in ("JSON", "XML")  # these tell the time taken


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("CSV", b'1,"x",y\n'),
        ("TSV", b"1\tx\ty\n"),
        ("JSONEachRow", b'{"a":1,"b":"x","c":"y"}'),
        ("Values", b"(1,'x','y');"),
        ("RowBinary", b"\x01\0\0\0\0\0\0\0\x01x\x01y"),
    ],
)
def test_data_goes_in_behind_the_query_or_in_the_body(gateway: Process, client: Client, form: str, data: bytes) -> None:
    """In any input format."""
    url = f"http://127.0.0.1:{gateway.port}/"
    statement = "INSERT INTO t (a, b, c) VALUES" if form == "Values" else f"INSERT INTO t (a, b, c) FORMAT {form}"
    curl(url, "--data-binary", "@-", data=statement.encode() + b"\n" + data)
    curl("-G", url, "--data-urlencode", f"query={statement}", "-X", "POST")  # no data: no rows
    curl(f"{url}?query={statement.replace(' ', '+')}", "--data-binary", "@-", data=data)
    assert client.query("SELECT * FROM t").result_rows == [(1, "x", "y")] * 2


def test_frames_go_in_as_parquet_and_arrow(client: Client) -> None:
    """As the client's own methods send them."""
    table = client.query_arrow("SELECT number AS a, 'x' AS b, 'y' AS c FROM numbers(10)", use_strings=True)
    client.insert_arrow("t", table)
    client.raw_insert("t", insert_block=client.raw_query("SELECT * FROM t", fmt="Parquet"), fmt="Parquet")
    assert client.query("SELECT count(), uniqExact(a) FROM t").result_rows == [(20, 10)]


def test_native_compressed_blocks_go_both_ways(gateway: Process, client: Client, tmp_path: Path) -> None:
    """What compress=1 gives, decompress=1 takes."""
    url = f"http://127.0.0.1:{gateway.port}/"
    client.command("INSERT INTO t SELECT number, toString(number), 'c' FROM numbers(200000)")
    blocks = curl(f"{url}?compress=1", "--data-binary", "SELECT * FROM t FORMAT Native").stdout
    insert = "INSERT+INTO+t+FORMAT+Native"
    assert curl(f"{url}?decompress=1&query={insert}", "--data-binary", "@-", data=blocks).stdout == b""
    assert client.query("SELECT count(), uniqExact(a) FROM t").result_rows == [(400_000, 200_000)]
    assert (
        b"Code: 40."
        in curl(f"{url}?decompress=1&query={insert}", "--data-binary", "@-", data=b"\0" + blocks[1:]).stdout
    )


@pytest.mark.parametrize(
    ("sql", "parameters", "status", "code"),
    [
        ("SELEC 1", "", 400, 62),
        ("SELECT * FROM nowhere", "", 404, 60),
        ("SELECT 1 FORMAT Nowhere", "", 404, 73),
        ("SELECT 1", "no_such_setting=1", 404, 115),
        ("SELECT 1", "max_threads=many", 400, 27),
        ("SELECT 1", "database=nowhere", 404, 81),
        ("SELECT throwIf(1)", "", 500, 395),
        ("SELECT * FROM numbers(10)", "max_result_rows=5&result_overflow_mode=throw", 500, 396),
        ("SELECT sum(sleepEachRow(1)) FROM numbers(20) SETTINGS max_block_size = 1", "max_execution_time=1", 408, 159),
        ("SELECT {x:Int8}", "", 400, 456),
        ("SELECT 1", "session_id=s&session_check=1", 500, 372),
    ],
)
def test_exceptions_are_those_of_a_server(gateway: Process, sql: str, parameters: str, status: int, code: int) -> None:
    """Status, header and text."""
    answer = gateway.ask(sql, "-i", parameters=parameters)
    head, _, body = answer.replace("\r", "").partition("\n\n")
    assert f"X-ClickHouse-Exception-Code: {code}\n" in head + "\n"
    assert body.startswith(f"Code: {code}. DB::Exception: ")
    assert body.rstrip().endswith(")")
    if code != 456:
        assert head.startswith(f"HTTP/1.1 {status} ")


def test_headers_tell_what_was_done(gateway: Process) -> None:
    """Query id, format, time zone, counters."""
    answer = gateway.ask("SELECT number FROM numbers(3) FORMAT CSV", "-i", parameters="query_id=mine")
    head = dict(line.split(": ", 1) for line in answer.replace("\r", "").partition("\n\n")[0].splitlines()[1:])
    assert head["X-ClickHouse-Query-Id"] == "mine"
    assert head["X-ClickHouse-Format"] == "CSV"
    assert head["X-ClickHouse-Timezone"]
    assert head["X-ClickHouse-Server-Display-Name"]
    assert head["Content-Type"].startswith("text/csv")
    assert json.loads(head["X-ClickHouse-Summary"])["result_rows"] == "3"


@pytest.mark.parametrize("readonly", [1, 2])
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (a) VALUES (1)",
        "INSERT INTO t SELECT * FROM t",
        "INSERT INTO FUNCTION file('{dir}/out', 'TSV', 'a Int8') SELECT 1",
        "SELECT 1 INTO OUTFILE '{dir}/out'",
        "SELECT 1 /* ' */ INTO -- '\nOUTFILE '{dir}/out'",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "DROP TABLE t",
        "ALTER TABLE t DELETE WHERE 1",
        "TRUNCATE TABLE t",
        "OPTIMIZE TABLE t",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT file('{dir}/secret')",
        "SELECT `file`('{dir}/secret')",
        "SELECT arrayMap(file, ['{dir}/secret'])",
        "SELECT * APPLY(file) FROM (SELECT '{dir}/secret')",
        "SELECT * FROM file('{dir}/secret', 'LineAsString')",
        "SELECT * FROM `{dir}/secret`",
        "DESCRIBE `{dir}/secret`",
        "SELECT * FROM default.\u201c{dir}/secret\u201d",
        "SELECT * FROM `..{dir}/secret`",
        "SELECT * FROM `{{dir},x}/secret`",
        "SELECT * FROM secret",
        "SELECT * FROM loop(default, '{dir}/secret')",
        "SELECT * FROM '{dir}/secret'",
        "SELECT `\\x66ile`('{dir}/secret')",
        "DESCRIBE file('{dir}/secret', 'LineAsString')",
        "DESCRIBE url('http://127.0.0.1:1/', 'CSV')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM executable('id', 'TSV', 'a String')",
        "SELECT * FROM eval('SELECT 1')",
        "WITH x AS (SELECT 1) INSERT INTO t (a) SELECT * FROM x",
    ],
)
def test_readonly_refuses_what_writes_or_reaches_outside(
    gateway: Process, client: Client, sql: str, readonly: int, tmp_path: Path
) -> None:
    """And nothing is written by the attempt."""
    (tmp_path / "secret").write_text("hidden\n")
    answer = gateway.ask(sql.replace("{dir}", str(tmp_path)), parameters=f"readonly={readonly}")
    assert answer.startswith("Code: ")
    assert "hidden" not in answer
    assert not (tmp_path / "out").exists()
    assert client.query("SELECT count() FROM t").result_rows == [(0,)]


def test_readonly_lets_analysts_work(gateway: Process, client: Client) -> None:
    """Functions, parameters and settings of the request among them."""
    sql = "SELECT format('{}-{}', 'a', toString(number)) FROM numbers(1) WHERE {x:Int8} = 1"
    assert gateway.ask(sql, parameters="readonly=1&param_x=1&max_threads=1") == "a-0\n"
    assert gateway.ask("EXPLAIN SELECT * FROM t", parameters="readonly=1") != ""
    assert gateway.ask("SHOW TABLES", parameters="readonly=1") == "t\n"
    assert gateway.ask('SELECT 6 / 3 AS "revenue / order"', parameters="readonly=1") == "2\n"


def test_a_parameter_is_no_way_around_readonly(gateway: Process, tmp_path: Path) -> None:
    """An identifier handed in from outside is checked like one in the text."""
    (tmp_path / "secret").write_text("hidden\n")
    table = gateway.ask("SELECT * FROM {t:Identifier}", parameters=f"readonly=2&param_t={tmp_path}/secret")
    function = gateway.ask("SELECT arrayMap({f:Identifier}, ['x'])", parameters="readonly=2&param_f=file")
    assert table.startswith("Code: 164.")
    assert function.startswith("Code: 164.")


def test_get_does_not_write(gateway: Process, client: Client) -> None:
    """As in a server."""
    url = f"http://127.0.0.1:{gateway.port}/?query=DROP+TABLE+t"
    assert b"Code: 164." in curl(url).stdout


def test_sessions_keep_tables_settings_and_database(gateway: Process) -> None:
    """And the settings of one request end with it."""
    mine, yours = gateway.client(), gateway.client()
    mine.command("CREATE TEMPORARY TABLE kept (a Int8)")
    mine.command("INSERT INTO kept VALUES (5)")
    mine.command("SET max_threads = 1")
    mine.command("USE system")
    assert mine.query("SELECT a, getSetting('max_threads') FROM kept", settings={"max_threads": 2}).result_rows == [
        (5, 2)
    ]
    assert mine.query("SELECT getSetting('max_threads'), currentDatabase()").result_rows == [(1, "system")]
    assert yours.query("SELECT currentDatabase()").result_rows == [("default",)]
    with pytest.raises(DatabaseError, match="60"):
        yours.query("SELECT * FROM kept")


def test_a_session_serves_one_request_at_a_time(gateway: Process) -> None:
    """The second is told so."""
    first = threading.Thread(target=gateway.ask, args=("SELECT sleep(3)",), kwargs={"parameters": "session_id=one"})
    first.start()
    until(lambda: "sleep(3)" in gateway.ask("SELECT query FROM system.processes WHERE query NOT LIKE '%processes%'"))
    assert "Code: 373." in gateway.ask("SELECT 1", parameters="session_id=one")
    first.join()
    assert gateway.ask("SELECT 1", parameters="session_id=one") == "1\n"


def test_short_work_goes_through_beside_long_queries(gateway: Process, client: Client) -> None:
    """Queries and inserts do not wait for each other."""
    with broken_off(gateway, LONG), broken_off(gateway, LONG), broken_off(gateway, LONG):
        started = time.monotonic()
        client.insert("t", [(1, "b", "c")], column_names=["a", "b", "c"])
        assert client.query("SELECT count() FROM t").result_rows == [(1,)]
        assert time.monotonic() - started < 5


def test_a_query_stops_when_its_client_goes_away(gateway: Process) -> None:
    """So that nobody pays for an answer that nobody reads."""
    running = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'"
    with broken_off(gateway, LONG):
        until(lambda: gateway.ask(running) != "0\n")
    until(lambda: gateway.ask(running) == "0\n")


def test_half_an_insert_inserts_nothing(gateway: Process, client: Client) -> None:
    """A client that breaks off in its data has inserted nothing, and the gateway goes on."""
    with socket.create_connection(("127.0.0.1", gateway.port)) as link:
        link.sendall(
            b"POST /?query=INSERT+INTO+t+(a)+FORMAT+TSV HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n1\n2\n"
        )
        time.sleep(0.3)
    assert gateway.ask("INSERT INTO t (a) FORMAT TSV\n1\nx\n2\n").startswith("Code: 27.")
    assert client.query("SELECT count() FROM t").result_rows == [(0,)]


def test_nothing_of_a_query_is_logged(gateway: Process) -> None:
    """A literal may be somebody's phone number."""
    gateway.ask("SELECT 'plainly-secret'")
    gateway.ask("SELECT 'plainly-secret' FROM nowhere")
    gateway.ask("plainly-secret 1")
    assert "plainly-secret" not in gateway.log.read_text()


def test_a_second_gateway_on_the_path_says_where_it_is_open(gateway: Process) -> None:
    """In one line, with exit code 1."""
    done = subprocess.run(command(gateway.path, 1), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ClickHouse path open elsewhere: ")
    assert str(gateway.process.pid) in done.stderr
    assert gateway.ask("SELECT 1") == "1\n"


def test_a_port_in_use_is_one_line(gateway: Process, tmp_path: Path) -> None:
    """With exit code 1."""
    done = subprocess.run(
        command(tmp_path / "x", gateway.port), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (1, done.stderr.splitlines()[-1] + "\n")
    assert f"port {gateway.port} on 127.0.0.1 is in use" in done.stderr


def test_killed_in_an_insert_leaves_all_or_nothing(tmp_path: Path) -> None:
    """At whatever moment; and the path opens again."""
    path = tmp_path / "data"
    insert = b"INSERT INTO t FORMAT TSV\n" + b"".join(b"%d\n" % number for number in range(400_000))
    gateway = Process(path)
    gateway.ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    counts = []
    for delay_s in (0.0, 0.05, 0.15):
        gateway.ask("TRUNCATE TABLE t")
        with socket.create_connection(("127.0.0.1", gateway.port)) as link:
            link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(insert) + insert)
            time.sleep(delay_s)
            gateway.stop(signal.SIGKILL)
        gateway = Process(path)
        counts.append(int(gateway.ask("SELECT count() FROM t")))
    assert set(counts) <= {0, 400_000}
    assert gateway.stop() == 0


def test_a_stop_waits_for_what_runs_and_keeps_what_was_written(tmp_path: Path) -> None:
    """SIGTERM is no accident."""
    gateway = Process(tmp_path / "data")
    gateway.ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
    answers: list[str] = []
    work = "INSERT INTO t SELECT number + sleep(1) FROM numbers(3)"
    thread = threading.Thread(target=lambda: answers.append(gateway.ask(work)))
    thread.start()
    until(lambda: "INSERT" in gateway.ask("SELECT query FROM system.processes WHERE query NOT LIKE '%processes%'"))
    assert gateway.stop() == 0
    thread.join()
    assert answers == [""]
    again = Process(tmp_path / "data")
    assert again.ask("SELECT count() FROM t") == "3\n"
    assert again.stop() == 0


@contextlib.contextmanager
def broken_off(gateway: Process, sql: str) -> Iterator[None]:
    """Send a query, and go away without its answer when the block ends."""
    with socket.create_connection(("127.0.0.1", gateway.port)) as link:
        link.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sql)}\r\n\r\n{sql}".encode())
        yield
