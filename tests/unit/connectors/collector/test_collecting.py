"""Requests that come together share a flush of the disk, and each answers for itself."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from connectors.collector.collecting import Gathered
from connectors.spool import Spooled, SpoolFull
from tests.unit.connectors.collector.conftest import Site
from tests.unit.streams.core.records import told


def gathered(site: Site, *names: str) -> Gathered:
    key = site.collector.keys.find(site.key)
    assert key is not None
    made = site.collector.gather(key)
    for name in names:
        made.event(told(event_id=name))
    return made


@pytest.fixture
def appends(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How many records each append had; an exception put in front is raised by the next one."""
    found: list[Any] = []
    append = site.spool.append

    def counted(records: Sequence[Spooled]) -> int:
        if found and isinstance(found[0], Exception):
            raise found.pop(0)
        found.append(len(records))
        return append(records)

    monkeypatch.setattr(site.spool, "append", counted)
    return found


def names(site: Site) -> list[str]:
    return [record["event_id"] for _, record in site.kept()]


def test_what_comes_during_a_flush_goes_with_the_next_in_order(site: Site, appends: list[Any]) -> None:
    async def several() -> None:
        await asyncio.gather(*(site.collector.keep(gathered(site, f"a{n}", f"b{n}")) for n in range(20)))
        await site.collector.keep(gathered(site))

    asyncio.run(several())
    assert sum(appends) == 40
    assert len(appends) <= 3
    assert names(site) == [f"{letter}{n}" for n in range(20) for letter in "ab"]


@pytest.mark.parametrize("error", [SpoolFull("no room"), OSError("the disk is gone")])
def test_an_append_that_fails_fails_its_requests_and_no_later_one(
    site: Site, appends: list[Any], error: Exception,
) -> None:
    async def two() -> list[BaseException | None]:
        appends.append(error)
        first = await asyncio.gather(site.collector.keep(gathered(site, "lost")), return_exceptions=True)
        return first + await asyncio.gather(site.collector.keep(gathered(site, "kept")), return_exceptions=True)

    assert asyncio.run(two()) == [error, None]
    assert names(site) == ["kept"]


def test_a_client_that_goes_away_takes_nothing_with_it(site: Site, appends: list[Any]) -> None:
    async def gone() -> None:
        task = asyncio.create_task(site.collector.keep(gathered(site, "kept")))
        await asyncio.sleep(0)
        task.cancel()
        await site.collector.keep(gathered(site, "after"))

    asyncio.run(gone())
    assert names(site) == ["kept", "after"]


@pytest.mark.parametrize("event", [
    told(event_id="\ud800"), told(channel="\ud800"), told(**{"\ud800": 1}), told(identifiers=[{"kind": "\ud800"}]),
])
def test_whatever_a_mapping_makes_is_kept_where_it_is_refused(site: Site, event: dict[str, Any]) -> None:
    made = gathered(site)
    made.event(event)
    asyncio.run(site.collector.keep(made))
    (_, raw), = site.letters()
    assert raw
