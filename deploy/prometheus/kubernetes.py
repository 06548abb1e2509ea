"""The rules as the Prometheus operator takes them: `python -m deploy.prometheus.kubernetes` writes PrometheusRules.

Each file of rules becomes a resource whose `spec` is its text, so both ways of running Prometheus have the same rules.
"""

from pathlib import Path
from textwrap import indent

from deploy.prometheus.local import FOLDER

FILE = FOLDER.parent / "kubernetes" / "production" / "rules.yaml"
HEAD = """---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: onethread-{name}
spec:
"""


def text() -> str:
    """Every file of rules as a document."""
    made = "# Made by `python -m deploy.prometheus.kubernetes`; change deploy/prometheus/rules instead.\n"
    return made + "".join(_resource(file) for file in sorted((FOLDER / "rules").glob("*.yml")))


def _resource(file: Path) -> str:
    return HEAD.format(name=file.stem) + indent(file.read_text(encoding="utf-8"), "  ")


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
