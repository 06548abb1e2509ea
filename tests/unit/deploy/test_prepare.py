"""What `python -m deploy.prepare` refuses before it touches anything."""

from pathlib import Path

import pytest

from deploy import prepare
from deploy.local import home
from deploy.local.ports import Addresses
from streams.errors import OneThreadError, UsageError
from streams.settings import load


def test_without_a_pepper_nothing_is_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONETHREAD_PEPPER", raising=False)
    with pytest.raises(UsageError, match="pepper"):
        prepare.checked(Addresses(tmp_path))


def test_what_up_refuses_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETHREAD_PEPPER", "0" * 64)
    home.remember(tmp_path, load(tmp_path))
    assert prepare.checked(Addresses(tmp_path)).partitions == 4
    monkeypatch.setenv("ONETHREAD_SESSION_GAP", "45m")
    with pytest.raises(OneThreadError, match="session_gap"):
        prepare.checked(Addresses(tmp_path))


def test_the_pepper_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("pepper of a file\n")
    found = load(tmp_path, {"ONETHREAD_PEPPER_FILE": str(tmp_path / "secret")})
    assert found.pepper.get_secret_value() == b"pepper of a file"


def test_services_that_do_not_answer_are_named(tmp_path: Path) -> None:
    nowhere = Addresses(tmp_path, 21390, (("KAFKA", "127.0.0.1:1"), ("REGISTRY", "http://127.0.0.1:1"),
                                          ("CLICKHOUSE", "http://127.0.0.1:1")))
    with pytest.raises(OneThreadError, match=r"Kafka at .*registry at .*ClickHouse at"):
        prepare.await_services(nowhere, load(tmp_path, {}), 0)
