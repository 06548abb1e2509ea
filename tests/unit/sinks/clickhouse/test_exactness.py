"""Any order, any repetition, any cut into inserts: the view shows what a plain dictionary would hold."""

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.clickhouse.columns import Rows, physical
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

Fact = tuple[int, int, str, int | None]
"""(version, person, event id, occurred_at), None where it is a tombstone."""

histories = st.lists(
    st.tuples(st.integers(1, 2), st.sampled_from("ab"), st.none() | st.integers(0, 10**12)), min_size=1, max_size=12,
).map(lambda facts: [(version, *fact) for version, fact in enumerate(facts, 1)])
"""Each fact has a version of its own, as the clock of the stitching stage gives it."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, data=st.data())
def test_facts_sent_twice_in_any_order_and_any_groups_give_the_latest_row_of_each_key(
    engine: Engine, history: list[Fact], data: st.DataObject,
) -> None:
    engine.clear()
    sent = data.draw(st.permutations(history * 2))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent)), max_size=4)) | {0, len(sent)})
    for start, end in pairwise(cuts):
        engine.writer.write([Rows("touchpoints", *_split(sent[start:end]))])
        if data.draw(st.booleans()):
            engine.client.command(f"OPTIMIZE TABLE onethread.{physical('touchpoints')} FINAL")
    latest = {fact[1:3]: fact[3] for fact in history}
    shown = engine.rows(
        "SELECT toUInt64(right(toString(person_id), 1)), event_id, toUnixTimestamp64Milli(occurred_at)"
        " FROM onethread.touchpoints"
    )
    assert sorted(shown) == sorted((*key, at) for key, at in latest.items() if at is not None)


def _split(sent: list[Fact]) -> tuple[list[list[Any]], list[list[Any]]]:
    upserts = [row("touchpoints", version, person_id=person(number), event_id=event_id, occurred_at=at)
               for version, number, event_id, at in sent if at is not None]
    return upserts, [[version, person(number), event_id] for version, number, event_id, at in sent if at is None]
