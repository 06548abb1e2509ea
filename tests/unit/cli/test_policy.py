"""The verb `policy`: what is told of a file, and what `apply` refuses, before anything is sent."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import policy as verb
from cli.main import app
from streams.core.commands import InForce
from streams.core.dry_run import Persons, compare
from streams.core.policy import default, default_text
from streams.core.rereading import Counts
from streams.errors import OneThreadError
from streams.settings import Settings

OTHER = default_text().replace("plus_tags = []", 'plus_tags = ["gmail.com"]')


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Documents sent; a stack under the product's policy with three identifiers stands behind."""
    documents: list[str] = []
    held = [("email", "a+x@gmail.com"), ("email", "b@gmail.com"), ("phone", "+380671234567")]

    def holding(_: Any, kinds: frozenset[str]) -> Iterator[tuple[str, str]]:
        return (x for x in held if x[0] in kinds)

    def send(*_: Any, document: str, **__: Any) -> tuple[str, int]:
        documents.append(document)
        return "id", 0

    monkeypatch.setattr(verb, "_stack", lambda: (SimpleNamespace(
        kafka_bootstrap="", registry_url="", clickhouse_url=""), Settings()))
    monkeypatch.setattr(verb, "_in_force", lambda *_: InForce(0, default_text(), default()))
    monkeypatch.setattr(verb, "_check_kinds", lambda *_: len(held))
    monkeypatch.setattr(verb, "_held", holding)
    monkeypatch.setattr(verb.commands, "send", send)
    monkeypatch.setattr(verb.migrations, "show_policy", lambda *_: None)
    return documents


def run(*arguments: str, stdin: str = "", code: int = 0) -> str:
    result = CliRunner().invoke(app, ["policy", *arguments], input=stdin, catch_exceptions=False)
    assert result.exit_code == code
    return result.stdout


def test_a_policy_that_reads_otherwise_what_is_held_is_refused(sent: list[str]) -> None:
    with pytest.raises(OneThreadError, match=r"email 1 would be another value.*--keep-values") as error:
        run("apply", "-", "--no-wait", stdin=OTHER)
    assert "gmail" not in str(error.value)
    assert sent == []


def test_it_is_applied_where_held_values_may_stay(sent: list[str]) -> None:
    assert "is on its way" in run("apply", "-", "--no-wait", "--keep-values", stdin=OTHER)
    assert sent == [OTHER]


def test_a_policy_that_reads_alike_is_applied_without_a_question(sent: list[str]) -> None:
    text = default_text().replace("threshold = 0.95", "threshold = 0.9")
    run("apply", "-", "--no-wait", stdin=text)
    assert sent == [text]


def test_what_is_read_otherwise_is_a_difference(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    same = Persons({("email", "a+x@gmail.com"): bytes(16)})
    monkeypatch.setattr(verb, "_difference", lambda *_: (compare(same, same), Counts({"email": 1}, {"phone": 2})))
    told = run("diff", "-", stdin=OTHER, code=3).splitlines()
    assert told == [
        "held, but read otherwise: email 1 would be another value, or refused",
        "held, but read otherwise: phone 2 may have come as several values",
        "no differences in persons: 1 as before",
    ]
    assert '"read_otherwise": {' in run("diff", "-", "--json", stdin=OTHER, code=3)
    assert sent == []


def test_a_name_that_is_a_kind_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(default_text().replace("whatsapp    =", "email =", 1))
    number = file.read_text().splitlines().index('email = "phone"') + 1
    with pytest.raises(OneThreadError, match=f"line {number}: aliases.email: expected another name"):
        run("check", str(file))
