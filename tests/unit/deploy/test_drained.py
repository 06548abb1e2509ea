"""Settling begins at the collector: what it had accepted before the call must have left its spool."""

from typing import Any

import pytest

from deploy.local import settle


def test_what_was_accepted_before_the_call_is_waited_for_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = [None, (7, 5), (9, 6), (12, 8)]
    waited: list[int] = []
    monkeypatch.setattr(settle, "POLL_S", 0)
    monkeypatch.setattr(settle, "spool", lambda _url: (
        dict(zip(("last", "first_waiting"), found, strict=True)) if (found := told.pop(0)) else None))
    assert settle.drained("http://collector", 5.0, lambda left: waited.append(left["collector"]))
    assert (waited, told) == ([3, 2], [])


def test_a_collector_that_does_not_answer_is_not_drained() -> None:
    assert not settle.drained("http://127.0.0.1:9", 0.0)
