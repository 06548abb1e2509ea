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
        asyncio.run(fuzz(site, Maker(1, site.write_key, site.read_key), 0, 300, tally, memory))
        assert verdict(site, tally, memory[-1:]) == []
        assert len(tally.wanted) > 100
    finally:
        site.stop()
