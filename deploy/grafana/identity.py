"""The board for whom identities are: do people merge as they should, and what joins those who should not."""

from deploy.grafana.panels import DEPLOYMENT, GREEN, HERE, RED, YELLOW, Board, Panel, Query, Row, quantile, rate

BOARD = Board(
    "onethread-identity", "onethread: identity health", "Merges, shared identifiers, signs that persons are several.",
    variables=(DEPLOYMENT,), sources=("prometheus", "clickhouse"), since="now-24h", refresh="1m",
    rows=(
        Row("Now", (
            Panel("Largest cluster", "Identifiers of the largest cluster changed since the start; 1,000 is the limit.",
                  "none", [Query(f"max(onethread_largest_cluster_identifiers{{{HERE}}})", "identifiers")], kind="stat",
                  width=6, height=4, steps=((None, GREEN), (400, YELLOW), (800, RED)),
                  alerts=("LargestClusterNearLimit",)),
            Panel("Shared identifiers", "Belong to many people now, and join nobody.", "none",
                  [Query(f"max(onethread_shared_identifiers{{{HERE}}})", "shared")], kind="stat", width=6, height=4),
            Panel("Contested identifiers", "Several persons claim them.", "none",
                  [Query(f"max(onethread_identifiers_contested{{{HERE}}})", "contested")], kind="stat", width=6,
                  height=4),
            Panel("Pending pairs", "Pairs of identifiers whose evidence does not suffice yet to unite them.", "none",
                  [Query(f"max(onethread_pending_links{{{HERE}}})", "pending")], kind="stat", width=6, height=4),
        )),
        Row("Merges", (
            Panel("Persons an hour, by action", "Merged, split or renamed, in the hour before.", "short",
                  [Query(f"deployment_action:merges:increase1h{{{HERE}}}", "{{action}}"),
                   Query(f"5 * avg_over_time(deployment_action:merges:increase1h{{{HERE}}}[1d])",
                         "{{action}}: five times the day")], alerts=("MergesJump",)),
            Panel("Identifiers of a cluster", "At each change: the median, and one of a hundred.", "none",
                  [Query(quantile(0.5, "onethread_cluster_identifiers", ""), "p50"),
                   Query(quantile(0.99, "onethread_cluster_identifiers", ""), "p99")],
                  alerts=("LargestClusterNearLimit",)),
            Panel("A merge visible after", "From Kafka to ClickHouse.", "s",
                  [Query(quantile(0.5, "onethread_visible_seconds", "", ',since="merge"'), "p50"),
                   Query(quantile(0.99, "onethread_visible_seconds", "", ',since="merge"'), "p99")],
                  alerts=("MergeBudgetBurns",)),
            Panel("Merges, by what joined them", "By the kinds that met, or what parted them.", "short", sql="""
SELECT $__timeInterval(at) AS time, concat(action, ' ', reason) AS cause, count() AS persons
FROM onethread.merges WHERE $__timeFilter(at) GROUP BY time, cause ORDER BY time""", width=12, stack=True, bars=True),
            Panel("How touchpoints found their person", "By the kind of identifier; empty where nobody was known.",
                  "short", sql="""
SELECT $__timeInterval(occurred_at) AS time, ifNull(identified_by, 'anonymous') AS kind, count() AS touchpoints
FROM onethread.touchpoints WHERE $__timeFilter(occurred_at) GROUP BY time, kind ORDER BY time""", width=12, stack=True,
                  bars=True),
        )),
        Row("What keeps people apart", (
            Panel("Shared an hour, by kind", "Identifiers found to belong to many people, or no more.", "short",
                  [Query(f"deployment_kind:identifiers_shared:increase1h{{{HERE}}}", "{{kind}}")],
                  alerts=("SharedIdentifiersJump",), stack=True),
            Panel("Pairs refused", "Seen together and unite nobody, at each change, by reason.", "ops",
                  [Query(rate("onethread_edges_refused_total", "because"), "{{because}}")], stack=True),
            Panel("Dropped identifiers", "Of accepted events, by kind and why; never their values.", "short", sql="""
SELECT kind, note, count() AS dropped FROM onethread.identifier_notes GROUP BY kind, note ORDER BY dropped DESC
LIMIT 20""", kind="table"),
        )),
        Row("Signs that a person is several", (
            Panel("Alerts an hour, by kind", "At each change of a person; nothing is changed by an alert.", "short",
                  [Query(f"deployment_kind:identity_alerts:increase1h{{{HERE}}}", "{{kind}}")],
                  alerts=("OverMergeSigns",), stack=True),
            Panel("The newest alerts", "Look at the person with `onethread who person:UUID`.", "none", sql="""
SELECT at, kind, person_id, identifier_kind, figure, limit, detail
FROM onethread.identity_alerts ORDER BY at DESC LIMIT 50""", kind="table", width=16, alerts=("OverMergeSigns",)),
        )),
        Row("Policy and commands", (
            Panel("Policy by partition", "The version that all nodes of a partition have come to.", "none",
                  [Query(f"max by (partition) (onethread_policy_version{{{HERE}}})", "{{partition}}")],
                  alerts=("PolicySweepStuck",)),
            Panel("Sweep", "Nodes brought so far to the policy that is being applied.", "short",
                  [Query(f"max by (partition) (onethread_policy_swept_nodes{{{HERE}}})", "{{partition}}")],
                  alerts=("PolicySweepStuck",)),
            Panel("Commands", "Of operators: rules, policies, erasures.", "ops",
                  [Query(rate("onethread_commands_total", "outcome"), "{{outcome}}")]),
        )),
    ),
)
