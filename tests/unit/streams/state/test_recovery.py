"""What a recovery waits for before it reads the changelog."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from yarl import URL

from streams.state import recovery
from streams.state.recovery import Recovery


class Consumer:
    def assignment(self) -> set[TP]:
        return {TP("identity", 0), TP("changelog", 0)}

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 5)


def test_recovery_waits_for_the_inputs_offsets_then_for_the_changelog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paused owner's transaction may carry offsets before its changelog records are with the broker."""
    waited: list[Any] = []
    monkeypatch.setattr(recovery, "committed_offsets", lambda *asked: waited.append(asked))
    monkeypatch.setattr(recovery, "wait_until_settled", lambda *asked: waited.append(asked))
    transport = SimpleNamespace(url=[URL("batching://127.0.0.1:9")], default_port=9092)
    app: Any = SimpleNamespace(transport=transport, conf=SimpleNamespace(id="onethread"))
    subject = Recovery.__new__(Recovery)
    subject.app = app
    subject.log = logging.getLogger("test")
    highwaters: dict[TP, int] = {}
    asyncio.run(subject._build_highwaters(Consumer(), {TP("changelog", 0)}, highwaters, "active"))
    assert waited == [
        ("127.0.0.1:9", "onethread", {TP("identity", 0)}),
        ("127.0.0.1:9", {TP("changelog", 0)}),
    ]
    assert highwaters == {TP("changelog", 0): 4}
