"""The collector's load is accepted whole, and its table compares like with like."""

import json
from pathlib import Path

from connectors import segment
from connectors.checking import Checker
from connectors.collector import keys
from connectors.collector.collecting import Collector
from connectors.collector.keys import Keys, source_of
from connectors.spool import Spool
from deploy.bench import collector as bench
from deploy.bench.report import collector_figures
from streams.core.policy import default
from streams.settings import Settings
from streams.topics import Topics


def test_every_call_of_the_load_is_an_event_of_its_own(tmp_path: Path) -> None:
    _, key = keys.add(tmp_path, "bench", channels=("web",))
    spool = Spool(tmp_path / "spool.db")
    collector = Collector(Checker(Settings(), default()), segment.default(), Topics(), Keys(tmp_path), spool)
    gathered = collector.gather(key)
    batches = [json.loads(body) for body in bench.bodies(300)]
    for batch in batches:
        for call in segment.unbatch(batch):
            gathered.event(segment.decode(call, source_of(key), gathered.received_ms)[0])  # type: ignore[index]
    assert (len(batches), gathered.accepted, gathered.refused) == (3, 300, [])
    assert len({record.key for record in gathered.records}) == 300


def test_the_table_names_the_floor_and_the_share_of_it() -> None:
    speed = {"cpu_us": 4.0, "events_core_s": 250_000.0, "events_s": 20_000.0, "p50_ms": 1.0, "p99_ms": 2.0,
             "steady_p50_ms": 1.0, "steady_p99_ms": 3.0}
    found = speed | {"cpu_us": 200.0, "events_core_s": 5_000.0, "events_s": 4_000.0}
    rows = collector_figures({"floor": speed, "collector": found})
    assert [(row.of_floor, row.measured) for row in rows[:3]] == [
        (1.0, "4 µs CPU an event, 250,000 events/s of one core"),
        (0.02, "200 µs CPU an event, 5,000 events/s of one core"),
        (0.2, "4,000 events/s, p50 1 ms, p99 2 ms"),
    ]
