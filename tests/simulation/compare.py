"""What a run left in the sink against what the events stand for."""

from collections.abc import Iterable, Mapping

from streams.core.event import pack
from streams.core.facts import TABLES, Key, Row
from tests.oracle import expected
from tests.oracle.batch import Tables
from tests.oracle.erasure import Receipts, left
from tests.oracle.evidence import tells_less, united
from tests.simulation.broker import PEPPER, Run
from tests.simulation.stores import Sink
from tests.strategies import World


def oracle(world: World, receipts: Receipts | None = None) -> Tables:
    return expected(list(world.events), world.policies[-1], world.last_durations, PEPPER, world.words, receipts)


def wrong(world: World, run: Run) -> list[str]:
    """Everything that a run left otherwise than it should: rows, and what names somebody who was erased."""
    sink, receipts = run.finish(), run.receipts()
    unheard = [e for e in world.erasures if receipts.until_ms.get(e.identifier, -1) < e.until_ms]
    found = [f"{e} left no mark" for e in unheard]
    return found + differences(oracle(world, receipts), sink) + leaks(world, run.stores, receipts)


def leaks(world: World, stores: Iterable[Mapping[bytes, bytes]], receipts: Receipts) -> list[str]:
    """Records of the state that name an identifier that was erased and that nothing left names."""
    rest = left(world.events, world.words, receipts)
    live = {i[:2] for e in rest.events for i in e.ids} | {end for w in rest.words for end in w.pair}
    gone = {pack(i)[1:]: i for i in receipts.until_ms if i not in live}
    return [
        f"a record of table {key[:1]!r} still names {i}"
        for store in stores for key, value in store.items() for told, i in gone.items() if told in value
    ]


def held(sink: Sink, tables: Iterable[str]) -> Tables:
    """The sink's rows as the oracle tells them: evidence by pair."""
    found = {table: sink.rows(table) for table in tables}
    if "evidence" in found:
        shared = {node for (node,), row in sink.rows("identifiers").items() if row[4]}
        found["evidence"] = united(found["evidence"].values(), shared)
    return found


def differences(want: Tables, sink: Sink) -> list[str]:
    """A line for each row that is missing, unasked or different; none where all is right."""
    have = held(sink, want)
    if "evidence" in want:
        shared = {node for (node,), row in want["identifiers"].items() if row[4]}
        want = want | {"evidence": _at_most(want["evidence"], have["evidence"], shared)}
    return [line for table, rows in want.items() for line in _differ(table, rows, have[table])]


def _at_most(want: dict[Key, Row], have: dict[Key, Row], shared: set[bytes]) -> dict[Key, Row]:
    """The evidence that is wanted; of pairs with a shared end no more than the sink has, where that is a part."""
    out = {}
    for pair, row in want.items():
        told = have.get(pair)
        if shared.isdisjoint(pair) or (told is not None and not tells_less(row, told)):
            out[pair] = row
        elif told is not None:
            out[pair] = told
    return out


def _differ(table: str, want: dict[Key, Row], have: dict[Key, Row]) -> list[str]:
    lines = []
    for key in sorted(want.keys() | have.keys(), key=repr):
        if key not in have:
            lines.append(f"{table} lacks {_named(table, want[key])}")
        elif key not in want:
            lines.append(f"{table} has unasked {_named(table, have[key])}")
        elif want[key] != have[key]:
            columns = zip(_columns(table), want[key], have[key], strict=True)
            wrong = [f"{name} {h!r}, expected {w!r}" for name, w, h in columns if w != h]
            lines.append(f"{table} {_text(key)}: " + "; ".join(wrong))
    return lines


def _columns(table: str) -> list[str]:
    return [c.name for c in TABLES[table].columns][1 if table == "evidence" else 0 :]


def _named(table: str, row: Row) -> str:
    return " ".join(f"{name}={_text(value)}" for name, value in zip(_columns(table), row, strict=True))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()[:8]
    if isinstance(value, tuple):
        return "(" + ", ".join(_text(part) for part in value) + ")"
    return repr(value)
