"""A home refuses what would mix facts of two shapes, and gives up only what is its own."""

import json
import stat
from pathlib import Path

import pytest

from deploy.local import home
from streams.errors import OneThreadError, UsageError
from streams.settings import Settings, load


def test_the_same_settings_may_start_again(tmp_path: Path) -> None:
    home.check(tmp_path, Settings())
    home.remember(tmp_path, Settings())
    home.check(tmp_path, Settings(as_of="2026-02-01", new_days=10))


@pytest.mark.parametrize(("key", "value"), [("session_gap", "45m"), ("partitions", 8), ("pepper", b"other")])
def test_a_changed_setting_that_shapes_facts_is_refused_by_name(tmp_path: Path, key: str, value: object) -> None:
    home.remember(tmp_path, Settings())
    with pytest.raises(OneThreadError, match=rf"(?s)config apply.*{key}"):
        home.check(tmp_path, Settings(**{key: value}))  # type: ignore[arg-type]


def test_a_changed_duration_is_told_as_it_is_written(tmp_path: Path) -> None:
    home.remember(tmp_path, Settings())
    with pytest.raises(OneThreadError, match="session_gap 30m at the last start, now session_gap 45m"):
        home.check(tmp_path, Settings(session_gap="45m"))  # type: ignore[call-arg]


def test_a_settings_file_from_elsewhere_is_remembered_and_given_back(tmp_path: Path) -> None:
    file, folder = tmp_path / "shop.toml", tmp_path / "home"
    file.write_text("new_days = 30")
    home.use_settings(folder, file)
    assert load(folder, {}).new_days == 30
    file.write_text("new_days = 31")
    home.use_settings(folder, file)
    assert load(folder, {}).new_days == 31
    home.wipe(folder)
    assert file.exists()
    assert not folder.exists()


@pytest.mark.parametrize(("text", "message"), [
    (None, "no such file"), ("new_days = -1", "setting new_days"),
])
def test_a_settings_file_that_cannot_be_used_is_not_remembered(
    tmp_path: Path, text: str | None, message: str,
) -> None:
    if text is not None:
        (tmp_path / "shop.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        home.use_settings(tmp_path / "home", tmp_path / "shop.toml")
    assert not (tmp_path / "home").exists()


def test_a_homes_own_settings_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text("new_days = 30")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "onethread.toml").write_text("new_days = 31")
    with pytest.raises(UsageError, match="is there already"):
        home.use_settings(tmp_path / "home", tmp_path / "shop.toml")
    assert load(tmp_path / "home", {}).new_days == 31


def test_a_home_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text(json.dumps({"layout": home.LAYOUT + 1, "shaping": {}}))
    with pytest.raises(OneThreadError, match="newer onethread"):
        home.check(tmp_path, Settings())


def test_the_pepper_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    home.make_pepper(tmp_path)
    first = (tmp_path / "pepper").read_text()
    home.make_pepper(tmp_path)
    assert (tmp_path / "pepper").read_text() == first
    assert len(first.strip()) == 64
    assert stat.S_IMODE((tmp_path / "pepper").stat().st_mode) == 0o600


def test_an_empty_pepper_is_made_anew(tmp_path: Path) -> None:
    """A start that was killed, or met a full disk, may have left one; it would key nothing."""
    (tmp_path / "pepper").touch()
    home.make_pepper(tmp_path)
    assert len((tmp_path / "pepper").read_text().strip()) == 64


def test_the_pepper_itself_is_not_remembered(tmp_path: Path) -> None:
    home.remember(tmp_path, Settings(pepper=b"secret-of-the-deployment"))  # type: ignore[arg-type]
    assert "secret" not in (tmp_path / "home.json").read_text()


def test_wipe_leaves_what_the_user_put_there(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    (folder / "kafka").mkdir(parents=True)
    (folder / "imports").mkdir()
    (folder / "pepper").touch()
    (folder / "onethread.toml").write_text("new_days = 30")
    home.wipe(folder)
    assert [path.name for path in folder.iterdir()] == ["onethread.toml"]


def test_wipe_removes_a_home_that_was_only_ours(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    (folder / "run").mkdir(parents=True)
    home.wipe(folder)
    assert not folder.exists()
