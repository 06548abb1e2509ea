"""`python -m streams.metrics_page`: writes the tables of docs/metrics.md anew from the definitions (`make docs`)."""

import re
from pathlib import Path

from streams.metrics import DEFINITIONS, LABELS, PROCESSES, Metric

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"


def with_tables(page: str) -> str:
    """The page with what stands between `<!-- NAME -->` and `<!-- end -->` made anew; the rest is written by hand."""
    tables = {process: _metrics(process) for process in PROCESSES} | {"labels": _labels()}
    for name, table in tables.items():
        place = re.compile(rf"<!-- {name} -->\n.*?<!-- end -->", re.DOTALL)
        page, found = place.subn(f"<!-- {name} -->\n{table}\n<!-- end -->", page)
        assert found == 1, f"expected one place for the table {name}; found {found}"
    return page


def _metrics(process: str) -> str:
    rows = (f"| `{metric.name}` | {metric.kind} | {_names(metric)} | {metric.meaning} |"
            for metric in DEFINITIONS if metric.process == process)
    return "\n".join(("| name | kind | labels | meaning |", "|---|---|---|---|", *rows))


def _names(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def _labels() -> str:
    rows = (f"| `{name}` | {values} |" for name, values in LABELS.items())
    return "\n".join(("| label | its values |", "|---|---|", *rows))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
