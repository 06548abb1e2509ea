"""What stitching learns of shared identifiers reaches ingest, so that events go past them."""

import asyncio
import struct

from faust.types import TP

from streams.agents.routing import Routing
from streams.core import messages
from streams.core.accept import Accepted
from streams.core.event import pack
from streams.core.intake import Books, Intake
from streams.core.keys import Keys
from streams.core.nodes import SHARED
from streams.core.policy import default
from tests.oracle.build import event
from tests.unit.streams.agents.test_ingest import Store
from tests.unit.streams.agents.test_stitch import PEPPER, TOPICS, Batch, Group, Record, _group, _stitch
from tests.unit.streams.agents.test_stitch import Store as GraphStore

KIOSK, BROWSER = ("device_id", "kiosk"), ("anonymous_id", "v1")
KEYS = Keys(PEPPER, 4)


def claim(store: Store, partition: int, clock: int, n: int) -> None:
    store.values[partition, SHARED + struct.pack(">Q", clock)] = pack((KEYS.node(KIOSK), n))


def group(partition: int, told: list[messages.Message]) -> Group:
    tp = TP(TOPICS.identity, partition)
    return Group([Batch(tp, [Record(messages.pack(told))])], {tp: 1})


def test_a_claim_goes_to_every_partition_and_stays_with_its_state() -> None:
    store, partition = GraphStore(), KEYS.owner(KIOSK)
    met = messages.Sighting(KIOSK, 0, tuple(("phone", f"+38044000000{n}") for n in range(4)), 5, 0, ("e1", 6))
    work = asyncio.run(_stitch(store, 4).handle(group(partition, [met])))
    told = {
        number: [m for m in messages.unpack(value) if isinstance(m, messages.Shared)]
        for topic, number, _, value in work.records if topic == TOPICS.identity and value is not None
    }
    assert told == {number: [messages.Shared(0, KEYS.node(KIOSK), 1)] for number in range(4)}
    assert KIOSK[1].encode() not in messages.pack(told[0]), "the log of another partition names nobody"
    work = asyncio.run(_stitch(store, 4).handle(group(3, [*told[3]])))
    assert [key[:1] for key in work.writes[3].puts if key.startswith(SHARED)] == [SHARED]


def test_an_event_goes_past_what_is_shared() -> None:
    store = Store()
    claim(store, 2, 7, 1)
    seen = event("e1", 5, "device_id:kiosk", "anonymous_id:v1")
    intake = Intake(KEYS, {("events.web", 2): Books()}, Routing(store).claims([2]))
    intake.take(Accepted(seen, ()), ("events.web", 2, 0), 5, b"", 1, default())
    ((partition, packed),) = intake.messages()
    (message,) = messages.unpack(packed)
    assert isinstance(message, messages.Observe)
    assert (partition, message.to, message.claims) == (KEYS.owner(BROWSER), BROWSER, ((KIOSK, 1),))


def test_claims_are_read_on_and_the_larger_number_is_the_later_word() -> None:
    store = Store()
    routing = Routing(store)
    assert routing.claims([1]) == {}
    claim(store, 1, 7, 2)
    assert routing.claims([1]) == {KEYS.node(KIOSK): 2}
    claim(store, 1, 8, 1)
    claim(store, 3, 2, 3)
    assert routing.claims([1]) == {KEYS.node(KIOSK): 2}
    assert routing.claims([1, 3]) == {KEYS.node(KIOSK): 3}


def test_a_forgotten_partition_is_read_anew() -> None:
    store = Store()
    routing = Routing(store)
    claim(store, 1, 7, 1)
    routing.claims([1])
    routing.forget([1])
    store.values.clear()  # another worker's store, with a clock of its own
    claim(store, 1, 3, 3)
    assert routing.claims([1]) == {KEYS.node(KIOSK): 3}


def test_an_event_is_stitched_the_same_with_the_claim_and_without() -> None:
    claimed = messages.observe(event("e1", 5, "anonymous_id:v1"), default(), [(KIOSK, 1)])
    plain = _group(event("e1", 5, "anonymous_id:v1"))
    work = asyncio.run(_stitch(GraphStore()).handle(plain))
    again = asyncio.run(_stitch(GraphStore()).handle(group(0, [claimed])))
    facts = [r for r in again.records if r[0] == TOPICS.facts]
    assert facts == [r for r in work.records if r[0] == TOPICS.facts]
