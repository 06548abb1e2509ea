"""How a fetch is cut to batches."""

from types import SimpleNamespace

from streams.transport.batching import BATCH_RECORDS_MAX, Run, _slices


def records(offsets):
    return [SimpleNamespace(offset=offset) for offset in offsets]


def test_a_small_run_is_one_batch():
    run = Run(10, 20, records(range(10, 19)))
    assert list(_slices(run)) == [run]


def test_batches_join_and_only_the_last_ends_behind_what_was_skipped():
    found = records(range(0, 3 * BATCH_RECORDS_MAX, 2))  # every second record was compacted away
    parts = list(_slices(Run(0, 3 * BATCH_RECORDS_MAX + 5, found)))
    assert [(part.start, part.end) for part in parts] == [
        (0, 2 * BATCH_RECORDS_MAX - 1), (2 * BATCH_RECORDS_MAX - 1, 3 * BATCH_RECORDS_MAX + 5),
    ]
    assert [record for part in parts for record in part.records] == found


def test_a_full_batch_is_not_followed_by_an_empty_one():
    parts = list(_slices(Run(0, BATCH_RECORDS_MAX, records(range(BATCH_RECORDS_MAX)))))
    assert len(parts) == 1
