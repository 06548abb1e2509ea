"""The group's leader makes the plan, and members of other releases take part in it. No broker: what members send and
get is encoded and decoded as on the wire."""

from types import SimpleNamespace
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocol, ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from faust.types import TP
from yarl import URL

from streams.transport.assignor import Assignor, Metadata

CHANGELOG = "onethread-graph-changelog"
TOPICS = ["events.web", "identity", CHANGELOG]
CLUSTER = SimpleNamespace(partitions_for_topic=lambda topic: {} if topic == "missing" else set(range(4)))


class Tables(dict):
    changelog_topics = frozenset({CHANGELOG})

    @property
    def data(self) -> dict[str, Any]:
        return self


def worker(index: int, standbys: int = 0, stores: dict[int, int] | None = None) -> Assignor:
    store = SimpleNamespace(offsets=lambda: stores or {})
    tables = Tables(graph=SimpleNamespace(data=store))
    app = SimpleNamespace(
        tables=tables, conf=SimpleNamespace(canonical_url=URL(f"http://worker-{index}")), tracer=None,
        sensors=SimpleNamespace(on_assignment_start=lambda *_: None, on_assignment_completed=lambda *_: None),
    )
    return Assignor(app, replicas=standbys)


def rebalance(workers: list[Assignor], topics: dict[int, list[str]] | None = None) -> dict[int, dict[str, list[int]]]:
    """A generation, led by the first; what each reads by topic."""
    joined = {}
    for number, member in enumerate(workers):
        sent = member.metadata(set((topics or {}).get(number, TOPICS)))
        joined[f"member-{member._url.host}"] = ConsumerProtocol.METADATA.decode(sent.encode())
    assigned = workers[0].assign(CLUSTER, joined)
    for member in workers:
        got = ConsumerProtocol.ASSIGNMENT.decode(assigned[f"member-{member._url.host}"].encode())
        member.on_assignment(got)
    return {n: {t: sorted(p) for t, p in member._assignment.actives.items()} for n, member in enumerate(workers)}


def test_the_same_partitions_of_all_topics_are_at_one_worker():
    workers = [worker(0), worker(1)]
    for reads in rebalance(workers).values():
        assert reads.keys() == set(TOPICS)
        assert len({tuple(partitions) for partitions in reads.values()}) == 1
    assert not workers[0].assigned_standbys()


def test_another_rebalance_moves_nothing():
    workers = [worker(0), worker(1), worker(2)]
    assert rebalance(workers) == rebalance(workers)


def test_standbys_follow_the_changelog_and_read_no_stream():
    workers = [worker(0, 1), worker(1, 1)]
    rebalance(workers)
    for mine, other in (workers, workers[::-1]):
        assert mine.assigned_standbys() == {tp for tp in other.assigned_actives() if tp.topic == CHANGELOG}


def test_a_worker_that_starts_anew_tells_what_is_on_its_disk():
    stayed = worker(1)
    rebalance([worker(0), stayed])
    kept = {tp.partition for tp in stayed.assigned_actives()}
    back = worker(0, stores=dict.fromkeys(set(range(4)) - kept, 5))
    rebalance([stayed, back])
    assert {tp.partition for tp in back.assigned_actives()} == set(range(4)) - kept


def test_every_member_learns_who_left():
    workers = [worker(0), worker(1), worker(2)]
    rebalance(workers)
    rebalance(workers[:2])
    assert [member.gone for member in workers[:2]] == [{"worker-2"}] * 2
    rebalance(workers)
    assert [member.gone for member in workers[:2]] == [set()] * 2


def test_a_topic_that_one_worker_does_not_know_yet_waits_for_it():
    """A rolling upgrade: what belongs together stays so, and the older worker gets nothing that it cannot read."""
    workers = [worker(0), worker(1)]
    reads = rebalance(workers, {0: [*TOPICS, "events.new"]})
    assert reads[0]["events.new"] == reads[0]["identity"]
    assert "events.new" not in reads[1]
    assert sorted(reads[0]["identity"] + reads[1]["identity"]) == [0, 1, 2, 3]
    assert workers[0].left_out([*TOPICS, "events.new"]) == set()
    assert workers[1].left_out([*TOPICS, "events.new"]) == {"events.new"}, "once it is upgraded"


def test_a_missing_topic_is_nobodys():
    assert "missing" not in rebalance([worker(0)], {0: [*TOPICS, "missing"]})[0]


def test_a_worker_knows_that_it_has_less_than_its_share():
    cold = worker(1, 1)
    warm = worker(0, 1, stores=dict.fromkeys(range(4), 10_000_000))
    rebalance([warm])
    rebalance([warm, cold])
    assert cold.has_less_than_its_share()
    assert not warm.has_less_than_its_share()


def test_members_of_an_older_release_are_understood_and_understand():
    plain = ClientMetadata(assignment=ClientAssignment(actives={"identity": [3]}, standbys={}), url="http://a:6066",
                           changelog_distribution={})
    told = ConsumerProtocolMemberMetadata(2, ["identity"], plain.dumps())
    assert Assignor._get_client_metadata(told).stores == {}
    ours = Metadata(assignment=ClientAssignment(actives={"identity": [3]}, standbys={}), url="http://worker-0",
                    changelog_distribution={}, stores={"3": 7})
    assert ClientMetadata.loads(ours.dumps()).assignment.actives == {"identity": [3]}
    assert TP("identity", 3) in ClientMetadata.loads(ours.dumps()).assignment.active_tps
