"""The board for the end of the pipeline: what goes into ClickHouse, how fast, and how ClickHouse is."""

from deploy.grafana.panels import DEPLOYMENT, GREEN, HERE, RED, YELLOW, Board, Panel, Query, Row, quantile, rate

CLICKHOUSE = 'job="clickhouse",deployment="$deployment"'

BOARD = Board(
    "onethread-clickhouse", "onethread: ClickHouse", "Inserts, delay, errors; parts, merges and memory.",
    variables=(DEPLOYMENT,), sources=("prometheus", "clickhouse"),
    rows=(
        Row("Inserts", (
            Panel("Rows", "Inserted a second, by table.", "rps",
                  [Query(rate("onethread_clickhouse_rows_total", "table"), "{{table}}")], stack=True),
            Panel("Time of an insert, p95", "That ClickHouse acknowledged, by table.", "s",
                  [Query(quantile(0.95, "onethread_clickhouse_insert_seconds", "table"), "{{table}}")],
                  alerts=("ClickHouseDelay",)),
            Panel("Inserts", "A second, by table: at most five for each worker.", "ops",
                  [Query(rate("onethread_clickhouse_insert_seconds_count", "table"), "{{table}}")], stack=True,
                  alerts=("TooManyParts",)),
            Panel("Delay", "Age of the oldest fact not yet in ClickHouse.", "s",
                  [Query(f"deployment:clickhouse_delay_seconds:max{{{HERE}}}", "oldest")],
                  steps=((None, GREEN), (30, RED)), alerts=("ClickHouseDelay",)),
            Panel("Errors", "Failed inserts and questions, by ClickHouse's code; network where nobody is there.", "ops",
                  [Query(rate("onethread_clickhouse_errors_total", "code"), "{{code}}")],
                  alerts=("ClickHouseInsertsFail", "ClickHouseAway")),
            Panel("Tried again", "Failures that are waited out: the group is inserted again.", "ops",
                  [Query(rate("onethread_clickhouse_retries_total", "code"), "{{code}}")], alerts=("ClickHouseAway",)),
        )),
        Row("The server", (
            Panel("Most parts of a partition", "Inserts are slowed down at 1,000 and refused at 3,000.", "none",
                  [Query(f"max(ClickHouseAsyncMetrics_MaxPartCountForPartition{{{CLICKHOUSE}}})", "most"),
                   Query(f"max(ClickHouseAsyncMetrics_TotalPartsOfMergeTreeTables{{{CLICKHOUSE}}})", "all")],
                  steps=((None, GREEN), (500, YELLOW), (1000, RED)), alerts=("TooManyParts",)),
            Panel("Under way", "Queries and merges at this moment.", "none",
                  [Query(f"ClickHouseMetrics_Query{{{CLICKHOUSE}}}", "{{instance}} queries"),
                   Query(f"ClickHouseMetrics_Merge{{{CLICKHOUSE}}}", "{{instance}} merges")]),
            Panel("Memory", "That ClickHouse accounts for.", "bytes",
                  [Query(f"ClickHouseMetrics_MemoryTracking{{{CLICKHOUSE}}}", "{{instance}}")]),
            Panel("Failed queries", "Of everybody.", "ops",
                  [Query(f"rate(ClickHouseProfileEvents_FailedQuery{{{CLICKHOUSE}}}[$__rate_interval])",
                         "{{instance}}")]),
            Panel("Merged rows", "Rows that merges rewrote, a second.", "rps",
                  [Query(f"rate(ClickHouseProfileEvents_MergedRows{{{CLICKHOUSE}}}[$__rate_interval])",
                         "{{instance}}")]),
        )),
        Row("Tables", (
            Panel("Tables", "Active parts, rows of all versions, and bytes on disk.", "none", sql="""
SELECT table, count() AS parts, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, max(modification_time) AS changed
FROM system.parts WHERE active AND database = 'onethread' GROUP BY table ORDER BY bytes DESC""", kind="table", width=12,
                  units={"rows": "short", "bytes": "bytes", "parts": "none"}, alerts=("DiskNearlyFull",)),
            Panel("Merges and mutations under way", "Long ones hold inserts up.", "none", sql="""
SELECT table, elapsed, progress, num_parts, total_size_bytes_compressed AS bytes, is_mutation
FROM system.merges WHERE database = 'onethread' ORDER BY elapsed DESC LIMIT 20""", kind="table", width=12,
                  units={"elapsed": "s", "progress": "percentunit", "bytes": "bytes"}),
        )),
    ),
)
