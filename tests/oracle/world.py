"""The rows that the oracle makes of events, as plain records that questions can be answered from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from streams.core.event import unpack
from streams.core.facts import CONTENT, TABLES
from tests.oracle.batch import Tables

Record = SimpleNamespace
DAY_MS = 86_400_000
EVER = (0, 9_000_000_000_000)


class World:
    """Persons, touchpoints, orders and what was made of them, at one present.

    Instants are epoch milliseconds, money whole numbers of 1/10,000. Only money in the reporting currency has a rate.
    """

    def __init__(
        self, tables: Tables, families: dict[str, str], as_of_ms: int, zone: str, currency: str,
        gaps: tuple[int, int] = (30 * DAY_MS, DAY_MS),
    ) -> None:
        self.families, self.as_of_ms, self.zone, self.currency = families, as_of_ms, ZoneInfo(zone), currency
        self.journey_gap_ms, self.cart_wait_ms = gaps
        self.persons = {row.person_id: row for row in _records(tables, "persons")}
        self.touchpoints = list(_records(tables, "touchpoints"))
        self.visits = list(_records(tables, "visits"))
        self.sessions = list(_records(tables, "sessions"))
        self.person_channels = list(_records(tables, "person_channels"))
        self.orders = self._orders(_records(tables, "orders"))
        shown = {(o.order_id, o.person_id): o for o in self.orders}
        self.skus = defaultdict(set)
        for item in _records(tables, "order_items"):
            if (item.order_id, item.person_id) in shown:
                self.skus[item.order_id].add(item.sku)
        self.journeys = [self._journey(row, shown) for row in _records(tables, "journeys")]

    def is_people(self, person_id: bytes) -> bool:
        person = self.persons[person_id]
        return bool(person.known and not person.shared)

    def counted(self) -> list[Record]:
        """Placed, not cancelled, person not shared."""
        return [o for o in self.placed() if not o.person_shared]

    def placed(self) -> list[Record]:
        return [o for o in self.orders if o.placed_at is not None and o.status != "cancelled"]

    def local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self.zone)

    def week(self, at_ms: int) -> str:
        day = self.local(at_ms).date()
        return (day - timedelta(day.weekday())).isoformat()

    def _orders(self, rows: Iterable[Record]) -> list[Record]:
        """Of each order_id the row placed first; revenue_reporting where there is a rate."""
        best: dict[str, Record] = {}
        for row in rows:
            row.reporting = row.revenue if row.currency == self.currency else None
            row.rank = (row.placed_at is None, row.placed_at or 0, row.person_id)
            if row.order_id not in best or row.rank < best[row.order_id].rank:
                best[row.order_id] = row
        return list(best.values())

    def _journey(self, row: Record, orders: dict[tuple[str, bytes], Record]) -> Record:
        over = self.as_of_ms - row.last_step_at > self.journey_gap_ms
        row.outcome = "converted" if row.order_id is not None else "abandoned" if over else "open"
        order = orders.get((row.order_id, row.person_id))
        row.reporting = order.reporting if order else None
        if row.unanswered_at is not None and self.as_of_ms - row.unanswered_at > 3_600_000:
            row.obstacles = [*row.obstacles, "message_unanswered"]
        return row


def quantile(values: Iterable[float], level: float) -> float:
    """Between the two nearest in proportion; values at least one."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * level
    low = int(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)


def _records(tables: Tables, name: str) -> Iterator[Record]:
    columns = [column.name for column in TABLES[name].columns]
    for row in tables[name].values():
        record = Record(**dict(zip(columns, row, strict=True)))
        if name == "touchpoints":
            told = unpack(record.content)
            vars(record).update(zip((column.name for column in CONTENT), told, strict=True))
        yield record
