"""Where workers answer: those of the home, those of the environment, all addresses of a name."""

from pathlib import Path

import pytest

from deploy.local import records, workers
from deploy.local.ports import Addresses
from deploy.local.records import Record
from streams.errors import UsageError
from streams.worker import number


def test_workers_of_the_home_are_those_that_its_supervisor_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ONETHREAD_WORKERS", raising=False)
    for name in ("worker-0", "kafka"):
        records.write(tmp_path, Record(name, "running", "127.0.0.1:7"))
    assert workers.urls(Addresses(tmp_path)) == ["http://127.0.0.1:7"]
    assert not workers.are_outside()


@pytest.mark.parametrize(("told", "found"), [
    ("http://a:1, http://b:2/", ["http://a:1", "http://b:2"]),
    ("dns+http://127.0.0.1:5", ["http://127.0.0.1:5"]),
    ("dns+http://nobody.invalid:5", []),
    ("", []),
])
def test_the_environment_names_workers_or_a_name_of_all(
    told: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONETHREAD_WORKERS", told)
    assert workers.urls(Addresses(tmp_path)) == found
    assert workers.are_outside()


def test_a_name_without_a_port_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETHREAD_WORKERS", "dns+http://workers")
    with pytest.raises(UsageError, match="expected dns"):
        workers.urls(Addresses(tmp_path))


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("12", 12), ("onethread-worker-3", 3)])
def test_a_worker_knows_its_number_from_the_name_that_an_orchestrator_gave_it(text: str, expected: int) -> None:
    assert number(text) == expected


@pytest.mark.parametrize("text", ["", "worker", "worker-", "worker-x"])
def test_a_name_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ONETHREAD_WORKER"):
        number(text)
