"""Both flavours of the schema side by side, in one engine: `python -m … FOLDER CUSTOMERS [VIEW …]`.

A process of its own, because an engine reads its configuration once. The configuration names a cluster of two shards,
both this very process, and row policies let each shard see only the rows whose key leads to it: what Distributed,
its joins and FINAL make of two shards is the real engine's work. Left out, for want of a Keeper: ON CLUSTER, and
Replicated engines, which stand as their plain ones. Prints as JSON what differs; without VIEWs every view is asked.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from chdb.state.sqlitelike import Connection

from examples.sample import lines
from examples.sample.catalogue import AS_OF, CURRENCY, ZONE
from sinks.clickhouse import cluster, erasure, migrations, rebuilding
from sinks.clickhouse.client import connect
from sinks.clickhouse.columns import TABLES as KEPT
from sinks.clickhouse.columns import Rows
from sinks.clickhouse.writer import Writer
from streams.core.policy import default
from streams.core.shaping import DURATIONS
from streams.settings import Settings
from tests.integration.pipeline import accepted
from tests.oracle.batch import Tables, expected
from tests.unit.sinks.clickhouse.conftest import row

NAME = "twofold"
SETTINGS = Settings(as_of=AS_OF, default_region="UA", reporting_currency=CURRENCY, reporting_zone=ZONE,
                    clickhouse_cluster=NAME)
PORT = 9000  # nobody listens there: an address of this server is answered in the process
PLAIN = "plain"
REBUILD = "beside"
PERIOD = "(from = '2026-02-01 00:00:00', to = '2026-02-15 12:00:00')"
IN_NO_ORDER = ("facts_money",)
"""Parallel arrays, which are looked up and not shown."""
DRAWN = 30
AT = "(at = '2026-02-10 00:00:00')"

_ON_CLUSTER = re.compile(rf" ON CLUSTER '{NAME}'")
_REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(, )?")


def emulated(text: str) -> str:
    """A statement of the clustered flavour without what needs a Keeper."""
    return _REPLICATED.sub(r"\1(", _ON_CLUSTER.sub("", text))


def configuration(path: Path, profile: Mapping[str, str]) -> str:
    """config.xml: a cluster of two shards in this process, and what each shard sees of each table."""
    shard = f"<shard><replica><host>localhost</host><port>{PORT}</port></replica></shard>"
    seen = "".join(f"<{name}{cluster.SUFFIX}><filter>shardNum() IN (0, {key} % 2 + 1)</filter></{name}{cluster.SUFFIX}>"
                   for name, key in cluster.SHARDED.items())
    databases = "onethread", rebuilding.database_of(REBUILD)
    policies = "".join(f"<{database}>{seen}</{database}>" for database in databases)
    chosen = "".join(f"<{name}>{value}</{name}>" for name, value in profile.items())
    return f"""<clickhouse>
  <tcp_port>{PORT}</tcp_port>
  <remote_servers><{NAME}>{shard}{shard}</{NAME}></remote_servers>
  <profiles><default>{chosen}</default></profiles>
  <quotas><default/></quotas>
  <users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    <databases>{policies}</databases></default></users>
  <user_directories><users_xml><path>{path}</path></users_xml></user_directories>
</clickhouse>"""


class Both:
    """The two flavours: `onethread` over two shards, `plain` as on one server."""

    def __init__(self, folder: Path) -> None:
        path = folder / "config.xml"
        path.write_text(configuration(path, {**cluster.PROFILE, "max_threads": "1"}))
        self._root = Connection(f"{folder}/data?config-file={path}")  # who opens it first configures it for all
        self.url = f"chdb://{folder}/data"
        self.client = connect(self.url)
        self._make()
        self.writer = Writer(self.url)
        self.asked = 0

    def _make(self) -> None:
        whole = self.client.command

        def command(text: str, *args: Any, **named: Any) -> Any:
            return whole(emulated(text), *args, **named)

        self.client.command = command
        migrations.connect = lambda _: self.client  # type: ignore[assignment]
        self.client.close = lambda: None
        migrations.apply(self.url, SETTINGS)
        plain = SETTINGS.model_copy(update={"clickhouse_cluster": ""})
        for text in ("CREATE DATABASE onethread", migrations._RECORDS, *(
            part for file in migrations.migrations().values() for part in migrations.statements(file)
        ), migrations.settings_view(plain), migrations.channels_view(plain), migrations.policy_view(default()),
            migrations.alert_limits_view(default()), *(
                part for view in migrations.VIEWS for part in migrations.texts_of(view)
        )):
            whole(text.replace("onethread.", f"{PLAIN}.").replace("DATABASE onethread", f"DATABASE {PLAIN}"))

    def fill(self, tables: Tables, random: Random) -> None:
        """The rows of facts with some versions above others, and some rows taken back, the same in both."""
        for name, table in KEPT.items():
            told = tables.get(name, {}).values() if name != "evidence" else ()
            rows = [list(row) for row in told] or [_drawn(name, random) for _ in range(DRAWN)]
            first = [[1, *row] for row in rows]
            again = [[2, *row] for row in rows if random.random() < 0.1]
            gone = [[3, *row[:table.key]] for row in rows if random.random() < 0.05]
            for database in ("onethread", PLAIN):
                self.writer.write([Rows(name, first)], database)
                self.writer.write([Rows(name, again, gone)], database)
        for text in _RUNS:
            self.client.command(text)
        for table in ("batch_runs", "batch_weights", "batch_order_credits", "batch_predictions"):
            self.client.command(f"INSERT INTO {PLAIN}.{table} SELECT * FROM onethread.{table}")

    def rebuild(self) -> None:
        """Tables beside, filled from those that are there, and put in their place."""
        rebuilding.create(self.client, REBUILD)
        for table in rebuilding.tables(self.client):
            beside = f"{rebuilding.database_of(REBUILD)}.{table}"
            self.client.command(f"INSERT INTO {beside} SELECT * FROM onethread.{table}")
        rebuilding.forget_erased(self.client, REBUILD)
        rebuilding.swap(self.client, REBUILD, bool)
        rebuilding.drop(self.client, REBUILD)

    def erase(self) -> dict[str, list[int]]:
        """What is hidden of one person goes: rows of a table that tell of it, and others that are there, twice."""
        node = self.client.query("SELECT node FROM onethread.facts_identifiers ORDER BY node LIMIT 1").result_rows[0][0]
        person = erasure.known_as(self.client, [node])
        ids = ", ".join(f"'{one}'" for one in person.ids)
        told = {table: f"SELECT (SELECT count() FROM onethread.{table} WHERE person_id IN ({ids})), "
                       f"(SELECT count() FROM onethread.{table} FINAL WHERE person_id NOT IN ({ids}))"
                for table in ("facts_touchpoints", "facts_persons")}
        for table in told:
            self.client.command(f"""INSERT INTO onethread.{table} SELECT * REPLACE (9 AS version, 1 AS is_deleted)
                FROM onethread.{table} FINAL WHERE person_id IN ({ids})""")
        before = {table: list(self.client.query(text).result_rows[0]) for table, text in told.items()}
        erasure.delete(self.client, person, 0)
        return {table: before[table] + list(self.client.query(text).result_rows[0]) for table, text in told.items()}

    def differing(self, views: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Views whose rows are not the same in both, with their numbers of rows."""
        for view in migrations.VIEWS:
            for text in migrations.texts_of(view):
                name = "".join(re.findall(r"VIEW onethread\.(\w+)", text))
                if name in IN_NO_ORDER or (views and name not in views):
                    continue
                self.asked += 1
                asked = name + (PERIOD if name.endswith("_between") else AT if view in migrations.PARAMETERISED else "")
                found = []
                for database in ("onethread", PLAIN):
                    rows = self.client.query(f"SELECT * FROM {database}.{asked} ORDER BY ALL").result_rows
                    found.append([[_rounded(value) for value in row] for row in rows])
                if found[0] != found[1]:
                    yield name, [len(rows) for rows in found]

    def spread(self) -> list[int]:
        """Rows of facts_touchpoints on each shard."""
        return [int(n) for (n,) in self.client.query(
            "SELECT count() FROM onethread.facts_touchpoints GROUP BY shardNum() ORDER BY shardNum()").result_rows]


def _drawn(name: str, random: Random) -> list[Any]:
    """A row of a table that the sample says nothing of, its key at random."""
    columns = KEPT[name].columns[:KEPT[name].key]
    drawn: dict[str, Callable[[], Any]] = {
        "uuid": lambda: random.randbytes(16), "str": lambda: f"v{random.random()}",
        "int": lambda: random.randrange(10**6), "ms": lambda: random.randrange(10**12),
        "day": lambda: random.randrange(20_000),
    }
    return row(name, **{column.name: drawn[column.type]() for column in columns})[1:]


def _rounded(value: Any) -> Any:
    """Sums of floats depend on their order in the last digit."""
    return round(value, 9) if isinstance(value, float) else value


_RUN = "toUUID('00000000-0000-4000-8000-000000000001')"
_RUNS = (
    f"INSERT INTO onethread.batch_runs SELECT {_RUN}, 'ltv', now64(3), now64(3), "
    "map('a', '0.7', 'b', '2.9', 'r', '0.3', 'alpha', '4.5', 'kind', 'fit'), '{}'",
    f"INSERT INTO onethread.batch_predictions SELECT {_RUN}, person_id, 1.5, 20.25, 4.5 "
    "FROM onethread.facts_persons FINAL WHERE known",
    "INSERT INTO onethread.batch_runs SELECT toUUID('00000000-0000-4000-8000-000000000002'), 'markov', now64(3), "
    "now64(3), map('by', 'channel'), '{}'",
    "INSERT INTO onethread.batch_weights SELECT toUUID('00000000-0000-4000-8000-000000000002'), arrayJoin(["
    "'web', 'pos']), 0.5, 0.5, 3",
    "INSERT INTO onethread.batch_order_credits SELECT toUUID('00000000-0000-4000-8000-000000000002'), order_id, "
    "event_ids, touches, ats, channels, campaign_sources, campaign_mediums, campaign_names, channels, linear "
    "FROM onethread.facts_credits FINAL",
)


def main(folder: Path, customers: int, views: Sequence[str]) -> None:
    events = accepted([line.encode() for line in lines(42, customers)], SETTINGS)
    durations = {name: getattr(SETTINGS, name) for name in DURATIONS}
    both = Both(folder)
    both.fill(expected(events, default(), durations, b"pepper"), Random(7))
    both.rebuild()
    told = {"spread": both.spread(), "differing": dict(both.differing(views)), "erased": both.erase()}
    print(json.dumps({**told, "asked": both.asked}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
