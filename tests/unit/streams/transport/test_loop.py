"""The loop of an agent: what it waits out, what it gives up, what ends the process."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.errors import Retryable
from streams.transport import loop
from streams.transport.commit import Work

OFFSETS = {TP("in", 0): 5}


class Group:
    """A group that notes what becomes of it."""

    def __init__(self, log):
        self.offsets, self.membership, self.log = OFFSETS, "member", log

    def __len__(self):
        return 5

    async def ack(self):
        self.log.append("acknowledged")

    def release(self):
        self.log.append("released")


class Committer:
    def __init__(self, log):
        self.log = log

    async def commit(self, work, membership):
        assert membership == "member"
        self.log.append("committed")


def stream(rebalancing=False):
    consumer = SimpleNamespace(waits_for_outside=0, paces={})
    app = SimpleNamespace(rebalancing=rebalancing, should_stop=False, consumer=consumer)
    return SimpleNamespace(app=app)


def feed(monkeypatch, handle, source=None):
    """Run the loop over one group; what happened, in order."""
    log = []

    async def one_group(_stream, **_limits):
        yield Group(log)

    def die(event, **_values):
        log.append(event)
        raise SystemExit

    monkeypatch.setattr(loop, "groups", one_group)
    monkeypatch.setattr(loop, "die", die)
    handler = SimpleNamespace(handle=handle)
    with contextlib.suppress(SystemExit):
        asyncio.run(loop.run("stage", source or stream(), handler, Committer(log)))
    return log


def test_a_group_is_acknowledged_after_its_commit(monkeypatch):
    async def handle(group):
        return Work(offsets=group.offsets)

    assert feed(monkeypatch, handle) == ["committed", "acknowledged"]


def test_an_exception_ends_the_process_and_acknowledges_nothing(monkeypatch):
    async def handle(group):
        raise ValueError("a bug")

    assert feed(monkeypatch, handle) == ["agent_failed"]


def test_work_that_would_commit_other_offsets_ends_the_process(monkeypatch):
    async def handle(group):
        return Work(offsets={TP("in", 0): 4})

    assert feed(monkeypatch, handle) == ["agent_failed"]


def test_a_fault_of_the_outside_world_is_waited_out_with_the_same_group(monkeypatch):
    groups = []

    async def handle(group):
        groups.append(group)
        if len(groups) < 3:
            raise Retryable("away", 0.01)
        return Work(offsets=group.offsets)

    assert feed(monkeypatch, handle) == ["committed", "acknowledged"]
    assert len(set(map(id, groups))) == 1


def test_a_group_that_waits_is_given_up_when_the_group_rebalances(monkeypatch):
    async def handle(group):
        raise Retryable("away", 60)

    assert feed(monkeypatch, handle, stream(rebalancing=True)) == ["released"]


@pytest.mark.parametrize("error", [KeyError(("email", "a@example.com")), ValueError("no time: 'a@example.com'")])
def test_what_ended_the_process_is_told_without_values(error):
    try:
        try:
            raise error
        except (KeyError, ValueError):
            raise AssertionError("expected a root") from None
    except AssertionError as last:
        text = loop.told(last)
    assert "example.com" not in text
    assert text.index(type(error).__name__) < text.index("AssertionError: expected a root")
    assert "test_loop.py" in text


def test_waiting_on_purpose_is_told_to_the_watch():
    source = stream()
    seen = []

    async def look():
        waiting = asyncio.create_task(loop._wait(source.app, 0.05))
        await asyncio.sleep(0.02)
        seen.append(source.app.consumer.waits_for_outside)
        assert await waiting
        seen.append(source.app.consumer.waits_for_outside)

    asyncio.run(look())
    assert seen == [1, 0]


@pytest.mark.parametrize("flag", ["rebalancing", "should_stop"])
def test_waiting_ends_at_once_when_the_partitions_may_leave(flag):
    source = stream()
    setattr(source.app, flag, True)
    assert asyncio.run(loop._wait(source.app, 60)) is False


def test_a_worker_that_cannot_write_its_last_words_leaves_all_the_same(monkeypatch):
    """A full disk is a reason to end that cannot be logged to that disk."""
    class Full:
        def critical(self, *_args, **_values):
            raise OSError(28, "No space left on device")

    def leave(code):
        raise SystemExit(code)

    monkeypatch.setattr(loop, "log", Full())
    monkeypatch.setattr(loop.os, "_exit", leave)
    with pytest.raises(SystemExit, match=str(loop.EXIT_FAILED)):
        loop.die("agent_failed")
