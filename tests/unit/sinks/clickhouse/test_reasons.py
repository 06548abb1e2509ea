"""Why two identifiers are one person or not, asked of ClickHouse with rows that the core made."""

import json
from typing import Any

import pytest

from cli.reasons import explain
from cli.who import plain
from deploy.bench import why as bench
from sinks.clickhouse.columns import Rows
from streams.core.event import Event, Identifier
from streams.core.messages import Edge, Rule
from streams.core.policy import default
from tests.oracle.build import event
from tests.unit.sinks.clickhouse.conftest import Engine
from tests.unit.streams.core.graphs import MINUTE, Graph


def held(engine: Engine, *events: Event, rules: tuple[tuple[str, Edge], ...] = ()) -> Engine:
    graph = Graph().see(*events)
    for verb, edge in rules:
        graph.work([Rule(edge[0], 0, edge, verb, "they said so", (f"rule-{verb}", 5))])
    by_table: dict[str, list[Any]] = {}
    for (table, *_), (version, told) in graph.kept.items():
        if told is not None:
            by_table.setdefault(str(table), []).append((version, *told))
    engine.writer.write([Rows(table, rows) for table, rows in by_table.items()])
    return engine


def why(engine: Engine, a: str, b: str) -> dict[str, Any]:
    ends: list[Identifier] = [(kind, value) for kind, _, value in (text.partition(":") for text in (a, b))]
    told = explain(engine.client, ends[0], ends[1], default())
    read: dict[str, Any] = json.loads(json.dumps(told, default=plain))
    return read


def way(told: dict[str, Any]) -> list[str]:
    return [told["a"]["value"], *(link["to"]["value"] for link in told["chain"])]


def test_the_chain_is_told_event_by_event(engine: Engine) -> None:
    told = why(held(
        engine, event("1", 0, "click_id:c", "anonymous_id:a", channel="ads"),
        event("2", MINUTE, "anonymous_id:a", "phone:p"), event("3", 2 * MINUTE, "anonymous_id:a", "phone:p"),
        event("4", 0, "phone:p"),
    ), "phone:p", "click_id:c")
    assert told["same"]
    first, second = told["chain"]
    assert (first["from"]["value"], first["to"]["value"], first["events"]) == ("p", "a", 2)
    assert [seen["event_id"] for seen in first["seen"]] == ["2", "3"]
    assert second["seen"] == [{"event_id": "1", "occurred_at": "1970-01-01T00:00:00+00:00", "channel": "ads",
                               "source": "", "type": "page_viewed"}]


def test_of_equally_short_chains_the_stronger_is_told(engine: Engine) -> None:
    held(engine, event("1", 0, "phone:p", "device_id:d"), event("2", 0, "device_id:d", "email:e"),
         event("3", 9, "phone:p", "crm_id:c"), event("4", 9, "crm_id:c", "email:e"))
    assert way(why(engine, "phone:p", "email:e")) == ["p", "c", "e"]


def test_many_events_behind_one_tie_are_counted_and_five_are_shown(engine: Engine) -> None:
    held(engine, *(event(f"e{n}", n, "phone:p", "email:e") for n in range(9)))
    [link] = why(engine, "email:e", "phone:p")["chain"]
    assert (link["events"], [seen["event_id"] for seen in link["seen"]]) == (9, ["e0", "e1", "e2", "e3", "e4"])


def test_a_link_by_rule_says_so(engine: Engine) -> None:
    edge = (("email", "e"), ("phone", "p"))
    held(engine, event("1", 0, "email:e"), event("2", 0, "phone:p"), rules=(("link", edge),))
    [link] = why(engine, "phone:p", "email:e")["chain"]
    assert link["rule"] == {"rule_id": "rule-link", "at": "1970-01-01T00:00:00.005000+00:00", "reason": "they said so"}


def test_an_identifier_and_itself_need_no_chain(engine: Engine) -> None:
    assert why(held(engine, event("1", 0, "email:e")), "email:e", "email:e")["chain"] == []


def test_an_unlink_is_told_with_what_it_parts(engine: Engine) -> None:
    edge = (("email", "e"), ("phone", "p"))
    told = why(held(engine, event("1", 0, "email:e", "phone:p"), rules=(("unlink", edge),)), "email:e", "phone:p")
    assert (told["because"], told["rules"][0]["rule_id"], told["rules"][0]["reason"]) == (
        "unlink", "rule-unlink", "they said so")
    [tie] = told["refused"]
    assert (tie["refused_because"], tie["seen"][0]["event_id"]) == ("unlink", "1")


def test_a_limit_is_told_with_its_figure(engine: Engine) -> None:
    told = why(held(engine, event("1", 0, "customer_id:1", "phone:p"), event("2", 9, "customer_id:2", "phone:p")),
               "customer_id:1", "customer_id:2")
    assert told["because"] == "limit"
    assert told["limits"] == [{"kind": "customer_id", "limit": 1, "together": 2}]
    assert [(tie["a"]["kind"], tie["b"]["value"]) for tie in told["refused"]] == [("customer_id", "p")]


@pytest.mark.parametrize(("second", "missing"), [("face_id:f", "events"), ("email:e@0.8", "confidence")])
def test_weak_evidence_is_told_with_what_is_missing(engine: Engine, second: str, missing: str) -> None:
    told = why(held(engine, event("1", 0, "phone:p", second)), "phone:p", second.partition("@")[0])
    assert (told["because"], told["refused"][0]["missing"], told["refused"][0]["events"]) == ("weak", missing, 1)


def test_a_shared_identifier_ties_nobody(engine: Engine) -> None:
    held(engine, *(event(str(n), n, f"customer_id:{n}", "email:till") for n in range(4)),
         *(event(f"more-{n}", n, f"customer_id:{n}", f"phone:{n}") for n in range(4)))
    told = why(engine, "email:till", "customer_id:1")
    assert (told["because"], told["shared"]) == ("shared", [{"kind": "email", "value": "till", "met": 4}])
    told = why(engine, "customer_id:1", "customer_id:2")
    assert (told["because"], told["in_common"]) == ("in_common", [{"kind": "email", "value": "till"}])


def test_what_never_met_is_told_so(engine: Engine) -> None:
    told = why(held(engine, event("1", 0, "email:e"), event("2", 0, "phone:p")), "email:e", "phone:p")
    assert (told["because"], told["refused"], told["rules"], told["in_common"]) == ("never", [], [], [])


def test_ten_hops_in_a_person_of_a_thousand_identifiers_are_told_event_by_event(engine: Engine) -> None:
    """The person that `onethread bench --why` asks about, without the views of single devices."""
    named = [[f"{one['kind']}:{one['value']}" for one in told["identifiers"]] for told in bench.person()]
    events = [event(f"e{n}", n * MINUTE, *ids) for n, ids in enumerate(named) if len(ids) > 1]
    told = why(held(engine, *events), named[0][0], named[bench.HOPS - 1][1])
    assert engine.rows("SELECT count() FROM onethread.identifiers GROUP BY person_id") == [(bench.IDENTIFIERS,)]
    assert way(told) == [f"bench-{n}" for n in range(bench.HOPS + 1)]
    assert [link["seen"][0]["event_id"] for link in told["chain"]] == [f"e{n}" for n in range(bench.HOPS)]
