"""A store whose files are torn: never a state with a hole in it, and the changelog brings it back by itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from faust.types import TP

from streams import metrics
from streams.state.opening import is_torn
from streams.state.store import Store

CHANGELOG = "app-graph-changelog"
WRITES, WRITES_A_FILE = 3000, 500


def opened(path: Path) -> Store:
    store = object.__new__(Store)
    store._dbs, store._offsets_on_disk, store.deleted = {}, {}, set()
    store.partition_path = lambda partition: path
    store._db_for_partition(0)
    return store


def key(number: int) -> bytes:
    return b"k%06d" % number


KILLED = f"""
import os, sys
from pathlib import Path
from tests.unit.streams.state.test_torn_store import key, opened
store = opened(Path(sys.argv[1]))
store._dbs[0].set_options({{"disable_auto_compactions": "true"}})  # whose file, half written, would be the last one
for number in range({WRITES}):
    store.write(0, {{key(number): os.urandom(100)}}, (), number)
    if number % {WRITES_A_FILE} == {WRITES_A_FILE - 1} and number < {WRITES - 1}:
        store._dbs[0].flush()
os._exit(9)
"""


@pytest.fixture(scope="module")
def left_by_a_kill(tmp_path_factory):
    """What is on the disk when a worker is killed: five files flushed, and writes after them."""
    path = tmp_path_factory.mktemp("killed") / "graph-0.db"
    checkout = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False, cwd=checkout,
                          env={**os.environ, "PYTHONPATH": str(checkout)})
    assert done.returncode == 9
    return path


@pytest.fixture
def torn(left_by_a_kill, tmp_path):
    shutil.copytree(left_by_a_kill, tmp_path / "graph-0.db")
    return tmp_path / "graph-0.db"


def last(path: Path, pattern: str) -> Path:
    return sorted(path.glob(pattern))[-1]


def garble(path: Path) -> None:
    """As many bytes as before, some of them others: only reading them tells."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle:middle + 200] = os.urandom(200)
    path.write_bytes(content)


def removed() -> float:
    return metrics.WORKER.get_sample_value("onethread_state_removed_total", {"because": "torn"}) or 0.0


def assert_a_prefix(store: Store) -> None:
    """What the store holds is what was written up to its offset, and all of it."""
    offset = store.persisted_offset(TP(CHANGELOG, 0))
    held = [found for found, _ in store.scan(0, b"k")]
    assert held == [key(number) for number in range(0 if offset is None else offset + 1)]


@pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*", "CURRENT", "OPTIONS-*"])
def test_a_store_with_a_file_cut_off_anywhere_is_a_prefix_of_its_changelog(left_by_a_kill, tmp_path, pattern):
    """A manifest cut off leads to an older state; with a log of writes beside it there would be a hole in between."""
    size = len(last(left_by_a_kill, pattern).read_bytes())
    for number, cut in enumerate((0, size // 3, size * 2 // 3, size * 9 // 10, size - 1)):
        path = tmp_path / f"graph-{number}.db"
        shutil.copytree(left_by_a_kill, path)
        os.truncate(last(path, pattern), cut)
        store = opened(path)
        assert_a_prefix(store)
        store._close(0)


@pytest.mark.parametrize("pattern", ["*.sst", "MANIFEST-*", "CURRENT", "OPTIONS-*"])
def test_a_store_without_one_of_its_files_is_a_prefix_of_its_changelog(torn, pattern):
    last(torn, pattern).unlink()
    store = opened(torn)
    assert_a_prefix(store)
    store._close(0)


def test_a_store_that_does_not_open_is_removed_and_counted(torn):
    before = removed()
    os.truncate(last(torn, "*.sst"), 100)
    store = opened(torn)
    assert store.persisted_offset(TP(CHANGELOG, 0)) is None
    assert removed() == before + 1
    store._close(0)


@pytest.mark.parametrize("read", [
    lambda store: store.multi_get(0, [key(n) for n in range(WRITES)]),
    lambda store: store.scan(0, b"k"),
    lambda store: store.page(0, b"k", b"", WRITES),
], ids=["multi_get", "scan", "page"])
def test_a_torn_block_is_an_error_for_its_reader_and_the_next_opening_begins_anew(torn, read):
    """An iterator of RocksDB just ends there: keys would be missing without a word."""
    garble(last(torn, "*.sst"))
    store = opened(torn)
    with pytest.raises(Exception, match="Corruption"):
        read(store)
    store._close(0)
    again = opened(torn)
    assert again.persisted_offset(TP(CHANGELOG, 0)) is None
    again.write(0, {b"a": b"1"}, (), 7)
    again._close(0)
    later = opened(torn)
    assert later.multi_get(0, [b"a"]) == [b"1"], "removed once, not at every opening"
    later._close(0)


def test_a_torn_block_that_only_compaction_met_does_not_hinder_the_closing(torn):
    """RocksDB then refuses every write, the flush and the closing."""
    garble(last(torn, "*.sst"))
    store = opened(torn)
    store.compact(0)
    with pytest.raises(Exception, match="Corruption"):
        store._dbs[0].put(b"a", b"1")
    store._close(0)
    again = opened(torn)
    assert again.persisted_offset(TP(CHANGELOG, 0)) is None, "found in closing, removed at the opening"
    again._close(0)


@pytest.mark.parametrize(("said", "torn"), [
    ("Corruption: block checksum mismatch: stored(context removed) = 1, computed = 2, type = 4  in 9.sst", True),
    ("IO error: No such file or directory: While opening a file for sequentially reading: MANIFEST-000005", True),
    ("IO error: While appending to file: OPTIONS-000020.dbtmp: File too large", False),
    ("IO error: No space left on device: While appending to file: 000020.sst: No space left on device", False),
    ("IO error: lock hold by current process, acquire time 1: LOCK: No locks available", False),
    ("IO error: While lock file: LOCK: Resource temporarily unavailable", False),
])
def test_only_what_reading_cannot_mend_is_torn(said, torn):
    """A full disk or another owner passes; the store is as good as before."""
    assert is_torn(Exception(said)) is torn


def test_what_a_killed_worker_had_not_written_to_files_comes_from_the_changelog(torn):
    """The changelog is the log of writes: there is no second one."""
    store = opened(torn)
    assert store.persisted_offset(TP(CHANGELOG, 0)) == WRITES - WRITES_A_FILE - 1
    assert_a_prefix(store)
    store._close(0)


def test_a_store_that_was_closed_has_everything(tmp_path):
    store = opened(tmp_path / "graph-0.db")
    store.write(0, {b"a": b"1"}, (), 7)
    store._close(0)
    again = opened(tmp_path / "graph-0.db")
    assert again.multi_get(0, [b"a"]) == [b"1"]
    assert again.persisted_offset(TP(CHANGELOG, 0)) == 7
    again._close(0)
