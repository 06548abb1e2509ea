"""Whether the stack tells exactly what was acknowledged, by an oracle that shares no code with it.

Every view is compared with the oracle's rows; events in are touchpoints out, each once; the books balance; the only
dead letters are the poison. Each check gives lines, one for each thing that is wrong.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from deploy.local.status import Status, read
from sinks.clickhouse.client import connect
from streams.settings import load
from tests.chaos.deployment import Deployment
from tests.integration.pipeline import SHOWN, accepted, differing, oracles, shown, view_columns, wanted

TOLD_MAX = 5


def check(stack: Deployment, told: list[bytes]) -> dict[str, list[str]]:
    """What is wrong with each view, with the touchpoints and with the books; empty lists where all is well."""
    settings = load(stack.home)
    events = accepted(told, settings)
    want = wanted(oracles(events, settings), view_columns(stack.direct))
    found = {view: differing(want[view], shown(stack.direct, view)) for view in SHOWN}
    rows = connect(stack.direct.clickhouse_url).query("SELECT event_id FROM onethread.touchpoints").result_rows
    found["events in, rows out"] = counted((event.event_id for event in events), (row[0] for row in rows))
    found["books"] = balanced(read(stack.direct, settings), len(events), stack.poisoned)
    return found


def counted(sent: Iterable[str], held: Iterable[str]) -> list[str]:
    """Every event that was sent has one touchpoint, and there is no other."""
    wanted_ids, found = set(sent), Counter(held)
    return [
        *(f"lost: {name}" for name in sorted(wanted_ids - found.keys())),
        *(f"{times} rows: {name}" for name, times in sorted(found.items()) if times > 1),
        *(f"never sent: {name}" for name in sorted(found.keys() - wanted_ids)),
    ]


def balanced(status: Status, sent: int, poisoned: int) -> list[str]:
    """The books add up, nothing is left, and what is in them is what was sent and what was poison."""
    books: Mapping[str, int] = status.books or {}
    wrong = [] if status.books else ["ClickHouse does not tell the books"]
    wrong += [f"{topic}: {left} records left" for topic, left in (status.lag or {}).items() if left]
    if books.get("difference", 0):
        wrong.append(f"difference {books['difference']}")
    if books.get("dead_letters", 0) != poisoned:
        wrong.append(f"{books.get('dead_letters')} dead letters of {poisoned} poison messages")
    if books.get("in", 0) < sent + poisoned:
        wrong.append(f"{books.get('in')} records read of {sent} events and {poisoned} poison messages")
    if status.conflicting_duplicates:
        wrong.append(f"{status.conflicting_duplicates} repeats with another content")
    return wrong


def told(found: Mapping[str, list[str]]) -> list[str]:
    """A line for each check, and what is wrong below it."""
    lines = []
    for name, wrong in found.items():
        lines.append(f"{name:<24} {f'{len(wrong)} differ' if wrong else 'equal'}")
        lines += [f"    {line[:400]}" for line in wrong[:TOLD_MAX]]
    return lines
