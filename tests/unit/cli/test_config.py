"""The verb `config`: what is shown, what can be applied, and that nothing is applied by half."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from deploy.local import home
from streams.errors import OneThreadError, UsageError
from streams.settings import SHAPING, load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose facts were made under the default settings."""
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path))
    home.remember(tmp_path, load(tmp_path))
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["config", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_every_setting_is_shown_with_where_it_comes_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "onethread.toml").write_text('journey_gap = "20d"\n')
    (folder / "pepper").write_text("secret-of-the-home")
    monkeypatch.setenv("ONETHREAD_REPORTING_CURRENCY", "UAH")
    text = run("show", "--json")
    shown = json.loads(text)
    assert shown["journey_gap"] == {"value": "20d", "origin": str((folder / "onethread.toml").resolve())}
    assert shown["reporting_currency"] == {"value": "UAH", "origin": "ONETHREAD_REPORTING_CURRENCY"}
    assert shown["session_gap"] == {"value": "30m", "origin": "default"}
    assert shown["pepper"]["value"] == "set"
    assert "secret-of-the-home" not in text


def test_what_was_changed_and_not_applied_is_told(folder: Path) -> None:
    (folder / "onethread.toml").write_text('session_gap = "45m"\n')
    assert "not applied: session_gap 30m → 45m" in run("show")


def test_check_tells_what_would_change(folder: Path) -> None:
    file = folder / "new.toml"
    file.write_text('session_gap = "45m"\ncart_wait = "12h"\n')
    assert run("check", str(file)).splitlines()[1:] == ["to apply: session_gap 30m → 45m"]


@pytest.mark.parametrize("text", [
    'default_region = "UA"', 'reporting_zone = "Europe/Kyiv"', 'topic_prefix = "x."',
])
def test_what_needs_an_empty_home_is_refused_with_all_the_rest(folder: Path, text: str) -> None:
    file = folder / "new.toml"
    file.write_text(f'session_gap = "45m"\n{text}\n')
    with pytest.raises(OneThreadError, match="empty home"):
        run("check", str(file))


def test_a_setting_that_cannot_be_is_told(folder: Path) -> None:
    file = folder / "new.toml"
    file.write_text('session_gap = "soon"\n')
    with pytest.raises(UsageError, match="session_gap"):
        run("check", str(file))
    with pytest.raises(UsageError, match="no such file"):
        run("check", str(folder / "none.toml"))


def test_every_setting_that_shapes_facts_has_its_rule() -> None:
    from cli.config import GROWS, NEW_HOME, REACHES_HISTORY

    assert SHAPING | {"pepper"} == REACHES_HISTORY | NEW_HOME | GROWS


def test_partitions_only_become_more(folder: Path) -> None:
    file = folder / "new.toml"
    file.write_text("partitions = 8\n")
    assert run("check", str(file)).splitlines()[1:] == ["to apply: partitions 4 → 8"]
    file.write_text("partitions = 3\n")
    with pytest.raises(OneThreadError, match="expected more than 4; came 3"):
        run("check", str(file))
