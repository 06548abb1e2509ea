"""What is told of the stack as a whole, by one process."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import exporting, status
from deploy.local.exporting import Exporter, tell_books, tell_parts
from deploy.local.ports import HOST, Addresses
from deploy.local.records import Record
from streams import metrics
from streams.settings import Settings
from tests.conftest import free_base

BOOKS = {
    "in": "9", "touchpoints": "4", "duplicates": "3", "dead_letters": "2", "unidentifiable": "0", "erased": "0",
    "suppressed": "0", "difference": "0", "conflicting_duplicates": "1", "as_of": "1970-01-01T00:01:00.500Z",
}
IDENTITY = {"shared": "5", "contested": "6", "pending_links": "7"}


def told(name: str, **labels: str) -> float | None:
    return metrics.SUPERVISOR.get_sample_value(f"onethread_{name}", labels)


def test_a_part_is_up_only_while_it_runs() -> None:
    tell_parts([Record("worker-0", "running", restarts=2), Record("kafka", "not answering")])
    assert (told("part_up", part="worker-0"), told("part_restarts", part="worker-0")) == (1, 2)
    assert told("part_up", part="kafka") == 0


def test_a_part_that_is_no_more_is_not_told_of() -> None:
    before = tell_parts([Record("worker-7", "running"), Record("kafka", "running")])
    assert tell_parts([Record("kafka", "running")], before) == {"kafka"}
    assert (told("part_up", part="worker-7"), told("part_restarts", part="worker-7")) == (None, None)


def test_the_books_are_told_entry_by_entry() -> None:
    tell_books(BOOKS, IDENTITY)
    assert {entry: told("books", entry=entry) for entry in status.BOOKS} == {
        entry: float(BOOKS[entry]) for entry in status.BOOKS
    }
    assert (told("conflicting_duplicates"), told("as_of_seconds")) == (1, 60.5)
    assert (told("shared_identifiers"), told("identifiers_contested"), told("pending_links")) == (5, 6, 7)


def test_what_cannot_be_read_stays_as_it_was_and_is_not_called_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: dict[str, Any] = {"books": BOOKS, "identity": IDENTITY}
    monkeypatch.setattr(status, "books", lambda _: found["books"])
    monkeypatch.setattr(status, "identity", lambda _: found["identity"])
    exporter = Exporter(Addresses(tmp_path, free_base()), Settings())
    exporter.read_books()
    read_at = told("books_read_seconds")
    found["books"] = None
    exporter.read_books()
    assert told("books_read_seconds") == read_at
    assert told("books", entry="in") == 9


def test_it_answers_and_a_question_that_fails_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fails(*_: Any) -> None:
        asked.append("once more")
        raise RuntimeError

    monkeypatch.setattr(status, "parts", fails)
    monkeypatch.setattr(status, "books", fails)
    monkeypatch.setattr(exporting, "PARTS_S", 0.01)
    addresses = Addresses(tmp_path, free_base())
    exporter = Exporter(addresses, Settings())
    exporter.start()
    try:
        found = httpx.get(f"http://{HOST}:{addresses.portal}/metrics", trust_env=False)
        while len(asked) < 3:
            time.sleep(0.01)
    finally:
        exporter.stop()
    assert found.status_code == 200
    assert 'onethread_build_info{version="' in found.text
    assert "onethread_worker_ready" not in found.text, "each process shows its own alone"
