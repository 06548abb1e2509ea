"""The verb `load`: all of a file or nothing, and what it says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import load
from cli.main import app
from streams.errors import OneThreadError, UsageError


class Loader:
    sent: list[tuple[bytes, dict[str, Any]]]

    def __init__(self, *arguments: Any) -> None:
        Loader.sent = []
        self.name = arguments[3]

    def __enter__(self) -> "Loader":
        return self

    def __exit__(self, *_: object) -> None: ...

    def send(self, key: bytes, record: dict[str, Any]) -> None:
        self.sent.append((key, record))


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    addresses = SimpleNamespace(kafka_bootstrap="kafka:1", registry_url="http://registry", home=tmp_path)
    monkeypatch.setattr(load, "find", lambda: addresses)
    monkeypatch.setattr(load, "Loader", Loader)
    Loader.sent = []


def run(name: str, file: Path) -> Any:
    return CliRunner().invoke(app, ["load", name, str(file)])


def test_it_loads_every_record_and_tells_how_many_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("store_id,city\nS1,Kyiv\nS2,Lviv\n")
    result = run("stores", file)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "loaded 2 stores\n")
    assert [key for key, _ in Loader.sent] == [b'["S1"]', b'["S2"]']


def test_one_wrong_line_and_nothing_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("day,currency,rate\n2026-03-01,UAH,0.02\n" + "2026-03-01,UAH,x\n" * 21)
    result = run("rates", file)
    assert isinstance(result.exception, OneThreadError)
    told = str(result.exception).splitlines()
    assert told[0] == "nothing was loaded: 21 of 22 records are wrong"
    assert told[1].startswith(f"{file}:3: rate: expected a decimal text above 0")
    assert (told[-1], len(told), Loader.sent) == ("… and 1 more", 22, [])


def test_another_name_and_a_file_that_is_not_there_are_wrong_usage(tmp_path: Path) -> None:
    assert isinstance(run("shops", tmp_path).exception, UsageError)
    assert isinstance(run("stores", tmp_path / "none.csv").exception, UsageError)
