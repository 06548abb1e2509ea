"""`python -m connectors.segment`: the tables of docs/segment.md, as the mapping has it.

With ONETHREAD_HOME set, that of the deployment: what its segment.toml makes of it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from connectors.segment.mapping import Path_, Row, SegmentMapping, default, load


def table(mapping: SegmentMapping) -> Iterator[str]:
    """The lines of two tables: each call and each event that has a row; each group of fields that rows use."""
    yield "| call | becomes | fields |"
    yield "|---|---|---|"
    for name, row in mapping.calls.items():
        yield f"| `{name}` | {_becomes(row)} | |"
    for row in mapping.rows:
        yield f"| {row.name} | {_becomes(row)} | {_fields(row, mapping)} |"
    yield ""
    yield "| group | fields |"
    yield "|---|---|"
    for name, fields in mapping.groups.items():
        yield f"| *{name}* | {'; '.join(_pair(path, target) for path, target in fields.items())} |"


def _becomes(row: Row) -> str:
    on = f" on channel {row.channel}" if row.channel else ""
    return f"`{row.type}`{on}" + (f" (role {row.role})" if row.role else "")


def _fields(row: Row, mapping: SegmentMapping) -> str:
    grouped = sum(len(mapping.groups[name]) for name in row.use)
    parts = [f"*{name}*" for name in row.use]
    parts += [_pair(_written(path), target) for path, target in row.fields[grouped:]]
    for target, ways in row.sums:
        told = ", else ".join(
            " ".join(("− " if term.is_off else "+ " if place else "") + _written(term.path)
                     for place, term in enumerate(way))
            for way in ways
        )
        parts.append(_pair(told, target))
    if row.line:
        parts.append(_pair("the product", row.line))
    if row.lines:
        parts.append(_pair("products", row.lines))
    parts += [f"`{target}` = {str(value).lower()}" for target, value in row.set]
    return "; ".join(parts)


def _pair(path: str, target: str) -> str:
    return f"{path} → `{target}`"


def _written(path: Path_) -> str:
    return ".".join(path).removeprefix("properties.")


def main() -> None:
    home = os.environ.get("ONETHREAD_HOME")
    print("\n".join(table(load(Path(home)) if home else default())))


if __name__ == "__main__":
    main()
