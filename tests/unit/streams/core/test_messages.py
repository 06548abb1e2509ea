"""Messages as records: many together, and one too long for a record in chunks."""

import msgspec

from streams.core import messages
from streams.core.event import pack
from streams.core.messages import RECORD_BYTES_MAX, RECORD_MESSAGES_MAX, Chunk, observe, records, unpack, whole
from streams.core.policy import default
from tests.oracle.build import CONTENT, event
from tests.unit.streams.core.graphs import Graph

PLAIN = observe(event("1", 0, "phone:p"), default())


def _long(size: int) -> messages.Observe:
    return observe(msgspec.structs.replace(event("2", 0, "phone:p"), content=pack([*CONTENT, "x" * size])), default())


def test_many_messages_share_a_record_up_to_its_limit() -> None:
    values = list(records([PLAIN] * (RECORD_MESSAGES_MAX + 1)))
    assert [len(unpack(value)) for value in values] == [RECORD_MESSAGES_MAX, 1]
    assert unpack(values[1]) == [PLAIN]


def test_long_messages_do_not_share() -> None:
    long = _long(RECORD_BYTES_MAX // 2)
    assert [unpack(value) for value in records([long, long])] == [[long], [long]]


def test_a_message_too_long_for_a_record_travels_in_chunks() -> None:
    long = _long(2 * RECORD_BYTES_MAX)
    chunks = [m for value in records([PLAIN, long, PLAIN]) for m in unpack(value) if isinstance(m, Chunk)]
    assert [(c.to, c.number, c.count) for c in chunks] == [(long.to, n, 3) for n in range(3)]
    assert whole(c.data for c in chunks) == long


def test_a_chunked_message_is_worked_when_whole_also_over_a_restart_and_a_repeat() -> None:
    chunks = [unpack(value)[0] for value in records([_long(2 * RECORD_BYTES_MAX)])]
    graph = Graph(1)
    for chunk in (*chunks, chunks[-1]):
        graph.work([chunk])
        graph.restart()
    assert [row[1] for row in graph.rows("touchpoints")] == ["2"]
    assert not [key for key in graph.stores[0] if key.startswith(b"h")]


def test_chunks_of_two_messages_mixed_in_the_log_are_told_apart() -> None:
    """Two workers may write long messages to one partition at once; events on their way in all have clock 0."""
    one = _long(RECORD_BYTES_MAX + 1)
    two = msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, event_id="3"))
    mixed = zip(records([one]), records([two]), strict=True)
    found = [unpack(value)[0] for pair in mixed for value in pair]
    graph = Graph(1)
    graph.work(found)
    assert sorted(row[1] for row in graph.rows("touchpoints")) == ["2", "3"]
