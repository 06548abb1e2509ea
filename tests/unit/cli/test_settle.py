"""The verb `settle`: silent where all is well, and what lags where it is not."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import settle
from cli.main import app
from deploy.local.ports import Addresses
from streams.errors import OneThreadError

LEFT = {"events.web": 12, "facts": 3}


@pytest.fixture
def lagging(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, int]:
    """What is left when the time is over."""
    found: dict[str, int] = {}

    def wait(_bootstrap: str, _settings: Any, _timeout_s: float, say: Callable[[dict[str, int]], object]) -> Any:
        say(LEFT)
        return found

    monkeypatch.setattr(settle, "find", lambda: Addresses(tmp_path, outside=(("KAFKA", "kafka:1"),)))
    monkeypatch.setattr(settle, "settle", wait)
    return found


def test_in_a_pipe_nothing_is_said(lagging: dict[str, int]) -> None:
    result = CliRunner().invoke(app, ["settle"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_what_lags_is_told_by_topic(lagging: dict[str, int]) -> None:
    lagging |= LEFT
    result = CliRunner().invoke(app, ["settle", "--timeout", "2"])
    assert isinstance(result.exception, OneThreadError)
    assert str(result.exception) == "not settled after 2 s; records left by topic: events.web 12, facts 3"


def test_what_the_collector_accepted_must_reach_kafka_first(
    lagging: dict[str, int], monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def drained(url: str, _timeout_s: float, say: Callable[[dict[str, int]], object]) -> bool:
        asked.append(url)
        say({"collector": 3})
        return False

    monkeypatch.setattr(settle, "find", lambda: SimpleNamespace(
        kafka_bootstrap="kafka:1", home=Path(), collector_url="http://collector"))
    monkeypatch.setattr(settle.records, "read", lambda *_: True)
    monkeypatch.setattr(settle, "load", lambda _home: None)
    monkeypatch.setattr(settle, "drained", drained)
    result = CliRunner().invoke(app, ["settle", "--timeout", "2"])
    assert str(result.exception) == "not settled after 2 s; Kafka does not have what the collector accepted"
    assert asked == ["http://collector"]
