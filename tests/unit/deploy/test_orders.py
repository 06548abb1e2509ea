"""Orders reach a supervisor once."""

from pathlib import Path

from deploy.local import orders, records
from deploy.local.orders import Orders
from deploy.local.records import Record


def test_an_order_is_taken_once(tmp_path: Path) -> None:
    assert orders.take(tmp_path) == Orders()
    orders.restart(tmp_path, "worker-1")
    orders.restart(tmp_path, "collector")
    orders.scale(tmp_path, 3)
    orders.scale(tmp_path, 2)
    assert orders.take(tmp_path) == Orders(2, ("collector", "worker-1"))
    assert orders.take(tmp_path) == Orders()


def test_orders_are_no_records(tmp_path: Path) -> None:
    orders.scale(tmp_path, 3)
    records.write(tmp_path, Record("worker-0", "running"))
    assert set(records.read_all(tmp_path)) == {"worker-0"}


def test_what_is_not_whole_is_no_order(tmp_path: Path) -> None:
    orders.scale(tmp_path, 3)
    orders.take(tmp_path)
    (records.folder(tmp_path) / "orders" / ".workers").write_text("")
    assert orders.take(tmp_path) == Orders()
