"""From kind and value to a document or the reason that there is none."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.lookup import lookup
from connectors.lookup.held import Held
from connectors.lookup.lookup import Lookup, Nobody
from connectors.lookup.standing import Figures
from streams.core.event import Identifier
from streams.core.policy import Policy, default
from streams.errors import Retryable
from streams.settings import Settings
from tests.oracle.build import event
from tests.unit.connectors.lookup.reads import bought, held
from tests.unit.streams.core.graphs import Graph


class State:
    """A graph instead of workers; `asked` is what was looked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.asked: list[object] = []
        self.policies = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def policy(self) -> Policy:
        self.policies += 1
        return default()

    async def of_identifier(self, identifier: Identifier) -> Held | None:
        self.asked.append(identifier)
        await self.gate.wait()
        return held(self.graph, identifier)

    async def of_person(self, name: bytes) -> Held | None:
        self.asked.append(name)
        return None


class Desk:
    figures: Figures | None = Figures()

    def check(self) -> None: ...

    async def prediction(self, person_id: UUID) -> dict[str, Any]:
        return {"predicted_orders": 2.0, "predicted_revenue": "5", "predicted_margin": None}


def made(graph: Graph, desk: Desk | None = None, **given: Any) -> tuple[Lookup, State]:
    state = State(graph)
    return Lookup(state, desk or Desk(), Settings(default_region="UA"), **given), state  # type: ignore[arg-type]


def test_a_value_is_normalised_as_in_events() -> None:
    async def run() -> None:
        look, state = made(Graph().see(event("1", 0, "phone:+380670009001")))
        for kind, value in (("phone", "067 000 90 01"), ("whatsapp_id", "380670009001"), ("phone", "+380670009001")):
            found = await look.document(kind, value)
            assert isinstance(found, dict)
            assert found["known"]
        assert state.asked == 3 * [("phone", "+380670009001")]

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "value", "why"), [
    ("colour", "red", Nobody.UNKNOWN_KIND), ("person", "me", Nobody.NO_PERSON_ID),
    ("phone", "12", Nobody.REFUSED_VALUE),
    ("phone", "+380670009002", Nobody.NOBODY), ("person", "0" * 32, Nobody.NOBODY), ("email", "", Nobody.REFUSED_VALUE),
])
def test_why_there_is_none(kind: str, value: str, why: Nobody) -> None:
    async def run() -> object:
        return await made(Graph())[0].document(kind, value)

    assert asyncio.run(run()) is why


def test_predictions_are_of_buyers_and_what_clickhouse_does_not_tell_is_named() -> None:
    async def run() -> None:
        graph = Graph().see(bought("o1", 3, "phone:+380670009001"), event("2", 0, "phone:+380670009003"))
        look, _ = made(graph)
        buyer = await look.document("phone", "+380670009001")
        other = await look.document("phone", "+380670009003")
        assert isinstance(buyer, dict)
        assert isinstance(other, dict)
        assert (buyer["ltv"]["predicted_orders"], other["ltv"]["predicted_orders"]) == (2.0, None)
        desk = Desk()
        desk.figures = None
        alone = await made(graph, desk)[0].document("phone", "+380670009001")
        assert isinstance(alone, dict)
        assert (alone["missing"], alone["ltv"]["orders"]) == (["figures", "predictions"], 1)

    asyncio.run(run())


def test_more_than_can_be_answered_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "IN_FLIGHT_MAX", 2)

    async def run() -> None:
        look, state = made(Graph())
        state.gate.clear()
        first = [asyncio.create_task(look.document("phone", "+380670009001")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Retryable):
            await look.document("phone", "+380670009001")
        state.gate.set()
        assert await asyncio.gather(*first) == 2 * [Nobody.NOBODY]
        assert await look.document("phone", "+380670009001") is Nobody.NOBODY

    asyncio.run(run())


def test_another_policy_is_noticed_after_a_while() -> None:
    async def run() -> None:
        now = timedelta()
        look, state = made(Graph(), clock=lambda: now.total_seconds())
        for _ in range(2):
            await look.document("phone", "+380670009001")
        assert state.policies == 1
        now = timedelta(seconds=lookup.POLICY_S + 0.1)
        await look.document("phone", "+380670009001")
        assert state.policies == 2

    asyncio.run(run())
