"""The first board: does it run, is it fresh, is anything lost, and what has fired."""

from deploy.grafana.panels import DEPLOYMENT, GREEN, HERE, RED, YELLOW, Board, Panel, Query, Row, quantile, rate
from deploy.prometheus.slo import OBJECTIVES

ZERO_IS_WELL = ((None, GREEN), (1, RED))


def _left(name: str, says: str, alert: str) -> Panel:
    return Panel(
        f"Budget left: {name}", f"{says}. What is left of 30 days; below 0 the objective is missed.", "percentunit",
        [Query(f"deployment:{name}_budget_left:ratio{{{HERE}}}", name)], kind="stat", width=6, height=4,
        steps=((None, RED), (0, YELLOW), (0.5, GREEN)), alerts=(alert,), low=None, high=1, decimals=1,
    )


BOARD = Board(
    "onethread-overview", "onethread: overview", "Does it run, is it fresh, is anything lost.",
    variables=(DEPLOYMENT,),
    rows=(
        Row("Now", (
            Panel("Pages firing", "Alerts that want somebody now.", "none",
                  [Query(f'count(ALERTS{{alertstate="firing",severity="page",{HERE}}}) or vector(0)', "pages")],
                  kind="stat", width=4, height=4, steps=ZERO_IS_WELL),
            Panel("Workers ready", "Workers that have their partitions and their state.", "none",
                  [Query(f"deployment:workers_ready:sum{{{HERE}}}", "ready")], kind="stat", width=4, height=4,
                  steps=((None, RED), (1, GREEN)), alerts=("NoWorkerReady", "WorkerDown")),
            Panel("Partitions without owner", "Of all topics that workers read; must be 0.", "none",
                  [Query(f"deployment:partitions_unowned:sum{{{HERE}}}", "unowned")], kind="stat", width=4, height=4,
                  steps=ZERO_IS_WELL, alerts=("PartitionWithoutOwner",)),
            Panel("Events a second", "Records read from the topics of events.", "eps",
                  [Query(f"sum(rate(onethread_events_in_total{{{HERE}}}[$__rate_interval]))", "events")],
                  kind="stat", width=4, height=4),
            Panel("Visible after, p99", "From Kafka to ClickHouse, the slowest of a hundred events.", "s",
                  [Query(quantile(0.99, "onethread_visible_seconds", "", ',since="produced"'), "p99")],
                  kind="stat", width=4, height=4, steps=((None, GREEN), (5, YELLOW), (30, RED)),
                  alerts=("FreshnessBudgetBurns",), decimals=1),
            Panel("Books: difference", "In, less all that became of it. Not 0 while events are under way; 0 at rest.",
                  "none", [Query(f'onethread_books{{{HERE},entry="difference"}}', "difference")], kind="stat",
                  width=4, height=4, alerts=("EventsLost", "BooksUnread"), low=None),
        )),
        Row("Objectives", tuple(_left(one.name, one.says, one.alert) for one in OBJECTIVES)),
        Row("Flow", (
            Panel("Events in, by topic", "Records read from Kafka.", "eps",
                  [Query(rate("onethread_events_in_total", "topic"), "{{topic}}")], stack=True),
            Panel("Refused, by reason", "At ingest; each is kept as a dead letter.", "eps",
                  [Query(rate("onethread_events_refused_total", "reason"), "{{reason}}"),
                   Query(f"deployment:refused:rate15m{{{HERE}}}", "with the collector's, 15 min")],
                  alerts=("RefusalsRise", "DeadLettersUnreadable")),
            Panel("Books", "Where every event went, as ClickHouse tells.", "short",
                  [Query(f'onethread_books{{{HERE},entry!~"in|difference"}}', "{{entry}}")], stack=True),
            Panel("Visible after", "Time from Kafka to ClickHouse, of events and of merges.", "s",
                  [Query(quantile(0.5, "onethread_visible_seconds", "", ',since="produced"'), "event, p50"),
                        Query(quantile(0.99, "onethread_visible_seconds", "", ',since="produced"'), "event, p99"),
                        Query(quantile(0.99, "onethread_visible_seconds", "", ',since="merge"'), "merge, p99")],
                  alerts=("FreshnessBudgetBurns", "MergeBudgetBurns")),
            Panel("Lag", "Records that wait, by topic.", "short",
                  [Query(f"deployment_topic:lag_records:sum{{{HERE}}}", "{{topic}}")], alerts=("LagGrows",)),
            Panel("Processing", "1 while a worker is ready, every partition has an owner and nothing waits over 30 s.",
                  "none", [Query(f"deployment:processing:bool{{{HERE}}}", "processing")], kind="state-timeline",
                  steps=((None, RED), (1, GREEN)), alerts=("ProcessingBudgetBurns",), high=1),
        )),
        Row("Alerts and parts", (
            Panel("Firing now", "Every alert that fires; its name is the name of its runbook.", "none",
                  [Query(f'ALERTS{{alertstate="firing",{HERE}}}', instant=True)], kind="table", width=12),
            Panel("Parts", "As the supervisor of a local stack sees them.", "none",
                  [Query(f"onethread_part_up{{{HERE}}}", "{{part}}")], kind="state-timeline", width=6,
                  steps=((None, RED), (1, GREEN)), alerts=("PartDown",), high=1),
            Panel("Starts again", "How often a part was started again.", "none",
                  [Query(f"onethread_part_restarts{{{HERE}}}", "{{part}}"),
                   Query(f"changes(process_start_time_seconds{{{HERE}}}[1h])", "{{instance}}, last hour")],
                  width=6, alerts=("PartRestarts",)),
        )),
    ),
)
