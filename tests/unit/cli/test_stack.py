"""What the verbs say about the stack they talk to."""

from pathlib import Path

import pytest

from cli import stack
from deploy.local.ports import Addresses


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stack.shutil, "which", lambda _: "/usr/bin/onethread")
    return tmp_path


def test_the_default_stack_of_this_folder_needs_no_words(here: Path) -> None:
    assert stack.exports(Addresses(here / ".onethread")) == []


def test_another_home_and_base_are_told_to_the_shell(here: Path) -> None:
    found = stack.exports(Addresses(here / "my home", 24000))
    assert found == [f"export ONETHREAD_HOME='{here / 'my home'}'", "export ONETHREAD_PORT_BASE=24000"]


def test_a_command_that_is_not_on_the_path_is_put_there(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    """After `make demo` on a fresh machine the command is in .venv/bin only."""
    (here / "onethread").touch()
    monkeypatch.setattr(stack.shutil, "which", lambda _: None)
    monkeypatch.setattr(stack.sys, "executable", str(here / "python"))
    assert stack.exports(Addresses(here / ".onethread")) == [f"export PATH={here}:$PATH"]
