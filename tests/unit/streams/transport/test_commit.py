"""The commit: its order, and that nothing of it stays where a step fails."""

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError, KafkaException
from faust.types import TP

from streams.transport import commit
from streams.transport.commit import Committer, Work, Writes
from streams.transport.membership import Membership

MEMBER = Membership("group", 3, "member-1")
WORK = Work(
    records=[("facts", 0, None, b"row")],
    writes={0: Writes({b"a": b"1"}, {b"b"}), 1: Writes()},
    offsets={TP("identity", 0): 7},
)


class Producer:
    """Notes what it is asked for, fails at the step named, and tells where changelog records went at the commit."""

    fences: ClassVar[list[str]] = []
    """Steps at which others end the transaction, each once, whichever producer comes to it first."""
    log: ClassVar[list[Any]]
    """What all of them were asked for."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.fails_at = ""
        self.full_once = False
        self.deliveries: list[Any] = []
        self.offset = 100

    def _note(self, name: str, *values: Any) -> None:
        self.log.append((name, *values))
        if name == self.fails_at:
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
        if self.fences[:1] == [name]:
            del self.fences[0]
            raise KafkaException(KafkaError(KafkaError._FENCED, "others took its place", True))

    def init_transactions(self, _timeout_s: float) -> None:
        self._note("init")

    def begin_transaction(self) -> None:
        self._note("begin")

    def produce(self, topic: str, value: Any, key: Any, partition: int, on_delivery: Any) -> None:
        if self.full_once:
            self.full_once = False
            raise BufferError
        self._note("produce", topic, partition, key, value)
        if on_delivery:
            self.deliveries.append((on_delivery, SimpleNamespace(partition=lambda: partition, offset=self._next)))

    def _next(self) -> int:
        self.offset += 1
        return self.offset

    def poll(self, _timeout_s: float) -> None:
        for told, message in self.deliveries:
            told(None, message)
        self.deliveries = []

    def send_offsets_to_transaction(self, offsets: list[Any], group: bytes, _timeout_s: float) -> None:
        self._note("offsets", [(o.topic, o.partition, o.offset) for o in offsets], group)

    def commit_transaction(self, _timeout_s: float) -> None:
        self._note("commit")

    def abort_transaction(self, _timeout_s: float) -> None:
        self._note("abort")


class Store:
    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def write(self, partition: int, puts: Any, deletes: Any, offset: int) -> None:
        self.log.append(("store", partition, dict(puts), set(deletes), offset))


@pytest.fixture
def committer(monkeypatch: pytest.MonkeyPatch) -> Committer:
    monkeypatch.setattr(commit, "Producer", Producer)
    log: list[Any] = []
    monkeypatch.setattr(Producer, "log", log, raising=False)
    monkeypatch.setattr(Producer, "fences", [])
    made = Committer("127.0.0.1:1", "group-0", "changelog", Store(log))
    made.start()
    log.clear()
    return made


def test_the_store_is_written_last_with_the_changelogs_offset(committer: Committer) -> None:
    asyncio.run(committer.commit(WORK, MEMBER))
    assert committer._producer.log == [  # type: ignore[attr-defined]
        ("begin",),
        ("produce", "facts", 0, None, b"row"),
        ("produce", "changelog", 0, b"a", b"1"),
        ("produce", "changelog", 0, b"b", None),
        ("offsets", [("identity", 0, 7)], MEMBER.to_bytes()),
        ("commit",),
        ("store", 0, {b"a": b"1"}, {b"b"}, 102),
    ]


@pytest.mark.parametrize("step", ["begin", "produce", "offsets", "commit"])
def test_a_step_that_fails_aborts_and_leaves_the_store_alone(committer: Committer, step: str) -> None:
    producer: Any = committer._producer
    producer.fails_at = step
    with pytest.raises(KafkaException):
        asyncio.run(committer.commit(WORK, MEMBER))
    assert producer.log[-1] == ("abort",)
    assert not any(name == "store" for name, *_ in producer.log)


@pytest.mark.parametrize("fences", [["begin"], ["produce"], ["offsets"], ["produce", "init", "offsets", "begin"]])
def test_whose_transaction_others_end_makes_it_again(committer: Committer, fences: list[str]) -> None:
    """They took it for gone; whether it is, the group says at the offsets."""
    Producer.fences += fences
    asyncio.run(committer.commit(WORK, MEMBER))
    log = committer._producer.log  # type: ignore[attr-defined]
    last = max(n for n, entry in enumerate(log) if entry == ("begin",))
    assert [name for name, *_ in log[last - 1 :]] == [
        "init", "begin", "produce", "produce", "produce", "offsets", "commit", "store",
    ]
    assert not any(name == "store" for name, *_ in log[:last])


@pytest.mark.parametrize("fences", [["commit"], ["begin"] * commit.FENCED_MAX])
def test_who_is_fenced_in_its_very_commit_or_again_and_again_ends(committer: Committer, fences: list[str]) -> None:
    Producer.fences += fences
    with pytest.raises(KafkaException):
        asyncio.run(committer.commit(WORK, MEMBER))
    assert not any(name == "store" for name, *_ in committer._producer.log)  # type: ignore[attr-defined]


def test_a_full_queue_is_drained_and_nothing_left_out(committer: Committer) -> None:
    producer: Any = committer._producer
    producer.full_once = True
    asyncio.run(committer.commit(WORK, MEMBER))
    assert [entry[1] for entry in producer.log if entry[0] == "produce"] == ["facts", "changelog", "changelog"]


def test_agents_commit_in_turn(committer: Committer) -> None:
    async def both() -> None:
        await asyncio.gather(committer.commit(WORK, MEMBER), committer.commit(WORK, MEMBER))

    asyncio.run(both())
    names = [entry[0] for entry in committer._producer.log]  # type: ignore[attr-defined]
    assert names == [*names[: len(names) // 2]] * 2
    assert names.count("store") == 2
