"""A few hundred requests of all kinds, as `make fuzz` sends them by the ten thousand."""

import asyncio
from pathlib import Path

from tests.conftest import free_base
from tests.fuzz.requests import Maker
from tests.fuzz.run import Site, Tally, fuzz, verdict


def test_the_collector_answers_and_keeps_whatever_comes(tmp_path: Path) -> None:
    site = Site(tmp_path, free_base())
    tally, memory = Tally(), [site.memory()]
    try:
        asyncio.run(fuzz(site, Maker(1, site.access), 0, 300, tally, memory))
        assert verdict(site, tally, memory) == []
        assert len(tally.wanted) > 100
        assert min(tally.told["hook"], tally.told["letter"]) > 0
        assert {tally.statuses["ask", status] > 0 for status in (200, 404)} == {True}
    finally:
        site.stop()
