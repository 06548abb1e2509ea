"""The chain that `onethread why` tells is a way, and no way is shorter; checked against networkx."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random
from uuid import UUID

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.chain import shortest
from deploy.bench import why
from sinks.clickhouse.ties import Tie
from streams.core.event import Identifier
from streams.core.policy import default

AT = datetime(2026, 2, 17, tzinfo=UTC)
KINDS = ("email", "device_id", "anonymous_id")

Pair = tuple[int, int]


def identifier(number: int) -> Identifier:
    return KINDS[number % len(KINDS)], str(number)


def tie(pair: Pair, minute: int = 0, events: int = 1) -> Tie:
    one, other = sorted(pair, key=identifier)
    at = AT + timedelta(minutes=minute)
    return Tie(identifier(one), identifier(other), UUID(int=one), UUID(int=other), at, at, events)


def way(pairs: Sequence[Pair], start: int, goal: int) -> list[int] | None:
    """The numbers on the chain; each tie begins where the one before it ended."""
    ties = [tie(pair, minute, minute % 3) for minute, pair in enumerate(pairs)]
    chain = shortest(ties, identifier(start), identifier(goal), default().kinds)
    if chain is None:
        return None
    reached = [start]
    for link in chain:
        ends = {int(link.a[1]), int(link.b[1])}
        assert reached[-1] in ends
        reached.append((ends - {reached[-1]}).pop())
    return reached


def judged(pairs: Sequence[Pair], start: int, goal: int) -> int | None:
    graph = nx.Graph(pairs)
    graph.add_nodes_from((start, goal))
    return int(nx.shortest_path_length(graph, start, goal)) if nx.has_path(graph, start, goal) else None


numbers = st.integers(0, 8)
pairs = st.lists(st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1]), max_size=20)


@given(pairs, numbers, numbers)
def test_no_way_is_shorter_than_the_chain(ties: list[Pair], start: int, goal: int) -> None:
    found = way(ties, start, goal)
    assert (None if found is None else len(found) - 1) == judged(ties, start, goal)
    if found:
        assert found[-1] == goal


@pytest.mark.parametrize("seed", range(3))
def test_ten_hops_in_a_person_of_a_thousand_identifiers_are_found_in_any_order(seed: int) -> None:
    """The person that `onethread bench --why` asks about."""
    seen = [[int(one["value"].partition("-")[2]) for one in event["identifiers"]] for event in why.person()]
    ties = sorted({pair for named in seen for pair in combinations(sorted(named), 2)})
    Random(seed).shuffle(ties)
    assert nx.is_connected(nx.Graph(ties))
    assert len({number for named in seen for number in named}) == why.IDENTIFIERS
    assert judged(ties, 0, why.HOPS) == why.HOPS
    assert way(ties, 0, why.HOPS) == [*range(why.HOPS + 1)]
    farthest = why.IDENTIFIERS - 1
    assert len(way(ties, 0, farthest) or ()) - 1 == judged(ties, 0, farthest)
