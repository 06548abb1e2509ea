"""Prometheus for a local stack: `python -m deploy.prometheus.local` writes its configuration into the home.

Rules kept: the targets are the parts that the supervisor knows, so a worker that died is still watched. JSON is YAML,
so nothing else is needed to write it. The stack has no Prometheus of its own: Debian's or any other takes the file.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deploy.local import records
from deploy.local.parts import COLLECTOR
from deploy.local.ports import HOST, Addresses

FOLDER = Path(__file__).resolve().parent
RULES = FOLDER / "rules" / "*.yml"
FETCHED = FOLDER.parents[1] / ".tools" / "prometheus" / "usr" / "bin"
"""Where fetch.sh puts Debian's programs."""

SCRAPE_S = 10
TIMEOUT_S = 5
RETENTION = "35d"
"""The objectives look back 30 days."""


def config(addresses: Addresses, parts: Iterable[str], scrape_s: int = SCRAPE_S) -> str:
    """The configuration for the stack at `addresses` with these parts; those without metrics are passed over."""
    workers = sorted(int(found[1]) for part in parts if (found := re.fullmatch(r"worker-(\d+)", part)))
    jobs = [_job("onethread-worker", [addresses.worker_metrics(index) for index in workers])]
    if COLLECTOR in parts:
        jobs.append(_job("onethread-collector", [addresses.collector]))
    jobs.append(_job("onethread-supervisor", [addresses.portal]))
    return json.dumps({
        "global": {
            "scrape_interval": f"{scrape_s}s", "scrape_timeout": f"{min(TIMEOUT_S, scrape_s)}s",
            "evaluation_interval": f"{scrape_s}s",
        },
        "rule_files": [str(RULES)],
        "scrape_configs": jobs,
    }, indent=2)


def _job(name: str, ports: list[int]) -> dict[str, Any]:
    targets = [f"{HOST}:{port}" for port in ports]
    return {"job_name": name, "static_configs": [{"targets": targets, "labels": {"deployment": "local"}}]}


def program(name: str) -> Path | None:
    """prometheus or promtool: fetched, else on PATH."""
    fetched, found = FETCHED / name, shutil.which(name)
    return fetched if fetched.exists() else Path(found) if found else None


def main() -> None:
    addresses = Addresses.from_environ()
    folder = addresses.home / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "prometheus.yml"
    file.write_text(config(addresses, list(records.read_all(addresses.home))), encoding="utf-8")
    print(f"{program('prometheus') or 'prometheus'} --config.file={file} --storage.tsdb.path={folder / 'data'} "
          f"--storage.tsdb.retention.time={RETENTION} --web.listen-address={HOST}:9090")


if __name__ == "__main__":
    main()
