"""The verbs of `dead-letters`: which letters they mean."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from cli.dead_letters import _place, _since, _wanted
from cli.main import app
from sinks.clickhouse.letters import Place
from streams.errors import UsageError


def test_since_is_a_time_or_so_long_ago() -> None:
    assert _since("2026-02-05T10:00:00+02:00") == datetime(2026, 2, 5, 8, tzinfo=UTC)
    assert _since("2026-02-05") == datetime(2026, 2, 5, tzinfo=UTC)
    assert abs(datetime.now(UTC) - timedelta(days=7) - _since("7d")) < timedelta(minutes=1)
    with pytest.raises(UsageError, match="came yesterday"):
        _since("yesterday")


def test_a_letter_is_named_by_its_place() -> None:
    assert _place("2/1043") == Place(2, 1043)
    with pytest.raises(UsageError, match="came 2"):
        _place("2")


def test_a_reason_must_be_one() -> None:
    with pytest.raises(UsageError, match="no such reason: ugly; expected one of bad_json, "):
        _wanted(["ugly"], "")


def test_replaying_needs_to_be_told_which() -> None:
    assert isinstance(CliRunner().invoke(app, ["dead-letters", "replay"]).exception, UsageError)
