"""New members in a view: what the shortcut leaves is the view made anew."""

from streams.core import newcomers
from streams.core.anchor import anchor_order
from streams.core.cluster import Cluster
from streams.core.event import Identifier
from streams.core.keys import Keys
from streams.core.messages import Part
from streams.core.policy import default
from streams.core.rows import view
from streams.core.shaping import Shaping
from tests.oracle.build import event
from tests.unit.streams.core.graphs import MINUTE

SHAPING = Shaping(Keys(b"pepper", 2), 30 * MINUTE)
CUSTOMER, EMAIL, TILL = ("customer_id", "v1"), ("email", "v1@example.com"), ("phone", "+380440000001")


def _part(*members: Identifier) -> Part:
    return Part([*members], [(TILL, 1)], [(x, 5) for x in members], [], [], [], [], [], [])


def test_evidence_goes_over_to_the_person_whom_a_newcomer_joins() -> None:
    """An edge's row is of the person of its first end, and of the other's only while the first is no member."""
    told = event("e1", 10, "customer_id:v1", "email:v1@example.com", "phone:+380440000001")
    cluster = Cluster(default(), _part(CUSTOMER, TILL))
    cluster.keep(told, anchor_order(default(), told.ids), CUSTOMER, ((told.position, told.received_ms),))
    seen = view(cluster, SHAPING)
    before = set(seen.rows)
    cluster.join(_part(EMAIL))
    assert newcomers.join(cluster, SHAPING, seen, {EMAIL}) is not None
    whole = view(cluster, SHAPING)
    assert seen.rows == whole.rows
    assert before - whole.rows.keys(), "a row has gone over"
