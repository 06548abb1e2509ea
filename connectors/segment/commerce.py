"""What a row of the mapping takes out of a call: fields, product lines, sums of money.

Rules kept here (docs/decisions/0107):
- A value that does not fit its field stays where it was.
- The currency is the call's, else the source's. Without one no amount of an order, a cart or a return is taken, as an
  amount of no currency is none; a price in a view may stand alone.
- What a line has no field for stays beside it, in the property `products`, each product in its place.
- A product without a number of its own goes by its name.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.segment import values
from connectors.segment.leaves import Leaves
from connectors.segment.mapping import Row, SegmentMapping, Term, plain
from connectors.segment.people import People
from streams.core.money import AMOUNT_FIELDS

_PRICED = ("cart", "order", "return")
_MAPS = frozenset({"traits", "preference", "consent", "properties"})


class Commerce:
    """Fills one channel event by one row."""

    def __init__(
        self, event: dict[str, Any], leaves: Leaves, people: People, mapping: SegmentMapping, default: str | None,
    ) -> None:
        """`default` is the source's currency."""
        self._event, self._leaves, self._people, self._mapping = event, leaves, people, mapping
        self._told = values.currency(leaves.get("properties", "currency"))
        self._code = self._told or default

    def apply(self, row: Row) -> None:
        for target, ways in row.sums:
            self._sum(target, ways)
        for path, target in row.fields:
            self._field(path, target)
        if row.line:
            line, taken = self._line(self._leaves.get("properties") or {}, row.line)
            if line is not None:
                self._add(row.line, [line])
            for key in taken:
                self._leaves.drop("properties", key)
        elif row.lines and isinstance(items := self._leaves.get("properties", "products"), list):
            self._lines(items, row.lines)
        self._currency()
        for target, value in row.set:
            head, _, rest = target.partition(".")
            if not rest or head in _MAPS or head in self._event:
                self._put(target, value)

    def _field(self, path: tuple[str, ...], target: str) -> None:
        value = self._leaves.get(*path)
        head, _, key = target.partition(".")
        if head == "identifiers":
            if self._people.name(key, value):
                self._leaves.drop(*path)
        elif target == "order.delivery":
            self._delivery(value)
        elif (fitting := self._fitting(target, value)) is not None:
            self._leaves.drop(*path)
            if head == "traits":
                self._people.traits[key] = fitting
            else:
                self._put(target, fitting)

    def _fitting(self, target: str, value: Any) -> Any:
        if target == "order.payments":
            return self._payments(values.name(value))
        if _is_money(target) and self._code is None:
            return None
        return values.fit(target, value)

    def _payments(self, name: str | None) -> list[dict[str, str]] | None:
        if name is None:
            return None
        if name in self._mapping.payments.values():
            return [{"method": name}]
        return [{"method": self._mapping.payments.get(plain(name), "other"), "provider": name}]

    def _delivery(self, value: Any) -> None:
        """The method, where the name is one we know; the name stays a property, as a shop's own word for it."""
        name = values.name(value) or ""
        method = name if name in self._mapping.deliveries.values() else self._mapping.deliveries.get(plain(name))
        if method is not None:
            self._put("order.delivery.method", method)

    def _sum(self, target: str, ways: tuple[tuple[Term, ...], ...]) -> None:
        """The first way whose first part is told. A single part is taken; those of a sum have fields of their own."""
        if self._code is None:
            return
        for way in ways:
            told = [_number(self._leaves.get(*term.path)) for term in way]
            if told[0] is None:
                continue
            pairs = zip(way, told, strict=True)
            total = sum(((-part if term.is_off else part) for term, part in pairs if part is not None), Decimal())
            if (text := values.written(total)) is not None:
                self._put(target, text)
                if len(way) == 1 and not isinstance(self._leaves.get(*way[0].path), list):
                    self._leaves.drop(*way[0].path)
            return

    def _lines(self, items: list[Any], target: str) -> None:
        lines: list[dict[str, Any]] = []
        left: list[Any] = []
        for item in items:
            line, taken = self._line(item, target) if isinstance(item, dict) else (None, ())
            if line is not None:
                lines.append(line)
            left.append({key: value for key, value in item.items() if key not in taken} if taken else item)
        self._add(target, lines)
        self._leaves.drop("properties", "products")
        if any(item not in ({}, None) for item in left):
            self._put("properties.products", values.text(left))

    def _line(self, item: Mapping[str, Any], target: str) -> tuple[dict[str, Any] | None, Sequence[str]]:
        """One product line and the keys it is made of; None where nothing names the product."""
        line: dict[str, Any] = {}
        taken: list[str] = []
        for part, names in self._mapping.line:
            field = f"{target}.{part}"
            if part in AMOUNT_FIELDS - {"quantity"} and target != "products" and self._code is None:
                continue
            for name in names:
                if (value := values.fit(field, item.get(name))) is not None:
                    line[part] = value
                    taken.append(name)
                    break
        if "sku" not in line and "name" in line:
            line["sku"] = line["name"]
        return (line, taken) if "sku" in line else (None, ())

    def _add(self, target: str, lines: list[dict[str, Any]]) -> None:
        head, _, part = target.partition(".")
        if not part:
            self._event[head] = lines
        else:
            self._put(target, lines)

    def _currency(self) -> None:
        """Says the currency wherever there is an amount."""
        is_used = False
        for head in _PRICED:
            record = self._event.get(head)
            if record and (_has_money(record) or any(map(_has_money, record.get("items", ())))):
                record["currency"], is_used = self._code, True
        for line in self._event.get("products", ()):
            if self._told and _has_money(line):
                line["currency"], is_used = self._told, True
        if is_used and self._told:
            self._leaves.drop("properties", "currency")

    def _put(self, target: str, value: Any) -> None:
        table = self._event
        *heads, last = target.split(".", 1) if target.split(".", 1)[0] in _MAPS else target.split(".")
        for head in heads:
            table = table.setdefault(head, {})
        table[last] = value


def _number(value: Any) -> Decimal | None:
    """An amount to reckon with; of a list of products, what they come to together."""
    if not isinstance(value, list):
        return values.number(value)
    prices = [
        (price, values.number(item.get("quantity"))) for item in value
        if isinstance(item, dict) and (price := values.number(item.get("price"))) is not None
    ]
    return sum((price * (1 if count is None else count) for price, count in prices), Decimal()) if prices else None


def _is_money(target: str) -> bool:
    head, _, last = target.rpartition(".")
    return last in AMOUNT_FIELDS and head.partition(".")[0] in _PRICED


def _has_money(record: Mapping[str, Any]) -> bool:
    return any(key in AMOUNT_FIELDS and key != "quantity" for key in record)
