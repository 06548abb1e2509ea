"""A spool: durable when append returns, in order, bounded, one owner, empty when emptied."""

import sqlite3
from pathlib import Path

import pytest

from connectors.spool import Depth, Spool, Spooled, SpoolFull
from schemas.records import CHANNEL_EVENT, DEAD_LETTER, Record
from streams.errors import OneThreadError


def named(*values: str, record: Record = CHANNEL_EVENT) -> list[Spooled]:
    return [Spooled("events.web", b"key", value.encode(), record) for value in values]


def values(spool: Spool, after: int = 0, count: int = 100) -> list[str]:
    return [waiting.spooled.value.decode() for waiting in spool.read(after, count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "spool.db"


def test_records_come_back_in_order_with_their_schema_after_a_restart(path: Path) -> None:
    spool = Spool(path)
    assert spool.append(named("a", "b")) == 2
    assert spool.append(named("c", record=DEAD_LETTER)) == 3
    spool.close()
    again = Spool(path)
    assert [(w.number, w.spooled) for w in again.read(0, 10)] == [
        (1, named("a")[0]), (2, named("b")[0]), (3, named("c", record=DEAD_LETTER)[0]),
    ]
    assert (again.last, again.first, again.depth.records) == (3, 1, 3)


def test_what_is_dropped_is_gone_and_numbers_go_on(path: Path) -> None:
    spool = Spool(path)
    spool.append(named("a", "b", "c"))
    spool.drop(2)
    assert (values(spool), spool.first) == (["c"], 3)
    spool.drop(3)
    assert spool.depth == Depth(0, 0, None)
    spool.close()
    again = Spool(path)
    assert (again.last, again.first, again.append(named("d"))) == (3, 4, 4)


def test_a_read_takes_as_many_as_fit_and_at_least_one(path: Path) -> None:
    spool = Spool(path)
    spool.append(named("aaa", "bbb", "ccc", "ddd"))
    assert values(spool, 0, 2) == ["aaa", "bbb"]
    assert [w.spooled.value for w in spool.read(1, 10, bytes_max=6)] == [b"bbb", b"ccc"]
    assert [w.spooled.value for w in spool.read(1, 10, bytes_max=1)] == [b"bbb"]


def test_a_full_spool_takes_all_of_an_append_or_nothing(path: Path) -> None:
    spool = Spool(path, bytes_max=300)
    spool.append(named("a" * 100))
    with pytest.raises(SpoolFull):
        spool.append(named("b", "c" * 300))
    assert values(spool) == ["a" * 100]
    spool.drop(1)
    spool.append(named("b"))
    assert values(spool) == ["b"]


def test_some_of_the_disk_stays_free_so_that_a_spool_can_be_emptied(path: Path) -> None:
    spool = Spool(path)
    assert not spool.is_full
    spool.disk_reserved = spool.disk_free() + (1 << 30)
    assert spool.is_full
    with pytest.raises(SpoolFull, match="stay free"):
        spool.append(named("a"))
    spool.disk_reserved = 0
    spool.append(named("a"))
    spool.disk_reserved = spool.disk_free() + (1 << 30)
    spool.drop(1)
    assert spool.depth.records == 0


def test_the_limit_is_what_the_disk_has_room_for(path: Path) -> None:
    spool = Spool(path, bytes_max=1_000)
    spool.append(named("a"))
    assert spool.limit == 1_000
    spool.disk_reserved = spool.disk_free() + (1 << 30)
    assert spool.limit == spool.depth.bytes > 0


def test_a_disk_without_room_is_a_full_spool_that_recovers(path: Path) -> None:
    spool = Spool(path)
    pages = spool._writer.execute("PRAGMA page_count").fetchone()[0]
    spool._writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(SpoolFull, match="disk is full"):
        spool.append(named(*("x" * 1000 for _ in range(100))))
    assert (spool.depth.records, spool.last) == (0, 0)
    spool._writer.execute("PRAGMA max_page_count=100000")
    assert spool.append(named("a")) == 1
    assert values(spool) == ["a"]


def test_one_process_at_a_time(path: Path) -> None:
    spool = Spool(path)
    with pytest.raises(OneThreadError, match="in use"):
        Spool(path)
    spool.close()
    Spool(path).close()


def test_a_file_that_is_no_spool_is_told_and_not_locked(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, for more bytes than a header has" * 100)
    for _ in range(2):
        with pytest.raises(OneThreadError, match="cannot be opened"):
            Spool(path)


def test_an_emptied_spool_holds_nothing_of_what_went_through(path: Path) -> None:
    spool = Spool(path)
    spool.append(named(*(f"a.person{n}@example.com" + "x" * 3000 for n in range(200))))
    spool.drop(200)
    spool.tidy()
    assert all(b"a.person" not in file.read_bytes() for file in path.parent.iterdir())
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 100_000


def test_appended_is_what_another_reader_of_the_file_sees(path: Path) -> None:
    """What a crash leaves: the file as it is on disk, with nobody to close it."""
    spool = Spool(path)
    spool.append(named("a"))
    other = sqlite3.connect(path)
    assert other.execute("SELECT value FROM records").fetchall() == [(b"a",)]
    assert spool._writer.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: the log is flushed at every commit
