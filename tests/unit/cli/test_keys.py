"""The verbs `keys` and `channels`: what is made, what is refused, and that a key is printed once."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import channels
from cli.main import app
from connectors.collector import keys
from streams.errors import UsageError
from streams.settings import load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path))
    return tmp_path


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_key_is_printed_once_and_listed_without_it(folder: Path) -> None:
    text = run("keys", "add", "shop", "--channel", "web", "--channel", "app", "--origin", "https://shop.example.com",
               "--rate", "50", "--secret", "hmac=env:SHOP_SECRET").strip()
    key = keys.Keys(folder).find(text)
    assert key is not None
    assert (key.channels, key.origins, key.rate) == (("web", "app"), ("https://shop.example.com",), 50.0)
    assert key.secrets == {"hmac": "env:SHOP_SECRET"}
    shown = run("keys", "list", "--json")
    assert text not in shown
    assert [row["id"] for row in json.loads(shown)] == [key.id]
    assert key.id in run("keys", "list")
    assert run("keys", "drop", key.id) == f"dropped {key.id} of shop\n"
    assert run("keys", "list") == "no keys\n"


def test_a_key_for_reading_has_no_channel(folder: Path) -> None:
    text = run("keys", "add", "till", "--read").strip()
    found = keys.Keys(folder).find(text)
    assert found is not None
    assert found.scope == "read"


@pytest.mark.parametrize("words", [
    ["shop"], ["shop", "--channel", "web", "--read"], ["shop", "--channel", "nowhere"], ["A Shop", "--channel", "web"],
    ["shop", "--channel", "web", "--origin", "shop.example.com"], ["shop", "--channel", "web", "--secret", "s3cret"],
])
def test_a_wrong_key_is_not_made(folder: Path, words: list[str]) -> None:
    with pytest.raises(UsageError):
        run("keys", "add", *words)
    assert not (folder / keys.FILE).exists()


def test_a_channel_of_ones_own_is_a_row_of_the_settings(folder: Path) -> None:
    (folder / "onethread.toml").write_text('journey_gap = "20d"')
    assert "added vending" in run("channels", "add", "vending", "--family", "store")
    assert load(folder).channels == {"vending": "store"}
    assert load(folder).journey_gap_ms == 20 * 86_400_000
    assert run("channels", "add", "vending", "--family", "store") == "vending is there already\n"
    assert run("channels", "add", "web", "--family", "online") == "web is there already\n"
    assert {"channel": "vending", "family": "store", "own": True} in json.loads(run("channels", "list", "--json"))
    assert "vending" in run("channels", "list")
    run("keys", "add", "machines", "--channel", "vending")


@pytest.mark.parametrize("words", [("vending", "garden"), ("Vending Machine", "store"), ("web", "store")])
def test_a_wrong_channel_leaves_the_settings_alone(folder: Path, words: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        run("channels", "add", words[0], "--family", words[1])
    assert not list(folder.glob("onethread.toml*"))


def test_settings_that_lie_elsewhere_are_not_written(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mine.toml"
    elsewhere.write_text("")
    (folder / "onethread.toml").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="add there"):
        run("channels", "add", "vending", "--family", "store")
    assert elsewhere.read_text() == ""


def test_with_a_running_stack_the_channel_is_made_and_what_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(channels.stack, "is_running", lambda _home: True)
    monkeypatch.setattr(channels, "_make", lambda _where, settings, name: made.append(f"{name}:{settings.channels}"))
    text = run("channels", "add", "vending", "--family", "store")
    assert made == ["vending:{'vending': 'store'}"]
    assert "`onethread down` and `onethread up`" in text


def test_a_rotated_key_is_good_until_the_overlap_is_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new one may what the old one might, from the first moment on."""
    first = run("keys", "add", "shop", "--channel", "web", "--rate", "50").strip()
    found = keys.Keys(folder)
    old = found.find(first)
    assert old is not None
    second = run("keys", "rotate", old.id, "--overlap", "1h").strip()
    new = found.find(second)
    assert new is not None
    assert (new.source, new.channels, new.rate, new.until) == ("shop", ("web",), 50.0, "")
    assert found.find(first) is not None
    assert {row["id"]: bool(row["until"]) for row in json.loads(run("keys", "list", "--json"))} == {
        old.id: True, new.id: False}
    now_s = keys.time.time()
    monkeypatch.setattr(keys.time, "time", lambda: now_s + 3601)
    assert (found.find(first), found.of_id(old.id), found.of_source("shop")) == (None, None, [new])


def test_a_key_is_rotated_once(folder: Path) -> None:
    run("keys", "add", "shop", "--channel", "web")
    (old,) = keys.Keys(folder).all()
    run("keys", "rotate", old.id)
    with pytest.raises(UsageError, match="was rotated already: it is good until"):
        keys.rotate(folder, old.id, 60)
    with pytest.raises(UsageError, match="no such key"):
        keys.rotate(folder, "ffff", 60)
