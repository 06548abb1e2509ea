"""How rows of facts become columns of ClickHouse: the physical tables, their types, and Arrow batches for the insert.

Every physical table is a ReplacingMergeTree(version, is_deleted): of the rows of one key the largest version wins,
and a tombstone is a row whose key alone is filled and whose `is_deleted` is 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from streams.core import facts, reference
from streams.core.event import pack, unpack

DATABASE = "onethread"
PREFIX = "facts_"
"""Views take the plain names, so the physical table of the facts `persons` is `facts_persons`."""

_DECIMAL = pa.decimal128(18, 4)
_MOMENT = pa.timestamp("ms", "UTC")

_TYPES: dict[str, tuple[str, pa.DataType, Any]] = {
    "uuid": ("UUID", pa.binary(16), bytes(16)),
    "str": ("String", pa.string(), ""),
    "bytes": ("String", pa.binary(), b""),
    "ms": ("DateTime64(3, 'UTC')", _MOMENT, 0),
    "int": ("UInt64", pa.uint64(), 0),
    "money": ("Decimal(18, 4)", _DECIMAL, 0),
    "bool": ("Bool", pa.bool_(), False),
    "real": ("Float64", pa.float64(), 0.0),
    "day": ("Date", pa.date32(), 0),
    "rate": ("Decimal(28, 12)", pa.decimal128(28, reference.RATE_DECIMALS), Decimal(0)),
    "uuids": ("Array(UUID)", pa.list_(pa.binary(16)), ()),
    "strs": ("Array(String)", pa.list_(pa.string()), ()),
    "mss": ("Array(DateTime64(3, 'UTC'))", pa.list_(_MOMENT), ()),
    "ints": ("Array(UInt64)", pa.list_(pa.uint64()), ()),
    "shares": ("Array(Decimal(18, 12))", pa.list_(pa.decimal128(18, 12)), ()),
    "counts": ("Map(String, UInt16)", pa.map_(pa.string(), pa.uint16()), {}),
    "texts": ("Map(String, String)", pa.map_(pa.string(), pa.string()), {}),
    "flags": ("Map(String, Bool)", pa.map_(pa.string(), pa.bool_()), {}),
}
"""Type of a fact's column -> its type in ClickHouse, in Arrow, and what a tombstone carries."""

_MAPS = frozenset({"counts", "texts", "flags"})

_FEW_VALUES = frozenset({
    "channel", "type", "role", "device", "source", "language", "currency", "cost_currency", "identified_by", "kind",
    "status", "first_channel", "entry_channel", "exit_channel", "requested_channel", "placed_channel", "placed_device",
    "paid_channel", "fulfilled_channel", "fulfilment_method", "cancelled_channel", "unit", "action", "reason", "note",
    "promised_channel", "done_channel",
    "topic", "key", "campaign_source", "campaign_medium", "kind_a", "kind_b", "refused_because", "verb",
    "stage", "start_channel", "start_campaign_source", "end_channel", "end_type", "last_device", "acquisition_channel",
    "acquisition_source", "acquisition_medium",
    "outcome", "method", "carrier", "month",
})
"""Columns of few distinct values: LowCardinality halves them on disk and speeds up grouping."""

DEAD_LETTERS = facts.Table("dead_letters", 2, (
    facts.Column("letter_partition", "int"), facts.Column("letter_offset", "int"), facts.Column("at", "ms"),
    facts.Column("reason", "str"), facts.Column("detail", "str"), facts.Column("topic", "str?"),
    facts.Column("partition", "int?"), facts.Column("offset", "int?"), facts.Column("schema_id", "int?"),
    facts.Column("source", "str?"), facts.Column("event_id", "str?"), facts.Column("raw", "bytes?"),
))
"""Rows of the topic `dead-letters`, keyed by their own place in it."""

TABLES: dict[str, facts.Table] = facts.TABLES | {DEAD_LETTERS.name: DEAD_LETTERS} | reference.TABLES
"""Every physical table, by the name of its facts."""

@dataclass(frozen=True)
class Rows:
    """Rows of one table, ready to insert: [version, *row] and [version, *key]."""

    table: str
    upserts: Sequence[Sequence[Any]]
    tombstones: Sequence[Sequence[Any]] = ()


def physical(table: str) -> str:
    return f"{PREFIX}{table}"


def flat_columns(table: facts.Table) -> tuple[facts.Column, ...]:
    """The columns of the physical table: `content` gives way to the columns it packs."""
    return tuple(flat for column in table.columns
                 for flat in (facts.CONTENT if column.type == "content" else (column,)))


def clickhouse_type(column: facts.Column) -> str:
    kind, optional = _split(column.type)
    name = _TYPES[kind][0]
    if optional:
        name = f"Nullable({name})"
    if kind == "str" and column.name in _FEW_VALUES:
        name = f"LowCardinality({name})"
    return name


def to_arrow(table: facts.Table, groups: Iterable[Rows]) -> pa.Table:
    """One Arrow table of all rows; of each key only the row with the largest version (the later one of equals).

    Shape:  groups of rows of this table, any order, one row at least -> the physical table's columns, all of them.
    Errors: TypeError where a value is not of its column's type: a bug of the sender.
    Cost:   measured in docs/decisions/0042.
    """
    latest = _latest(table, groups).values()
    versions, *columns = zip(*(row for row, _ in latest), strict=True)
    if table.columns[-1].type == "content":
        columns[-1:] = zip(*map(_content, columns[-1]), strict=True)
    arrays = {column.name: _array(f"{table.name}.{column.name}", column.type, values)
              for column, values in zip(flat_columns(table), columns, strict=True)}
    arrays["version"] = pa.array(versions, pa.uint64())
    arrays["is_deleted"] = pa.array([deleted for _, deleted in latest], pa.uint8())
    return pa.table(arrays)


def _latest(table: facts.Table, groups: Iterable[Rows]) -> dict[facts.Key, tuple[Sequence[Any], int]]:
    """Of each key the row to insert, tombstones filled up with blanks, and whether it is a tombstone."""
    latest: dict[facts.Key, tuple[Sequence[Any], int]] = {}
    width = table.key + 1
    blanks = [_blank(column) for column in table.columns[table.key:]]
    for group in groups:
        for row in group.upserts:
            key = tuple(row[1:width])
            if key not in latest or latest[key][0][0] <= row[0]:
                latest[key] = row, 0
        for row in group.tombstones:
            key = tuple(row[1:width])
            if key not in latest or latest[key][0][0] <= row[0]:
                latest[key] = (*row, *blanks), 1
    return latest


def _content(packed: bytes) -> Sequence[Any]:
    """The values of `facts.CONTENT`; what an earlier release packed lacks the last ones."""
    values: list[Any] = unpack(packed)
    lack = len(facts.CONTENT) - len(values)
    return [*values, *map(_blank, facts.CONTENT[-lack:])] if lack else values


def _blank(column: facts.Column) -> Any:
    if column.type == "content":
        return pack([_blank(packed) for packed in facts.CONTENT])
    kind, optional = _split(column.type)
    return None if optional else _TYPES[kind][2]


def _array(name: str, type_: str, values: Sequence[Any]) -> pa.Array:
    """Errors: TypeError with the column's `name` and its type, never a value, which may be personal."""
    kind, optional = _split(type_)
    try:
        if kind == "money":
            array = _money(values)
        elif kind == "shares":
            array = _shares(values)
        else:
            array = pa.array(_pairs(values) if kind in _MAPS else values, _TYPES[kind][1])
    except (pa.ArrowException, AttributeError, OverflowError):
        raise TypeError(f"{name}: a value is not of type {type_}") from None
    if array.null_count and not optional:
        raise TypeError(f"{name}: None where {type_} does not allow it")
    return array


def _money(values: Sequence[Any]) -> pa.Array:
    """Money is already the whole number that a decimal of scale 4 is made of: the bytes are taken as they are."""
    whole = pa.array(values, pa.int64())
    return pa.Array.from_buffers(pa.decimal64(18, 4), len(whole), whole.buffers()).cast(_DECIMAL)


def _shares(values: Sequence[Any]) -> pa.Array:
    """Lists of what is a decimal of scale 12 once its point is set."""
    lists = pa.array(values, pa.list_(pa.int64()))
    whole = lists.values
    decimals = pa.Array.from_buffers(pa.decimal64(18, 12), len(whole), whole.buffers()).cast(pa.decimal128(18, 12))
    return pa.ListArray.from_arrays(lists.offsets, decimals)


def _pairs(maps: Sequence[dict[Any, Any]]) -> list[list[tuple[Any, Any]]]:
    return [list(value.items()) for value in maps]


def _split(type_: str) -> tuple[str, bool]:
    return type_.removesuffix("?"), type_.endswith("?")
