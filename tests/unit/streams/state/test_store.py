"""The store: batches in, batches out, one atomic step with the changelog offset."""

from types import SimpleNamespace

import pytest
from faust.types import TP

from streams import clock
from streams.state import store as module
from streams.state.store import OFFSET_KEY, STORE_AGE_MS_MAX, TIME_KEY, Store, _after

CHANGELOG = "app-graph-changelog"


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def open_it(partitions=(0,)):
        store = object.__new__(Store)
        store._dbs, store._offsets_on_disk, store.deleted = {}, {}, set()
        store.partition_path = lambda partition: tmp_path / f"graph-{partition}.db"
        for partition in partitions:
            store._db_for_partition(partition)
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        for partition in list(store._dbs):
            store._close(partition)


def record(key, value, offset):
    return SimpleNamespace(key=key, value=value, offset=offset)


def contents(store, partition=0):
    return {key: value for key, value in store.scan(partition, b"") if not key.startswith(module.RESERVED)}


def test_multi_get_keeps_the_order_of_the_keys_and_tells_what_is_absent(open_store):
    store = open_store()
    store.write(0, {b"a": b"1", b"c": b"3"}, (), 7)
    assert store.multi_get(0, [b"c", b"b", b"a"]) == [b"3", None, b"1"]
    assert store.multi_get(0, []) == []


def test_what_the_recovery_has_applied_is_not_written_over(open_store):
    """A commit whose answer was late comes behind the recovery, which may have gone on since."""
    store = open_store()
    store.apply(0, [record(b"a", b"1", 7), record(b"a", b"2", 8)])
    store.write(0, {b"a": b"1"}, (), 7)
    assert (contents(store), store.multi_get(0, [OFFSET_KEY])) == ({b"a": b"2"}, [b"8"])


def test_an_empty_value_is_not_absent(open_store):
    store = open_store()
    store.write(0, {b"a": b""}, (), 0)
    assert store.multi_get(0, [b"a"]) == [b""]


def test_scan_gives_exactly_the_keys_with_the_prefix_in_order(open_store):
    store = open_store()
    store.write(0, {b"a": b"", b"b": b"0", b"b\x00": b"1", b"b\xff\xff": b"2", b"c": b"3"}, (), 0)
    assert store.scan(0, b"b") == [(b"b", b"0"), (b"b\x00", b"1"), (b"b\xff\xff", b"2")]
    assert store.scan(0, b"x") == []


def test_compacted_files_hold_nothing_that_was_deleted_or_written_over(open_store):
    """RocksDB moves files that do not overlap as they are; the keys of the store itself are in each, so all overlap."""
    store = open_store()
    for offset, (puts, deletes) in enumerate([({b"a": b"1", b"x": b"1"}, ()), ({}, [b"x"]), ({b"a": b"2"}, ())]):
        store.write(0, puts, deletes, offset)
        store._dbs[0].flush()
    store.compact(0)
    files = store._dbs[0].live_files()
    assert [(file["num_entries"], file["num_deletions"]) for file in files] == [(len([OFFSET_KEY, TIME_KEY, b"a"]), 0)]
    assert {file["name"].strip("/") for file in files} == {f.name for f in store.partition_path(0).glob("*.sst")}


def test_partitions_are_apart(open_store):
    store = open_store((0, 1))
    store.write(0, {b"a": b"0"}, (), 0)
    assert store.multi_get(1, [b"a"]) == [None]


def test_a_write_holds_data_and_offset(open_store):
    store = open_store()
    store.write(0, {b"a": b"1", b"b": b"2"}, (), 10)
    store.write(0, {b"b": b"3"}, {b"a"}, 12)
    assert contents(store) == {b"b": b"3"}
    assert store.persisted_offset(TP(CHANGELOG, 0)) == 12


def test_a_write_to_a_partition_that_left_fails(open_store):
    store = open_store()
    with pytest.raises(KeyError):
        store.write(1, {b"a": b"1"}, (), 0)


def test_changelog_records_leave_what_their_writes_left(open_store):
    store = open_store()
    store.apply(0, [record(b"a", b"1", 3), record(b"b", b"2", 4), record(b"a", b"5", 6), record(b"b", None, 9)])
    assert contents(store) == {b"a": b"5"}
    assert store.persisted_offset(TP(CHANGELOG, 0)) == 9


def test_a_key_deleted_and_written_again_in_one_run_stays(open_store):
    store = open_store()
    store.apply(0, [record(b"a", None, 0), record(b"a", b"1", 1)])
    assert contents(store) == {b"a": b"1"}


def test_revoked_partitions_are_closed_and_can_be_opened_by_the_next_owner(open_store):
    store = open_store((0, 1))
    table = SimpleNamespace(changelog_topic=SimpleNamespace(topics=[CHANGELOG]))
    store.revoke_partitions(table, {TP(CHANGELOG, 0), TP("another", 1)})
    assert set(store._dbs) == {1}
    assert open_store((0,)).multi_get(0, [b"a"]) == [None]


@pytest.mark.parametrize(("age_ms", "kept"), [(STORE_AGE_MS_MAX, True), (STORE_AGE_MS_MAX + 1, False)])
def test_a_store_left_alone_too_long_is_dropped(open_store, monkeypatch, age_ms, kept):
    """Its changelog may have forgotten the tombstones of keys that it still holds."""
    monkeypatch.setattr(clock, "now_ms", lambda: 1_000_000)
    store = open_store()
    store.write(0, {b"a": b"1"}, (), 5)
    store._close(0)
    monkeypatch.setattr(clock, "now_ms", lambda: 1_000_000 + age_ms)
    again = open_store()
    assert contents(again) == ({b"a": b"1"} if kept else {})
    assert again.persisted_offset(TP(CHANGELOG, 0)) == (5 if kept else None)


def test_the_keys_of_the_store_itself_are_apart():
    assert OFFSET_KEY.startswith(module.RESERVED)
    assert TIME_KEY.startswith(module.RESERVED)


@pytest.mark.parametrize(
    ("prefix", "after"), [(b"a", b"b"), (b"a\xff", b"b"), (b"a\x00", b"a\x01"), (b"\xff", None), (b"", None)],
)
def test_the_bound_of_a_scan(prefix, after):
    assert _after(prefix) == after


def test_it_tells_how_far_each_store_on_the_disk_is_open_or_not(open_store):
    store = open_store((0, 1, 2, 3))
    store.write(0, {b"a": b"1"}, (), 7)
    store.write(1, {b"a": b"1"}, (), 9)
    store._close(1)
    store._close(2)
    assert store.offsets() == {0: 7, 1: 9}
    store._db_for_partition(1)
    store.write(1, {b"a": b"2"}, (), 12)
    assert store.offsets() == {0: 7, 1: 12}


def test_a_store_left_alone_for_too_long_is_none(open_store, monkeypatch):
    store = open_store()
    store.write(0, {b"a": b"1"}, (), 7)
    store._close(0)
    now_ms = clock.now_ms()
    monkeypatch.setattr(clock, "now_ms", lambda: now_ms + STORE_AGE_MS_MAX + 1000)
    assert store.offsets() == {}


def test_only_stores_that_are_neither_open_nor_wanted_are_dropped(open_store):
    store = open_store((0, 1, 2))
    for partition in (0, 1, 2):
        store.write(partition, {b"a": b"1"}, (), 7)
    store._close(1)
    store._close(2)
    assert store.drop(keep=[2]) == [1]
    assert store.offsets() == {0: 7, 2: 7}


def test_it_remembers_where_the_changelog_deleted_something(open_store):
    store = open_store((0, 1))
    store.apply(0, [record(b"a", b"1", 3)])
    store.apply(1, [record(b"a", None, 3)])
    assert store.deleted == {1}
