"""Whether the stack tells exactly what was acknowledged, by an oracle that shares no code with it.

Every view is compared with the oracle's rows; events in are touchpoints out, each once; the only dead letters are the
poison. What `onethread status`, Prometheus and the dashboards say of the whole is compared with what was sent and with
what lies in Kafka, counted here. Each check gives lines, one for each thing that is wrong.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from io import BytesIO

from fastavro import parse_schema, schemaless_reader

from deploy.local.reading import batches
from deploy.local.status import Status, read
from schemas.records import CHANNEL_EVENT
from schemas.wire import HEAD_BYTES
from sinks.clickhouse.client import connect
from streams.core.channels import CHANNELS
from streams.settings import load
from streams.topics import Topics
from tests.chaos import dashboards
from tests.chaos.deployment import Deployment
from tests.integration.pipeline import SHOWN, accepted, differing, oracles, shown, view_columns, wanted

TOLD_MAX = 5
EVENT = parse_schema(json.loads(CHANNEL_EVENT.text))


def check(stack: Deployment, told: list[bytes]) -> dict[str, list[str]]:
    """What is wrong with each view, with touchpoints, books and dashboards; empty lists where all is well."""
    settings = load(stack.home)
    events = accepted(told, settings)
    want = wanted(oracles(events, settings), view_columns(stack.direct))
    found = {view: differing(want[view], shown(stack.direct, view)) for view in SHOWN}
    rows = connect(stack.direct.clickhouse_url).query("SELECT event_id FROM onethread.touchpoints").result_rows
    found["events in, rows out"] = counted((event.event_id for event in events), (row[0] for row in rows))
    sent, held = Counter(json.loads(line)["event_id"] for line in told), in_kafka(stack.direct.kafka_bootstrap)
    found["sent, in Kafka"] = [f"{times} times too few: {name}" for name, times in (sent - held).items()]
    books = reckoned(held, sent, {event.event_id for event in events}, stack.poisoned)
    found["books"] = balanced(read(stack.direct, settings), books)
    return found | dashboards.check(stack.direct, books, len(stack.workers))


def in_kafka(bootstrap: str) -> Counter[str]:
    """How often each event lies in the topics of events, by event_id; what cannot be read is ""."""
    return Counter(
        event_id(record.value)
        for channel in CHANNELS
        for batch in batches(bootstrap, Topics("").events(channel))
        for record in batch.records
    )


def event_id(value: bytes | None) -> str:
    try:
        return str(schemaless_reader(BytesIO((value or b"")[HEAD_BYTES:]), EVENT, None)["event_id"])
    except Exception:  # whatever poison makes of a reader
        return ""


def reckoned(held: Counter[str], sent: Collection[str], touching: Collection[str], poisoned: int) -> dict[str, int]:
    """What the books must say at rest; `touching` are the events that identify somebody.

    How many repeats there are is known only from Kafka's log: of what the load tells twice, but also of requests that
    had no answer and of spools whose process died in the middle, which may or may not have arrived the first time.
    """
    copies = sum(held[name] for name in touching)
    return {
        "in": held.total(), "touchpoints": len(touching), "duplicates": copies - len(touching),
        "dead_letters": poisoned, "unidentifiable": sum(held[name] for name in set(sent)) - copies,
        "erased": 0, "suppressed": 0, "difference": 0,
    }


def counted(sent: Iterable[str], held: Iterable[str]) -> list[str]:
    """Every event that was sent has one touchpoint, and there is no other."""
    wanted_ids, found = set(sent), Counter(held)
    return [
        *(f"lost: {name}" for name in sorted(wanted_ids - found.keys())),
        *(f"{times} rows: {name}" for name, times in sorted(found.items()) if times > 1),
        *(f"never sent: {name}" for name in sorted(found.keys() - wanted_ids)),
    ]


def balanced(status: Status, books: Mapping[str, int]) -> list[str]:
    """`onethread status` says the same of every entry, nothing is left, and no repeat has another content."""
    if status.lag is None:
        return ["Kafka does not tell the lag"]
    if status.books is None:
        return ["ClickHouse does not tell the books"]
    wrong = [f"{topic}: {left} records left" for topic, left in status.lag.items() if left]
    wrong += [f"{entry}: {status.books.get(entry)} told, {count} counted"
              for entry, count in books.items() if status.books.get(entry) != count]
    if status.conflicting_duplicates:
        wrong.append(f"{status.conflicting_duplicates} repeats with another content")
    return wrong


def told(found: Mapping[str, list[str]]) -> list[str]:
    """A line for each check, and what is wrong below it."""
    lines = []
    for name, wrong in found.items():
        lines.append(f"{name:<32} {f'{len(wrong)} differ' if wrong else 'equal'}")
        lines += [f"    {line[:400]}" for line in wrong[:TOLD_MAX]]
    return lines
