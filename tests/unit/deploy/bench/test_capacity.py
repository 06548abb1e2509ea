"""The table of what is stored, from counts and sizes."""

from deploy.bench.capacity import table


def test_every_store_is_told_by_touchpoint() -> None:
    found = {
        "counts": {"touchpoints": 1_000, "identifiers": 500},
        "topics": {"events.*": 480_000, "history": 20},
        "state": {"touchpoints": {"records": 1_000, "bytes": 775_000},
                  "partners": {"records": 700, "bytes": 70_000},
                  "nodes and clusters": {"records": 500, "bytes": 430_000}},
        "rocksdb": 900_000,
        "clickhouse": {"facts_touchpoints": {"rows": 1_000, "bytes": 150_000}, "facts_x": {"rows": 3, "bytes": 100}},
    }
    lines = table(found).splitlines()
    assert lines[0] == "1,000 touchpoints, 500 identifiers"
    assert lines[4:] == [
        "| topic `events.*` | 0.5 | 480 |  |",
        "| state: touchpoints | 0.8 | 775 | 1.00 |",
        "| state: nodes and clusters | 0.4 | 430 | 0.50 |",
        "| state: partners | 0.1 | 70 | 0.70 |",
        "| RocksDB files | 0.9 | 900 |  |",
        "| ClickHouse `facts_touchpoints` | 0.1 | 150 | 1.00 |",
        "| ClickHouse, other tables | 0.0 | 0 |  |",
        "| ClickHouse, all | 0.2 | 150 | 1.00 |",
        "",
        "State an identifier, without touchpoints: 1,000 bytes; 0.50 identifiers a touchpoint.",
    ]
