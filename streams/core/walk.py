"""The way from an identifier to its cluster: pointers from node to node, then the records that the root keeps.

Rules kept: nothing is changed, not even noted; records travel as they are stored, so that who asked makes of them what
the stitching stage makes of them; where a pointer leads to a partition that is not at hand, the walk says where it
stopped, and goes on wherever that partition is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from streams.core.event import NodeKey
from streams.core.ids import person_id
from streams.core.keys import Keys
from streams.core.nodes import Reader, events_prefix, node_prefix, stored
from streams.core.policies import PREFIX as POLICIES

EVENTS_MAX = 10_000
"""Of one cluster: 0.5 s of work for who asked. Only what many people share has more; then it is nobody's."""
TRIES_MAX = 5
"""A root that is written while it is read is read again."""
_FIRST_OF_ID = 6
"""Bytes of a node key that a person_id leaves as they are."""
NAMESAKES_MAX = 100
"""Keys with these six bytes in common; by chance there is no second one."""

Records: TypeAlias = list[tuple[bytes, bytes]]


class End(StrEnum):
    """How a walk ended."""

    ROOT = "root"
    ELSEWHERE = "elsewhere"
    NOBODY = "nobody"
    TOO_LARGE = "too_large"


class Walk(NamedTuple):
    """Where a walk ended, and the records of the nodes on its way; at its end policies, and a root's events."""

    end: End
    key: NodeKey
    records: Records


def walk(readers: Mapping[int, Reader], keys: Keys, key: NodeKey) -> Walk:
    """Follow the pointers from a node.

    Shape:  committed state by partition -> where its root is.
    Errors: whatever a reader raises when its partition leaves meanwhile.
    Cost:   two reads a pointer, of which there are O(log n); a scan of the root's events.
    """
    records: Records = []
    while True:
        reader = readers.get(keys.partition(key))
        if reader is None:
            return Walk(End.ELSEWHERE, key, records)
        found = stored(reader, key)
        if found is None:
            return Walk(End.NOBODY, key, [*records, *reader.scan(POLICIES)])
        node, held = found
        if node.parent is None:
            return _root(reader, key, held, records)
        records += held
        key = keys.node(node.parent)


def key_of_person(reader: Reader, wanted: bytes) -> NodeKey | None:
    """The node key that a person_id was made of: its senior identifier's, also where that is another's by now."""
    found = reader.page(node_prefix(wanted[:_FIRST_OF_ID]), b"", NAMESAKES_MAX)
    return next((NodeKey(key[1:]) for key, _ in found if person_id(key[1:]) == wanted), None)


def _root(reader: Reader, key: NodeKey, held: Records, records: Records) -> Walk:
    for _ in range(TRIES_MAX):
        events = reader.page(events_prefix(key), b"", EVENTS_MAX + 1)
        before, found = held, stored(reader, key)
        held = found[1] if found else []
        if held == before:
            break
    if len(events) > EVENTS_MAX:
        return Walk(End.TOO_LARGE, key, [*records, *held])
    return Walk(End.ROOT, key, [*records, *held, *events, *reader.scan(POLICIES)])
