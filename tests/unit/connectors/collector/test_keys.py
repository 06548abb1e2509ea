"""Keys: shown once, kept as hashes in a file for its owner only, at work and gone at once."""

from pathlib import Path

import pytest

from connectors.collector import keys
from connectors.collector.keys import Key, Keys
from streams.errors import OneThreadError, UsageError


def test_a_key_is_found_by_its_text_and_kept_without_it(tmp_path: Path) -> None:
    text, key = keys.add(tmp_path, "shop", channels=("web",), origins=("https://shop.example.com",))
    assert Keys(tmp_path).find(text) == key
    assert Keys(tmp_path).of_id(key.id) == key
    assert Keys(tmp_path).of_source("shop") == [key]
    file = tmp_path / keys.FILE
    assert text not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_new_key_works_at_once_and_a_dropped_one_no_longer(tmp_path: Path) -> None:
    found = Keys(tmp_path)
    assert found.find("anything") is None
    text, key = keys.add(tmp_path, "shop", channels=("web",))
    assert found.find(text) == key
    more = keys.add(tmp_path, "till", channels=("pos",))[1]
    assert found.of_source("till") == [more]
    last = keys.add(tmp_path, "mail", channels=("email",))[1]
    assert found.of_id(last.id) == last
    assert keys.drop(tmp_path, key.id) == key
    found.look_again()
    assert found.find(text) is None


def test_no_key_is_shown_by_nothing_or_by_a_hash(tmp_path: Path) -> None:
    _, key = keys.add(tmp_path, "shop", channels=("web",))
    assert [Keys(tmp_path).find(text) for text in ("", key.hash, key.id)] == [None, None, None]


def test_dropping_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such key"):
        keys.drop(tmp_path, "abc")


def test_a_file_that_is_not_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / keys.FILE).write_text('{"a": 1}')
    with pytest.raises(OneThreadError, match="keys add"):
        Keys(tmp_path).all()


def test_a_file_that_somebody_spoils_leaves_the_keys_that_were_read(tmp_path: Path) -> None:
    text, key = keys.add(tmp_path, "shop", channels=("web",))
    found = Keys(tmp_path)
    assert found.find(text) == key
    (tmp_path / keys.FILE).write_text("[{")
    found.look_again()
    assert found.find(text) == key


def test_the_local_key_is_made_once_and_again_when_it_was_dropped(tmp_path: Path) -> None:
    first = keys.local(tmp_path)
    assert keys.local(tmp_path) == first
    assert (tmp_path / keys.LOCAL_FILE).stat().st_mode & 0o777 == 0o600
    made = Keys(tmp_path).find(first)
    assert made is not None
    keys.drop(tmp_path, made.id)
    assert keys.local(tmp_path) != first


def test_a_secret_is_where_its_reference_leads(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    key = Key("h", "shop", secrets={
        "app": "env:APP_SECRET", "file": f"file:{tmp_path}/secret", "gone": f"file:{tmp_path}/gone",
        "bad": "APP_SECRET",
    })
    environ = {"APP_SECRET": "from the environment"}
    assert [key.secret(name, environ) for name in ("app", "file", "gone", "bad", "none")] == [
        "from the environment", "from a file", None, None, None,
    ]
