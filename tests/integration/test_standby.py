"""A standby takes over from what it has, and every record is there once."""

import re
import time

import pytest

from streams.transport.application import SESSION_TIMEOUT_S

pytestmark = pytest.mark.stack

KEYS = 5000
GAP_S_MAX = SESSION_TIMEOUT_S + 9
"""The goal is 10 s in all, measured with a free core (docs/scaling.md); here others may need the cores as well."""


def test_a_standby_takes_over_from_a_killed_worker_without_restoring(lab):
    lab.environ = {"LAB_STANDBYS": "1"}
    lab.start(0)
    lab.start(1)
    lab.produce(20_000, keys=KEYS)
    lab.wait_done()
    before = restored(lab, 1)
    lab.kill(0)
    left = time.monotonic()
    lab.produce(2000, keys=KEYS)
    lab.wait_consumed(22_000, within_s=GAP_S_MAX)
    assert time.monotonic() - left > SESSION_TIMEOUT_S / 2, "somebody else had the partitions already"
    after = restored(lab, 1)
    assert len(after) > len(before)
    assert sum(after[len(before):]) < KEYS / 2, "it read the changelog again"
    lab.wait_done(restart=False)
    lab.check()


def restored(lab, worker: int) -> list[int]:
    """Records that each restore of the worker read."""
    found = re.findall(r"event=restored records=(\d+)", lab.log(worker).read_text())
    return [int(records) for records in found]
