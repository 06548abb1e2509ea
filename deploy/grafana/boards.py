"""Every dashboard there is, by the name of its file."""

from pathlib import Path

from deploy.grafana import business, clickhouse, identity, overview, pipeline

DASHBOARDS = Path(__file__).resolve().parent / "dashboards"

BOARDS = {
    "overview": overview.BOARD,
    "identity": identity.BOARD,
    "pipeline": pipeline.BOARD,
    "clickhouse": clickhouse.BOARD,
    "business": business.BOARD,
}
