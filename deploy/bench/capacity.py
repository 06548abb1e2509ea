"""`python -m deploy.bench.capacity`: how many bytes a touchpoint and an identifier take in each store, as a table.

Measured on the running local stack of ONETHREAD_HOME at rest; with `--events N` on a stack of its own with the events
of `onethread bench`. What the state holds is counted from its changelog, the last value of each key; sizes of files
are of the disk, before and after compaction whatever the moment has.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.bench.events import generate, people_for
from deploy.bench.sender import Sender
from deploy.bench.stack import Worker, running
from deploy.local.ports import Addresses
from deploy.local.reading import batches
from deploy.local.settle import settle
from sinks.clickhouse.client import connect
from streams.errors import OneThreadError
from streams.settings import Settings, load
from streams.state.snapshot import changelog_topic
from streams.topics import Topics

SETTLE_S = 1800.0
KINDS = {
    b"n": "nodes and clusters", b"o": "nodes and clusters", b"p": "partners", b"e": "touchpoints",
    b"f": "refused links", b"r": "traces of erasures", b"m": "traces of erasures", b"d": "traces of erasures",
}
"""Records of the state by the first byte of their keys: streams/core/nodes.py."""

FACTS_MIN_SHARE = 0.01
"""Of ClickHouse's bytes; smaller tables are told together."""


def measure(addresses: Addresses, settings: Settings) -> dict[str, Any]:
    """Counts and bytes of a stack at rest. Errors: OneThreadError where it does not come to rest."""
    if left := settle(addresses.kafka_bootstrap, settings, SETTLE_S):
        raise OneThreadError(f"not at rest: {left}")
    client = connect(addresses.clickhouse_url)
    counts = {name: int(client.query(f"SELECT count() FROM onethread.{name}").result_rows[0][0])  # noqa: S608
              for name in ("touchpoints", "identifiers", "persons", "sessions", "orders")}
    tables = client.query(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'onethread' "
        "GROUP BY table ORDER BY 3 DESC").result_rows
    return {
        "counts": counts, "topics": topics(addresses, settings),
        "state": state(addresses.kafka_bootstrap, settings),
        "rocksdb": _size((addresses.home / "state").rglob("*")),
        "clickhouse": {str(name): {"rows": int(rows), "bytes": int(size)} for name, rows, size in tables},
    }


def topics(addresses: Addresses, settings: Settings) -> dict[str, int]:
    """Bytes of log files by topic, those of all channels together, replicas counted."""
    names = Topics(settings.topic_prefix)
    found: Counter[str] = Counter()
    for path in (addresses.home / "kafka").rglob("*.log"):
        topic = path.parent.name.rpartition("-")[0]
        if topic.startswith(names.events("")):
            topic = names.events("*")
        found[topic] += path.stat().st_size
    return dict(found.most_common())


def state(bootstrap: str, settings: Settings) -> dict[str, dict[str, int]]:
    """Records and bytes of keys and values, by what they are of."""
    sizes: dict[bytes, int] = {}
    for batch in batches(bootstrap, changelog_topic(settings.topic_prefix)):
        for record in batch.records:
            if record.value is None:
                sizes.pop(record.key, None)
            else:
                sizes[record.key] = len(record.key) + len(record.value)
    found: dict[str, dict[str, int]] = {}
    for key, size in sizes.items():
        kind = found.setdefault(KINDS.get(key[:1], "of the partition"), {"records": 0, "bytes": 0})
        kind["records"] += 1
        kind["bytes"] += size
    return found


def table(found: dict[str, Any]) -> str:
    """Markdown: each store's bytes a touchpoint."""
    touchpoints, identifiers = found["counts"]["touchpoints"], found["counts"]["identifiers"]
    lines = [", ".join(f"{number:,} {name}" for name, number in found["counts"].items()), "",
             "| store | MB | bytes a touchpoint | records or rows a touchpoint |", "|---|---|---|---|"]

    def add(name: str, size: int, records: int | None = None) -> None:
        share = f"{records / touchpoints:.2f}" if records is not None else ""
        lines.append(f"| {name} | {size / 1e6:.1f} | {size / touchpoints:,.0f} | {share} |")

    for topic, size in found["topics"].items():
        if size / touchpoints >= 1:
            add(f"topic `{topic}`", size)
    for kind, held in sorted(found["state"].items(), key=lambda item: -item[1]["bytes"]):
        add(f"state: {kind}", held["bytes"], held["records"])
    add("RocksDB files", found["rocksdb"])
    whole = sum(one["bytes"] for one in found["clickhouse"].values())
    large = {name: one for name, one in found["clickhouse"].items() if one["bytes"] >= FACTS_MIN_SHARE * whole}
    for name, one in large.items():
        add(f"ClickHouse `{name}`", one["bytes"], one["rows"])
    add("ClickHouse, other tables", whole - sum(one["bytes"] for one in large.values()))
    add("ClickHouse, all", whole, sum(one["rows"] for one in found["clickhouse"].values()))
    nodes = sum(held["bytes"] for kind, held in found["state"].items() if kind in ("nodes and clusters", "partners"))
    lines += ["", f"State an identifier, without touchpoints: {nodes / max(identifiers, 1):,.0f} bytes; "
                  f"{identifiers / touchpoints:.2f} identifiers a touchpoint."]
    return "\n".join(lines)


def _size(paths: Any) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def apart(events: int, seed: int) -> dict[str, Any]:
    """The same on a stack of one's own, in a temporary home."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", True, _say) as addresses:
        settings = load(addresses.home)
        sender = Sender(addresses, settings)
        sender.send(map(sender.encode, generate(events, people_for(events), seed)))
        worker = Worker(addresses)
        try:
            worker.await_ready()
            found = measure(addresses, settings)
        finally:
            worker.stop()
        found["rocksdb"] = _size((addresses.home / "state").rglob("*"))  # what was in memory is written at the end
        return found


def _say(text: str) -> None:
    if text and sys.stderr.isatty():
        print(text, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=0, help="measure a stack of its own with so many events")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    addresses = Addresses.from_environ()
    found = apart(chosen.events, chosen.seed) if chosen.events else measure(addresses, load(addresses.home))
    print(json.dumps(found, indent=2) if chosen.json else table(found))


if __name__ == "__main__":
    main()
