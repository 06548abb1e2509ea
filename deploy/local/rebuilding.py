"""ClickHouse's data built again from topics and state, while events flow.

In order, each step harmless when done twice, so that a rebuild that was killed goes on where it was:
1. a database beside the present one, with empty tables (sinks/clickhouse/rebuilding.py);
2. a command, on which every partition sets a milestone among its facts and sends all rows again
   (streams/core/resending.py); from the milestones on whatever is loaded goes to both databases;
3. what no state tells, copied from its topics: history, dead letters, reference records;
4. rest: what was on its way between partitions when they were asked is through;
5. the new data in the place of the old, table by table; then the database of step 1 is dropped.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors import commands
from deploy.local import stack
from deploy.local.ports import Addresses
from deploy.local.reading import batches
from deploy.local.settle import settle
from schemas.registry import SchemaCache
from schemas.registry import client as registry_client
from sinks.clickhouse import migrations, rebuilding
from sinks.clickhouse.client import connect
from sinks.clickhouse.columns import DATABASE, Rows
from sinks.clickhouse.writer import RebuildOver, Writer
from streams import clock
from streams.agents.copying import Copying, unpacked
from streams.core import facts, reference
from streams.core.commands import REBUILD_VERB
from streams.errors import OneThreadError, Retryable
from streams.settings import Settings
from streams.topics import Topics

LOOK_S = 0.5
WORKERS_S = 10.0
"""Without progress for this long, it is asked whether any worker runs."""
REST_S = 600.0

Say = Callable[[str], object]


def rebuild(addresses: Addresses, settings: Settings, say: Say) -> int:
    """Build the tables of facts and of reference records again; how many rows they hold then.

    Errors: OneThreadError where a part of the stack does not answer, no worker runs, or there is no rest within ten
    minutes; the next call goes on. Cost: some 100 µs a touchpoint in the workers.
    """
    client = connect(addresses.clickhouse_url)
    try:
        _make_tables(client, addresses, settings)
        name = _begin(client, addresses, settings)
        _await_partitions(client, name, rebuilding.BEGUN, addresses, settings, say)
        _copy(client, name, addresses, settings, say)
        _await_partitions(client, name, rebuilding.ENDED, addresses, settings, say)
        _await_rest(addresses, settings, say)
        count = rebuilding.rows(client, rebuilding.database_of(name))
        rebuilding.swap(client, name, lambda table: say(f"putting {table} in place"))
        rebuilding.drop(client, name)
    except ClickHouseError as error:
        raise OneThreadError(f"ClickHouse does not answer at {addresses.clickhouse_url}, or refuses: {error}") from None
    except RebuildOver:
        raise OneThreadError("the rebuild was ended by somebody else") from None
    except Retryable as error:
        raise OneThreadError(f"{error}: is the stack up? `onethread rebuild` goes on") from None
    finally:
        client.close()
    return count


def end(addresses: Addresses) -> int:
    """Give up rebuilds that are under way; how many there were. Errors: clickhouse_connect's DatabaseError."""
    client = connect(addresses.clickhouse_url)
    names = rebuilding.under_way(client)
    for name in names:
        rebuilding.drop(client, name)
    return len(names)


def _make_tables(client: Client, addresses: Addresses, settings: Settings) -> None:
    """Where ClickHouse has lost everything: the tables and views, and the policy in force."""
    if not rebuilding.has_tables(client):
        migrations.apply(addresses.clickhouse_url, settings)
    in_force = commands.policy_in_force(addresses.kafka_bootstrap, addresses.registry_url, settings)
    migrations.show_policy(addresses.clickhouse_url, in_force.policy)


def _begin(client: Client, addresses: Addresses, settings: Settings) -> str:
    """The rebuild under way, else a new one, of which every partition is told."""
    *superseded, name = rebuilding.under_way(client) or [f"{clock.now_ms():013d}"]
    for other in superseded:
        rebuilding.drop(client, other)
    rebuilding.create(client, name)
    if not rebuilding.milestones(client, name)[rebuilding.BEGUN]:
        commands.send(
            addresses.kafka_bootstrap, addresses.registry_url, settings, verb=REBUILD_VERB, document=name,
        )
    return name


def _await_partitions(
    client: Client, name: str, state: str, addresses: Addresses, settings: Settings, say: Say,
) -> None:
    """Until all partitions have come to a state."""
    database = rebuilding.database_of(name)
    present, seen, moved_s = rebuilding.rows(client, DATABASE), (0, 0), time.monotonic()
    while True:
        done, rows = len(rebuilding.milestones(client, name)[state]), rebuilding.rows(client, database)
        if done >= settings.partitions:
            return
        if (done, rows) != seen:
            seen, moved_s = (done, rows), time.monotonic()
        elif time.monotonic() - moved_s > WORKERS_S:
            _check_workers(addresses)
            moved_s = time.monotonic()
        say(f"{done} of {settings.partitions} partitions have {state}; {rows:,} rows (now {present:,})")
        time.sleep(LOOK_S)


def _check_workers(addresses: Addresses) -> None:
    living = stack.living_parts(addresses.home)
    if not addresses.outside and not any(record.name.startswith("worker-") for record in living):
        raise OneThreadError("no worker runs: start one (`onethread up`), then `onethread rebuild` goes on")


def _await_rest(addresses: Addresses, settings: Settings, say: Say) -> None:
    left = settle(addresses.kafka_bootstrap, settings, REST_S,
                  lambda lagging: say(f"waiting for rest: {sum(lagging.values()):,} records left"))
    if left:
        raise OneThreadError(f"no rest after {REST_S:g} s; records left by topic: {left}. `onethread rebuild` goes on")


def _copy(client: Client, name: str, addresses: Addresses, settings: Settings, say: Say) -> None:
    """What no state tells: as ClickHouse has it, where topics no longer have all of it; and as the topics have it."""
    database, names = rebuilding.database_of(name), Topics(settings.topic_prefix)
    rebuilding.keep(client, name)
    copying = Copying(names, SchemaCache(registry_client(addresses.registry_url)))
    writer, count = Writer(addresses.clickhouse_url), 0
    for topic in (names.history, names.dead_letters, *(names.reference(one) for one in reference.TABLES)):
        for batch in batches(addresses.kafka_bootstrap, topic):
            writer.write(_rows(copying, batch), database)
            count += len(batch.records)
            say(f"copying {topic}: {count:,} records")
    rebuilding.forget_erased(client, name)


def _rows(copying: Copying, batch: Any) -> Iterator[Rows]:
    if copying.is_facts(batch.tp.topic):
        yield from (unpacked(facts.decode(record.value)) for record in batch.records)
    else:
        yield copying.rows(batch)
