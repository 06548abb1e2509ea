"""The network of a chaos run: what passes, what a rule does to it, and to whom."""

import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from tests.chaos.apart import NetworkApart
from tests.chaos.deployment import Parts
from tests.chaos.network import HOST, Network, Rule

SOON_S = 0.3


class Echo(socketserver.BaseRequestHandler):
    """Answers what it hears, and remembers it."""

    heard = bytearray()

    def handle(self):
        while data := self.request.recv(65536):
            self.heard.extend(data)
            self.request.sendall(data)


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return found.getsockname()[1]


@pytest.fixture
def service():
    Echo.heard.clear()
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def clients():
    return {}


@pytest.fixture
def proxy(service, clients):
    """A network with one service, called clickhouse, and the port of its proxy."""
    port = free_port()
    known = SimpleNamespace(names=lambda: list(clients), pid=clients.get)
    with Network({"clickhouse": (port, service)}, known) as network:
        yield SimpleNamespace(port=port, during=network.during, at_next_insert=network.at_next_insert)


def connect(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=5)


def answer(connection: socket.socket, said: bytes, within_s: float = 5) -> bytes:
    """What came back, nothing where nothing came in time or the connection ended."""
    connection.settimeout(within_s)
    try:
        connection.sendall(said)
        return connection.recv(65536)
    except (TimeoutError, ConnectionError):
        return b""


def test_without_rules_everything_passes(proxy):
    with connect(proxy.port) as one, connect(proxy.port) as two:
        assert answer(one, b"a") == b"a"
        assert answer(two, b"b") == b"b"


def test_refused_ends_connections_and_takes_no_new_ones_until_it_is_over(proxy):
    with connect(proxy.port) as one:
        assert answer(one, b"a") == b"a"
        with proxy.during(Rule("clickhouse", None, "refused")), connect(proxy.port) as two:
            assert answer(one, b"b") == b""
            assert answer(two, b"c") == b""
    with connect(proxy.port) as three:
        assert answer(three, b"d") == b"d"
    assert bytes(Echo.heard) == b"ad"


def test_silent_says_nothing_and_what_was_under_way_arrives_when_it_is_over(proxy):
    with connect(proxy.port) as one:
        assert answer(one, b"a") == b"a"
        with proxy.during(Rule("clickhouse", None, "silent")), connect(proxy.port) as two:
            assert answer(one, b"b", SOON_S) == b""
            assert answer(two, b"c", SOON_S) == b""
            assert bytes(Echo.heard) == b"a"
        one.settimeout(5)
        assert one.recv(10) == b"b"


def test_slow_is_a_delay_and_a_rate(proxy):
    with connect(proxy.port) as one:
        assert answer(one, b"a") == b"a"
        with proxy.during(Rule("clickhouse", None, "slow", 0.1, 1000)):
            started = time.monotonic()
            assert answer(one, b"x" * 100) == b"x" * 100
            assert time.monotonic() - started >= 2 * (0.1 + 0.1)


def test_a_rule_for_one_client_leaves_the_others_alone(proxy, clients):
    code = f"""
import socket, sys
with socket.create_connection(({HOST!r}, {proxy.port}), timeout=5) as one:
    for line in sys.stdin.buffer:
        one.sendall(line)
        print(one.recv(100), flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        clients["this one"] = os.getpid()

        def say() -> bytes:
            other.stdin.write(b"a\n")
            other.stdin.flush()
            return other.stdout.readline()

        assert say() == b"b'a\\n'\n"
        clients["worker-7"] = other.pid  # known only now, as of a process that took a worker's place
        with connect(proxy.port) as one, proxy.during(Rule("clickhouse", "worker-7", "refused")):
            assert answer(one, b"b") == b"b"
            assert say() != b"b'a\\n'\n"
        other.stdin.close()


def test_the_trap_springs_in_the_middle_of_an_insert_and_once(proxy):
    sprung = []

    def spring():
        time.sleep(0.1)
        sprung.append(len(Echo.heard))

    with connect(proxy.port) as one:
        assert answer(one, b"SELECT 1") == b"SELECT 1"
        proxy.at_next_insert(spring)
        said = b"INSERT INTO t " + b"x" * 86
        assert answer(one, said)[:10] == said[:10]
        answer(one, said)
        deadline = time.monotonic() + 5
        while len(Echo.heard) < 8 + 200 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert sprung == [8 + 50]
    assert len(Echo.heard) == 8 + 200


def test_a_network_apart_does_the_same_when_asked(service, tmp_path):
    port = free_port()
    refused = Rule("clickhouse", None, "refused")
    with (
        NetworkApart({"clickhouse": (port, service)}, Parts(tmp_path)) as network,
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim,
    ):
        with connect(port) as one:
            assert answer(one, b"a") == b"a"
            with network.during(refused), network.during(refused):
                assert answer(one, b"b") == b""
            with connect(port) as two:
                network.kill_at_next_insert(victim.pid)
                assert answer(two, b"INSERT")
        assert victim.wait(5) == -9
