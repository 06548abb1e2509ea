"""What the line of a worker says."""

import pytest

from deploy.local.status import restoring


def page(ready: int, percent: int, seconds: int) -> str:
    return (f"onethread_worker_ready {ready}\nonethread_recovery_percent {percent}\n"
            f"onethread_recovery_seconds_left {seconds}\n")


@pytest.mark.parametrize(("metrics", "told"), [
    (page(0, 63, 12), "restoring 63 %, 12 s left"),
    (page(0, 0, -1), "restoring 0 %"),
    (page(0, 100, 0), ""),
    (page(1, 99, 1), ""),
    ("", ""),
])
def test_a_worker_that_restores_says_how_far_it_is(metrics: str, told: str) -> None:
    assert restoring(metrics) == told
