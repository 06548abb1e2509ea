"""One person out of the records that a walk brought: rows as the stitching stage makes them for the sinks. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from streams.core.event import NodeKey
from streams.core.facts import Row, index_of
from streams.core.ids import person_id
from streams.core.keys import SEALED, sealed
from streams.core.nodes import Nodes
from streams.core.policies import PREFIX as POLICIES
from streams.core.policies import Policies
from streams.core.policy import Policy
from streams.core.rows import view
from streams.core.shaping import Shaping
from streams.core.walk import Records, Walk

POLICIES_KEPT = 64
"""Histories of policies, one or few: partitions come to a new one one by one."""

_OWNER = index_of("identifiers", "person_id")


class UnderWay(Exception):  # noqa: N818 - a verdict
    """The identifier's cluster is on its way to another root."""


class Held(NamedTuple):
    """One person as the state has it: rows of facts by table; of an identifier of many people nothing but the id."""

    person_id: bytes
    is_shared: bool
    rows: dict[str, list[Row]]


@dataclass
class Fetched:
    """Records that came from a worker, read as a partition's are."""

    records: dict[bytes, bytes]

    def get(self, key: bytes) -> bytes | None:
        return self.records.get(key)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return sorted((key, value) for key, value in self.records.items() if key.startswith(prefix))

    def page(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [found for found in self.scan(prefix) if found[0] > after][:limit]


class Reading:
    """Reads walks under the policies that came with them; a policy is parsed once."""

    def __init__(self, shaping: Shaping, first_policy: Policy) -> None:
        self._shaping, self._first = shaping, first_policy
        self._known: dict[tuple[tuple[bytes, bytes], ...], Policies] = {}

    def policies(self, records: Records) -> Policies:
        """All policies of the partition that a walk ended in."""
        stored = tuple(record for record in records if record[0].startswith(POLICIES))
        if stored not in self._known:
            if len(self._known) >= POLICIES_KEPT:
                self._known.clear()
            self._known[stored] = Policies(self._first, self._shaping, Fetched(dict(stored)))
        return self._known[stored]

    def person(self, found: Walk) -> Held | None:
        """The person of the walk's first node, from the cluster at its end; None where it is nobody's.

        Errors: UnderWay. Cost: 50 µs a touchpoint of the cluster.
        """
        policies = self.policies(found.records)
        nodes = Nodes(policies, self._shaping.keys, Fetched(dict(found.records)), 0)
        first_key = NodeKey(found.records[0][0][1:])
        node, root = nodes.get(sealed(first_key)), nodes.get(sealed(found.key))
        if node.identifier[0] == SEALED:
            return None  # erased, or never met itself
        if node.is_shared:
            return Held(person_id(first_key), True, {})
        cluster = root.cluster
        assert cluster is not None, "a walk ends at a root"
        if node.identifier not in cluster.members:
            raise UnderWay
        seen = view(cluster, policies.shaping(root.policy_version))
        person = seen.people[seen.resolution.group_of[node.identifier]]
        if not person.identifiers:
            return None  # only named by a rule
        rows: dict[str, list[Row]] = {}
        for (table, *_), row in seen.rows.items():
            if row[_OWNER if table == "identifiers" else 0] == person.person_id:
                rows.setdefault(table, []).append(row)
        return Held(person.person_id, person.is_shared, rows)
