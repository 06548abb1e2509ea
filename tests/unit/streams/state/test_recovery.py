"""What a recovery waits for before it reads the changelog."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from yarl import URL

from streams.state import recovery
from streams.state.recovery import Recovery
from streams.transport.batching import Run
from streams.transport.stable import PATIENCE_S, WAIT_S


class Consumer:
    def assignment(self) -> set[TP]:
        return {TP("identity", 0), TP("changelog", 0), TP("changelog", 1)}

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 5)


CHANGELOG = TP("changelog", 0)


def new_recovery(**attributes: Any) -> Recovery:
    """With its own state, and none of Faust's service."""
    subject = Recovery.__new__(Recovery)
    transport = SimpleNamespace(url=[URL("batching://127.0.0.1:9")], default_port=9092)
    assignor = SimpleNamespace(gone={"worker-1", "worker-7"})
    subject.app = SimpleNamespace(transport=transport, conf=SimpleNamespace(id="onethread"), assignor=assignor)
    subject.log = logging.getLogger("test")
    subject.standby_tps, subject.active_tps = {TP("changelog", 1)}, {CHANGELOG}
    for name, value in attributes.items():
        setattr(subject, name, value)
    return subject


def test_recovery_waits_for_the_inputs_offsets_then_for_the_changelog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paused owner's transaction may carry offsets before its changelog records are with the broker."""
    waited: list[Any] = []
    monkeypatch.setattr(recovery, "committed_offsets", lambda *asked: waited.append(asked))
    monkeypatch.setattr(recovery, "wait_until_settled", lambda *asked: waited.append(asked))
    subject = new_recovery()
    highwaters: dict[TP, int] = {}
    asyncio.run(subject._build_highwaters(Consumer(), {TP("changelog", 0)}, highwaters, "active"))
    assert waited == [
        ("127.0.0.1:9", "onethread", {TP("identity", 0)}, PATIENCE_S),
        ("127.0.0.1:9", {TP("changelog", 0)}, PATIENCE_S),
    ]
    assert highwaters == {TP("changelog", 0): 4}


def test_what_workers_that_are_gone_left_open_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their time-out is longer than a take-over may last."""
    waited: list[Any] = []
    fenced: list[Any] = []

    def wait(_brokers: str, _tps: set[TP], wait_s: float) -> None:
        waited.append(wait_s)
        if not fenced:
            raise TimeoutError

    monkeypatch.setattr(recovery, "committed_offsets", lambda *_: None)
    monkeypatch.setattr(recovery, "wait_until_settled", wait)
    monkeypatch.setattr(recovery, "fence", lambda *asked: fenced.append(asked))
    asyncio.run(new_recovery()._build_highwaters(Consumer(), {CHANGELOG}, {}, "active"))
    assert waited == [PATIENCE_S, WAIT_S]
    assert fenced == [("127.0.0.1:9", "onethread-1"), ("127.0.0.1:9", "onethread-7")]


def test_a_standby_waits_for_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "wait_until_settled", lambda *_: pytest.fail("it takes over nothing"))
    asyncio.run(new_recovery()._build_highwaters(Consumer(), {TP("changelog", 1)}, {}, "standby"))


class Table:
    """Applies, and lets something happen in between."""

    def __init__(self, between: Any = None) -> None:
        self.data, self.between, self.applied = self, between, []

    def apply(self, _partition: int, records: list[Any]) -> None:
        self.applied.append([record.offset for record in records])
        if self.between:
            self.between()


def run_of(start: int, end: int) -> Run:
    records: Any = [SimpleNamespace(offset=offset) for offset in range(start, end)]
    return Run(start, end, records)


def applying(table: Table, **attributes: Any) -> Recovery:
    return new_recovery(**{
        "tp_to_table": {CHANGELOG: table}, "_next": {CHANGELOG: 5}, "in_recovery": False, "active_tps": set(),
        "standby_tps": {CHANGELOG}, "standby_offsets": {CHANGELOG: 4}, "standby_highwaters": {CHANGELOG: 9},
        "active_offsets": {}, "active_highwaters": {}, **attributes,
    })


def test_a_standby_follows_its_changelog() -> None:
    table = Table()
    subject = applying(table)
    asyncio.run(subject.apply_run(CHANGELOG, run_of(5, 12)))
    assert table.applied == [[5, 6, 7, 8, 9, 10, 11]]
    assert subject._next[CHANGELOG] == 12
    assert subject.standby_left({CHANGELOG: 14}) == {CHANGELOG: 2}, "it goes on past where the log ended at first"


def test_a_hole_in_a_changelog_stops_the_worker() -> None:
    with pytest.raises(AssertionError, match="expected records from 5, came 6"):
        asyncio.run(applying(Table()).apply_run(CHANGELOG, run_of(6, 8)))


def test_what_was_fetched_before_a_rebalance_is_not_applied_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The consumer was sought elsewhere meanwhile: what is noted must be the new position."""
    monkeypatch.setattr(recovery, "WRITE_RECORDS_MAX", 1)
    subject: Recovery

    def rebalance() -> None:
        subject._epoch += 1
        subject._next[CHANGELOG] = 6

    table = Table(rebalance)
    subject = applying(table)
    asyncio.run(subject.apply_run(CHANGELOG, run_of(5, 8)))
    assert table.applied == [[5]]
    assert subject._next[CHANGELOG] == 6


def test_a_promoted_standby_needs_only_what_it_had_not_yet() -> None:
    """The stores are the same, the offset is in them: the rest of the changelog is the delta."""
    table = Table()
    subject = applying(
        table, active_tps={CHANGELOG}, standby_tps=set(), active_offsets={CHANGELOG: 6},
        active_highwaters={CHANGELOG: 7}, _next={CHANGELOG: 7},
    )
    assert subject.need_recovery()
    asyncio.run(subject.apply_run(CHANGELOG, run_of(7, 8)))
    assert table.applied == [[7]]
    assert not subject.need_recovery()


class Looks:
    """A recovery that looks once, at a time; what it would drop and ask for."""

    def __init__(self, changed_at: float, now: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dropped = self.asked = 0
        self.subject = new_recovery(
            _changed_at=changed_at, tables=self, standby_tps=set(), in_recovery=False, standbys_ready=True,
        )
        self.subject.app.rebalancing = False
        self.subject.app.consumer = self
        self.subject.app.assignor.left_out = lambda topics: topics
        self.subject.app.assignor.has_less_than_its_share = lambda: False
        monkeypatch.setattr(recovery.time, "monotonic", lambda: now)

    standbys_ready = True

    def values(self) -> list[Any]:
        return [SimpleNamespace(data=self)]

    def drop(self, keep: Any) -> None:
        self.dropped += 1

    new, old = frozenset({"new"}), frozenset[str]()

    def subscribed(self) -> frozenset[str]:
        return self.new

    def unread(self) -> frozenset[str]:
        return self.old

    def ends(self) -> dict[TP, int]:
        return {}

    async def rejoin(self) -> None:
        self.asked += 1

    def look(self) -> "Looks":
        asyncio.run(self.subject.look())
        return self


@pytest.mark.parametrize(("after_s", "asked", "dropped"), [
    (recovery.REJOIN_S - 1, 0, 0), (recovery.REJOIN_S, 1, 0), (recovery.LEFTOVERS_S, 1, 1),
])
def test_leftovers_go_and_better_assignments_are_asked_for_after_a_while(monkeypatch, after_s, asked, dropped) -> None:
    looked = Looks(1000.0, 1000.0 + after_s, monkeypatch).look()
    assert (looked.asked, looked.dropped) == (asked, dropped)


@pytest.mark.parametrize(("new", "old", "asked"), [({"a"}, {}, 1), ({}, {"b"}, 1), ({}, {}, 0)])
def test_another_plan_is_asked_for_where_topics_came_or_went(monkeypatch, new, old, asked) -> None:
    looks = Looks(1000.0, 1000.0 + recovery.REJOIN_S, monkeypatch)
    looks.new, looks.old = frozenset(new), frozenset(old)
    assert looks.look().asked == asked


def test_before_partitions_were_assigned_nothing_on_the_disk_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Looks(Recovery._changed_at, 1e9, monkeypatch).look()
    assert (looked.asked, looked.dropped) == (0, 0)


def test_copies_are_compacted_where_something_was_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was erased must not stay in the files of a standby; where nothing was deleted nothing is done."""
    looks = Looks(1000.0, 1000.0 + recovery.COMPACT_S, monkeypatch)
    compacted: list[int] = []
    store = SimpleNamespace(deleted={1, 3}, compact=compacted.append)
    looks.subject.standby_tps = {TP("changelog", 1), TP("changelog", 2)}
    looks.subject.standby_offsets = {}
    looks.subject.tp_to_table = dict.fromkeys(looks.subject.standby_tps, SimpleNamespace(data=store))
    looks.look()
    assert compacted == [1]
    assert store.deleted == {3}


def test_what_is_not_whole_yet_is_told_with_how_far_it_is_read() -> None:
    other, whole, elsewhere = (TP(CHANGELOG.topic, number) for number in (7, 8, 9))
    recovery = new_recovery(
        active_tps={CHANGELOG, other, whole}, active_offsets={CHANGELOG: None, other: 3, whole: 5},
        active_highwaters={CHANGELOG: 4, other: 5, whole: 5, elsewhere: 9},
    )
    assert recovery.reading() == {CHANGELOG: (-1, 4), other: (3, 5)}
