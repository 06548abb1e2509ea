"""A rebuild's tables: like the present ones, filled beside them, put in their place in one step, gone at the end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.registry import SchemaCache
from sinks.clickhouse import rebuilding
from sinks.clickhouse.columns import TABLES, Rows, physical
from sinks.clickhouse.rebuilding import BEGUN, ENDED, KEPT
from sinks.clickhouse.writer import RebuildOver
from streams.agents.load import Load
from streams.core import facts
from streams.core.facts import MILESTONE
from streams.settings import Settings
from streams.topics import Topics
from tests.unit.sinks.clickhouse.conftest import Engine, person, row
from tests.unit.sinks.clickhouse.test_load import Registry, group

NAME = "0001"
BESIDE = rebuilding.database_of(NAME)


@pytest.fixture
def beside(engine: Engine) -> Iterator[Engine]:
    rebuilding.create(engine.client, NAME)
    yield engine
    rebuilding.drop(engine.client, NAME)


def merges(*names: str) -> bytes:
    return facts.encode(facts.Facts("merges", [row("merges", event_id=name) for name in names], []))


def milestone(state: str, name: str = NAME) -> bytes:
    return facts.encode(facts.Facts(MILESTONE, [(name, state)], []))


def loader(engine: Engine) -> Load:
    return Load(Settings(), Topics(), engine.url, SchemaCache(Registry()))


def handle(agent: Load, *values: bytes, topic: str = "facts") -> None:
    asyncio.run(agent.handle(group(topic, *values)))


def names_in(engine: Engine, database: str) -> list[Any]:
    return [name for (name,) in engine.rows(f"SELECT event_id FROM {database}.facts_merges FINAL ORDER BY 1")]


def test_every_table_is_rebuilt_or_kept(engine: Engine) -> None:
    """A table added later belongs to one of the two."""
    there = {name for (name,) in engine.rows(
        "SELECT name FROM system.tables WHERE database = 'onethread' AND engine LIKE '%MergeTree'")}
    rebuilt = set(rebuilding.tables(engine.client))
    assert rebuilt >= {physical(table) for table in TABLES} | {"batch_seen_in_store"}
    assert there == rebuilt | KEPT | {"migrations"}
    assert not rebuilt & KEPT


def test_rows_behind_a_milestone_go_to_both_and_those_before_it_do_not(beside: Engine) -> None:
    handle(loader(beside), merges("a"), milestone("begun"), merges("b"), milestone("ended"), merges("c"))
    assert names_in(beside, "onethread") == ["a", "b", "c"]
    assert names_in(beside, BESIDE) == ["b", "c"]
    assert rebuilding.milestones(beside.client, NAME) == {BEGUN: {2: 41}, ENDED: {2: 43}}


def test_what_is_told_once_goes_to_both_once_the_milestone_was_met(beside: Engine) -> None:
    agent = loader(beside)
    handle(agent, merges("a"), topic="history")
    handle(agent, milestone("begun"))
    handle(agent, merges("b"), topic="history")
    assert names_in(beside, BESIDE) == ["b"]


def test_a_worker_that_takes_a_partition_over_knows_where_it_began(beside: Engine) -> None:
    handle(loader(beside), merges("a"), milestone("begun"))
    handle(loader(beside), merges("a"), milestone("begun"), merges("b"))
    assert names_in(beside, BESIDE) == ["b"]


def test_milestones_of_a_rebuild_that_has_ended_mean_nothing(beside: Engine) -> None:
    agent = loader(beside)
    handle(agent, milestone("begun", "0000"), merges("a"), milestone("ended", "0000"))
    assert rebuilding.milestones(beside.client, NAME) == {BEGUN: {}, ENDED: {}}
    handle(agent, milestone("begun"))
    rebuilding.drop(beside.client, NAME)
    handle(agent, merges("b"))
    handle(agent, merges("c"), milestone("ended"))
    assert names_in(beside, "onethread") == ["a", "b", "c"]
    with pytest.raises(RebuildOver):
        beside.writer.write([Rows("merges", [row("merges")])], BESIDE)


def test_the_new_data_take_the_place_of_the_present_ones_with_what_clickhouse_makes_of_them(beside: Engine) -> None:
    beside.write("touchpoints", row("touchpoints", person_id=person(1), event_id="old", type="store_visited"))
    beside.write("sessions", row("sessions", person_id=person(1)))
    new = row("touchpoints", person_id=person(1), event_id="new", type="store_visited")
    beside.writer.write([Rows("touchpoints", [new])], BESIDE)
    for _ in range(2):  # one that was killed in the middle does it again
        rebuilding.swap(beside.client, NAME, bool)
        assert beside.rows("SELECT event_id FROM onethread.facts_touchpoints") == [("new",)]
        assert beside.rows("SELECT event_id FROM onethread.batch_seen_in_store") == [("new",)]
        assert beside.rows("SELECT count() FROM onethread.sessions") == [(0,)]


def test_runs_of_batch_models_stay(beside: Engine) -> None:
    beside.client.command("INSERT INTO onethread.batch_runs (run_id, model) VALUES (generateUUIDv4(), 'markov')")
    rebuilding.swap(beside.client, NAME, bool)
    assert beside.rows("SELECT model FROM onethread.batch_runs") == [("markov",)]


def test_what_happened_is_taken_over_where_topics_no_longer_reach(beside: Engine) -> None:
    beside.write("merges", row("merges", event_id="long ago"))
    rebuilding.keep(beside.client, NAME)
    assert names_in(beside, BESIDE) == ["long ago"]


def test_a_rebuild_is_seen_until_it_is_dropped(beside: Engine) -> None:
    assert rebuilding.under_way(beside.client) == [NAME]
    assert rebuilding.rows(beside.client, BESIDE) == 0
    rebuilding.drop(beside.client, NAME)
    assert rebuilding.under_way(beside.client) == []
    assert rebuilding.begun(beside.client) == []


def test_the_past_of_an_erased_person_does_not_come_back(beside: Engine) -> None:
    """Node 1 was person 7's and 8's, was erased at 20, and met again at 30."""
    rows = [
        Rows("identifier_owners", [
            row("identifier_owners", node=person(node), at=at, sequence=at, person_id=person(who))
            for node, at, who in ((1, 10, 7), (1, 15, 8), (1, 30, 7), (2, 10, 9))
        ]),
        Rows("merges", [row("merges", person_id=person(to), other_person_id=person(who), event_id=str(at), at=at)
                        for to, who, at in ((8, 7, 15), (9, 7, 16), (9, 5, 17), (7, 6, 40))]),
        Rows("erased_identifiers", [row("erased_identifiers", node=person(1), at=20)]),
        Rows("erased_records", [row("erased_records", topic="t", partition=0, offset=1)]),
        Rows("identifier_notes", [row("identifier_notes", topic="t", partition=0, offset=n) for n in (1, 2)]),
    ]
    beside.writer.write(rows, BESIDE)
    rebuilding.forget_erased(beside.client, NAME)
    left = beside.rows(f"SELECT sequence FROM {BESIDE}.facts_identifier_owners ORDER BY node, sequence")
    assert left == [(30,), (10,)]
    assert names_in(beside, BESIDE) == ["17", "40"]
    assert beside.rows(f"SELECT offset FROM {BESIDE}.facts_identifier_notes") == [(2,)]
