"""A lab on a real broker for each test of transport, state and commit."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lab import Lab


@pytest.fixture(scope="session")
def lab_brokers(request: pytest.FixtureRequest) -> str:
    """The broker that ONETHREAD_TEST_KAFKA names, else one of the session's own."""
    outside = os.environ.get("ONETHREAD_TEST_KAFKA")
    return outside or request.getfixturevalue("broker").kafka_bootstrap


@pytest.fixture
def lab(lab_brokers: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """An empty lab; its workers are ended with the test."""
    tag = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60] + f"-{time.time_ns() % 10**9}"
    made = Lab(lab_brokers, tag, tmp_path)
    try:
        yield made
    finally:
        made.close()
