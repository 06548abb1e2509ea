"""Faust's partition assignor with this deployment's plan (`assignment`), which the leader of the group makes.

Rules it keeps:
- All topics of one partition number are planned as one: what belongs together is in one worker.
- A worker gets partitions of topics that it subscribes to. During a rolling upgrade that brings a topic, nobody reads
  its partitions of workers that do not know it yet; nothing is lost, they are read from the start afterwards.
- A member tells how far its stores are, also those of a start before; a worker that comes back is given what it has.
- Members of an older release are understood and understand: what they do not know are fields more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor

from streams.transport.assignment import Member, Share, share_out

log = structlog.get_logger()

HOST = "worker-"
"""Workers are told apart by their canonical URL, `http://worker-<index>`."""


class Metadata(  # type: ignore[call-arg]  # arguments of a base that mypy does not follow
    ClientMetadata, serializer="json", include_metadata=False, namespace="@WorkerMetadata",
):
    """What a member says of itself when it joins; `stores` is partition -> last changelog offset in its store."""

    stores: Mapping[str, int] = None  # type: ignore[assignment]  # Faust's records know no other optional field

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stores is None:
            self.stores = {}


class Assignor(PartitionAssignor):
    """One a worker; `assign` runs where the group's leader is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone: set[str] = set()
        """Workers that were in the group and are no more; what they left open may be ended (`Recovery`)."""

    @property
    def _metadata(self) -> Metadata:
        told = super()._metadata
        stores: dict[int, int] = {}
        for table in self._table_manager.values():
            stores |= table.data.offsets()
        return Metadata(
            assignment=told.assignment, url=told.url, changelog_distribution=told.changelog_distribution,
            external_topic_distribution=told.external_topic_distribution, topic_groups=told.topic_groups,
            stores={str(partition): offset for partition, offset in stores.items()},
        )

    @classmethod
    def _get_client_metadata(cls, metadata: Any) -> Metadata:
        found: Metadata = Metadata.loads(metadata.user_data)
        return found

    def on_assignment(self, assignment: Any) -> None:
        before = self.loads().keys()
        super().on_assignment(assignment)
        now = self.loads()
        self.gone = (self.gone | before) - now.keys()
        log.info("assigned", actives=len(self.assigned_actives()), standbys=sorted(
            tp.partition for tp in self.assigned_standbys()), workers=sorted(now))

    def loads(self) -> dict[str, int]:
        """Worker -> on how many partitions of the state it works, as the last assignment told."""
        return {_name(url): sum(map(len, topics.values())) for url, topics in self.changelog_distribution.items()}

    def has_less_than_its_share(self) -> bool:
        """Does another worker have two partitions more than this one? Then they come here once this one is warm."""
        loads = self.loads()
        return max(loads.values(), default=0) - loads.get(_name(str(self._url)), 0) >= 2

    def left_out(self, subscribed: Iterable[str]) -> set[str]:
        """Topics of `subscribed` that were not planned for when this worker got its partitions."""
        actives = {tp.topic for tp in self.assigned_actives()}
        return set(subscribed) - actives if actives else set()

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        told = {member: self._get_client_metadata(metadata) for member, metadata in member_metadata.items()}
        topics = {member: set(metadata.subscription) for member, metadata in member_metadata.items()}
        self._update_member_urls(told)
        assignments = {member: ClientAssignment(actives={}, standbys={}) for member in told}
        groups = _by_partitions(cluster, set().union(*topics.values()))
        for partitions, together in groups.items():
            self._plan(partitions, together, topics, told, assignments)
        return self._protocol_assignments(
            assignments, self._get_changelog_distribution(assignments),
            self._get_external_topic_distribution(assignments),
            {topic: number for number, together in enumerate(groups.values()) for topic in together},
        )

    def _plan(
        self, partitions: int, together: set[str], topics: Mapping[str, set[str]], told: Mapping[str, Metadata],
        assignments: Mapping[str, ClientAssignment],
    ) -> None:
        """Share the partitions of the topics `together` out and note it in `assignments`."""
        changelogs = together & self._table_manager.changelog_topics
        name = {f"{metadata.url} {member}": member for member, metadata in told.items() if topics[member] & together}
        members = [Member(key, _actives(told[member], together, partitions),
                          _stores(told[member], partitions) if changelogs else {}) for key, member in name.items()]
        for key, share in share_out(members, partitions, self.replicas if changelogs else 0).items():
            member = name[key]
            _note(assignments[member], share, topics[member] & together, topics[member] & changelogs)


def _note(assignment: ClientAssignment, share: Share, topics: set[str], changelogs: set[str]) -> None:
    for topic in topics:
        assignment.actives[topic] = sorted(share.actives)
    for topic in changelogs:
        assignment.standbys[topic] = sorted(share.standbys)


def _by_partitions(cluster: Any, topics: set[str]) -> dict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for topic in topics:
        number = len(cluster.partitions_for_topic(topic) or ())
        if number:
            found[number].add(topic)
        else:
            log.warning("topic_missing", topic=topic)
    return dict(sorted(found.items()))


def _actives(told: Metadata, together: set[str], partitions: int) -> frozenset[int]:
    """What the member worked on, by any of the topics: one that is new has none yet."""
    numbers = (number for topic in together for number in told.assignment.actives.get(topic, ()))
    return frozenset(number for number in numbers if number < partitions)


def _stores(told: Metadata, partitions: int) -> dict[int, int]:
    return {number: offset for text, offset in told.stores.items() if (number := int(text)) < partitions}


def _name(url: str) -> str:
    return url.rpartition("/")[2]
