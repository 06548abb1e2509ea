"""What a run left in the sink against what the events stand for."""

from streams.core.facts import TABLES, Key, Row
from tests.oracle import expected
from tests.oracle.batch import Tables
from tests.simulation.broker import PEPPER, Sink
from tests.strategies import World


def oracle(world: World) -> Tables:
    return expected(list(world.events), world.policy, world.gap_ms, PEPPER)


def differences(want: Tables, sink: Sink) -> list[str]:
    """A line for each row that is missing, unasked or different; none where all is right."""
    return [line for table, rows in want.items() for line in _differ(table, rows, sink.rows(table))]


def _differ(table: str, want: dict[Key, Row], have: dict[Key, Row]) -> list[str]:
    lines = []
    for key in sorted(want.keys() | have.keys(), key=repr):
        if key not in have:
            lines.append(f"{table} lacks {_named(table, want[key])}")
        elif key not in want:
            lines.append(f"{table} has unasked {_named(table, have[key])}")
        elif want[key] != have[key]:
            columns = zip(TABLES[table].columns, want[key], have[key], strict=True)
            wrong = [f"{c.name} {h!r}, expected {w!r}" for c, w, h in columns if w != h]
            lines.append(f"{table} {_text(key)}: " + "; ".join(wrong))
    return lines


def _named(table: str, row: Row) -> str:
    columns = [c.name for c in TABLES[table].columns]
    return " ".join(f"{name}={_text(value)}" for name, value in zip(columns, row, strict=True))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()[:8]
    if isinstance(value, tuple):
        return "(" + ", ".join(_text(part) for part in value) + ")"
    return repr(value)
