"""A store comes back from its changelog as it was, to the byte."""

import shutil

import pytest
from confluent_kafka import Producer

pytestmark = pytest.mark.stack


def test_a_lost_store_is_restored_to_the_byte(lab):
    lab.start(0)
    lab.produce(20_000, keys=5000)
    lab.wait_done()
    assert lab.stop(0) == 0
    shutil.rmtree(lab.datadir(0))
    lab.start(0)
    lab.produce(4, keys=4)  # when these are done, it is restored
    lab.wait_done()
    lab.check()


def test_recovery_ends_where_the_changelog_ends_in_an_aborted_transaction(lab):
    """No record stands at the end: a worker that waits for one would wait for ever."""
    lab.start(0)
    lab.produce(2000)
    lab.wait_done()
    assert lab.stop(0) == 0
    aborting = Producer({"bootstrap.servers": lab.brokers, "transactional.id": f"{lab.tag}-aborting"})
    aborting.init_transactions()
    aborting.begin_transaction()
    for partition in range(4):
        aborting.produce(f"{lab.group}-graph-changelog", b"never", b"nkey", partition)
    aborting.flush()
    aborting.abort_transaction()
    shutil.rmtree(lab.datadir(0))
    lab.start(0)
    lab.produce(2000)
    lab.wait_done(30)
    lab.check()
