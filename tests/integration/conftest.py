"""A lab on a real broker for each test: ONETHREAD_TEST_KAFKA names one, else the session starts its own."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import downloads, kafka
from deploy.local.ports import HOST, PORTS, Addresses
from tests.integration.lab import Lab


@pytest.fixture(scope="session")
def lab_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker that answers."""
    if outside := os.environ.get("ONETHREAD_TEST_KAFKA"):
        yield outside
        return
    home = tmp_path_factory.mktemp("kafka")
    addresses = Addresses(home, _free_base())
    (node,) = kafka.parts(addresses, 1, downloads.kafka_jars())
    with (home / "kafka.log").open("wb") as log:
        process = subprocess.Popen(node.command, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while not node.answers():
            is_late = process.poll() is not None or time.monotonic() > deadline
            assert not is_late, (home / "kafka.log").read_text()[-2000:]
            time.sleep(0.3)
        yield addresses.kafka_bootstrap
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def lab(lab_brokers: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """An empty lab; its workers are ended with the test."""
    tag = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60] + f"-{time.time_ns() % 10**9}"
    made = Lab(lab_brokers, tag, tmp_path)
    try:
        yield made
    finally:
        made.close()


def _free_base() -> int:
    """A base whose first ports are free at the moment."""
    for base in range(24000, 40000, PORTS):
        with socket.socket() as one, socket.socket() as other:
            if one.connect_ex((HOST, base + 3)) and other.connect_ex((HOST, base + 4)):
                return base
    raise AssertionError("no free ports")
