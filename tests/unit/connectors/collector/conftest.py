"""A collector without threads or Kafka: its application, called in the process; its spool, read back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors import segment
from connectors.checking import Checker
from connectors.collector import keys
from connectors.collector.app import create_app
from connectors.collector.collecting import Collector
from connectors.collector.keys import Keys
from connectors.spool import Spool
from schemas.records import DEAD_LETTER
from streams.core.policy import default
from streams.settings import Settings
from streams.topics import Topics


class Site:
    """A source with a key, what it sends, and what is kept of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.spool = Spool(home / "spool.db")
        self.collector = Collector(Checker(Settings(), default()), segment.default(), Topics(), Keys(home), self.spool)
        self.client = TestClient(create_app(self.collector), raise_server_exceptions=False)
        self.key = self.add("shop", channels=("web",))

    def add(self, source: str, **fields: Any) -> str:
        text, _ = keys.add(self.home, source, **fields)
        self.collector.keys.look_again()
        return text

    def keys_dropped(self) -> None:
        """Take back every key there is."""
        for key in self.collector.keys.all():
            keys.drop(self.home, key.id)
        self.collector.keys.look_again()

    def post(self, path: str, body: Any = None, key: str | None = None, **given: Any) -> Any:
        auth = (self.key if key is None else key, "")
        given |= {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post(path, auth=auth if auth[0] else None, **given)

    def kept(self) -> list[tuple[str, Any]]:
        """(topic, record) of everything in the spool, in order."""
        return [(w.spooled.topic, w.spooled.record.decode(w.spooled.value)) for w in self.spool.read(0, 10_000)]

    def letters(self) -> list[tuple[str, bytes | None]]:
        """(reason, raw) of the dead letters in the spool."""
        return [(letter["reason"], letter["raw"]) for w in self.spool.read(0, 10_000)
                if w.spooled.record == DEAD_LETTER for letter in [DEAD_LETTER.decode(w.spooled.value)]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.spool.close()
