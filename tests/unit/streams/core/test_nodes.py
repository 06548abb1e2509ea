"""Records of nodes: also one that is too long for a record of the changelog."""

import pytest

from streams.core import nodes
from tests.oracle.build import event
from tests.unit.streams.core.graphs import MINUTE, Graph


def test_a_long_record_is_stored_in_pieces_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, pieces = Graph(1), Graph(1)
    events = [event(str(n), n * MINUTE, "device_id:kiosk", f"order_id:o{n}") for n in range(40)]
    plain.see(*events)
    monkeypatch.setattr(nodes, "PIECE_BYTES", 300)
    for told in events:
        pieces.see(told)
        pieces.restart()
    assert max(len(value) for key, value in pieces.stores[0].items() if key[:1] in (b"n", b"o")) <= 300
    assert [key for key in pieces.stores[0] if key.startswith(b"o")]
    for table in ("persons", "touchpoints", "orders", "identifiers", "evidence"):
        assert pieces.rows(table) == plain.rows(table)


def test_pieces_that_are_no_more_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "PIECE_BYTES", 300)
    graph = Graph(1).see(*(event(str(n), n, "customer_id:a", f"order_id:o{n}") for n in range(9)))
    monkeypatch.undo()
    graph.see(event("last", 99, "customer_id:a", "order_id:new"))
    assert not [key for key in graph.stores[0] if key.startswith(b"o")]
