"""The verb `emit`: what it says and how it exits."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import emit
from cli.main import app
from streams.errors import UsageError


class Emitter:
    def __init__(self, *_: Any) -> None:
        self.sent = 0
        self.refused: Counter[str] = Counter()
        self.lines: list[tuple[bytes, str]] = []

    def __enter__(self) -> "Emitter":
        return self

    def __exit__(self, *_: object) -> None: ...

    def send(self, line: bytes, source: str) -> None:
        self.lines.append((line, source))
        if line == b"bad\n":
            self.refused["bad_json"] += 1
        else:
            self.sent += 1


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    addresses = SimpleNamespace(kafka_bootstrap="kafka:1", registry_url="http://registry", home=tmp_path)
    monkeypatch.setattr(emit, "find", lambda: addresses)
    monkeypatch.setattr(emit, "Emitter", Emitter)
    monkeypatch.setattr(emit, "policy_in_force", lambda *_: SimpleNamespace(policy=None))


def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["emit", *arguments], input=given)
    return result.exit_code, result.stdout, result.stderr


def test_it_tells_what_was_sent_and_refused_on_stderr() -> None:
    assert run("-", given="a\nbad\nb\n") == (0, "", "sent 2, refused 1\n  bad_json 1\n")


def test_strict_exits_with_1_when_anything_was_refused() -> None:
    assert run("-", "--strict", given="a\nbad\n")[0] == 1
    assert run("-", "--strict", given="a\n")[0] == 0


def test_several_files_are_sent_in_turn(tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for file in files:
        file.write_text("x\ny\n")
    assert run(*map(str, files)) == (0, "", "sent 4, refused 0\n")


def test_a_file_that_is_not_there_is_wrong_usage_and_nothing_is_sent(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["emit", "-", str(tmp_path / "none.jsonl")], input="a\n")
    assert isinstance(result.exception, UsageError)
