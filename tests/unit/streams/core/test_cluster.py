"""A cluster's stored form."""

from streams.core.cluster import Cluster
from streams.core.messages import Edge, Part
from streams.core.policy import default

EDGES: list[Edge] = [(("email", f"e{n}"), ("phone", f"p{n}")) for n in range(40)]


def test_what_a_root_told_is_stored_in_the_order_it_was_told() -> None:
    """A set's order is another in each process, so reading a log again would give other bytes."""
    part = Part(
        [("email", "e0")], [], [], [], [(edge, n) for n, edge in enumerate(EDGES)], EDGES,
        [(b"d%d" % n, edge) for n, edge in enumerate(EDGES)], [], [], [], EDGES[::-1],
    )
    cluster = Cluster(default(), part)
    assert cluster.part(with_events=False) == part
    cluster.join(part)
    assert cluster.part(with_events=False) == part
