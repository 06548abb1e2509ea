"""Prometheus for a local stack: `python -m deploy.prometheus.local` writes its configuration into the home.

Rules kept: the targets are the parts that the supervisor knows, so a worker that died is still watched. They stand in a
file of their own, which Prometheus reads again by itself: after `onethread scale` the same command is typed again. JSON
is YAML, so nothing else is needed to write it. The stack has no Prometheus of its own: Debian's or any other takes it.
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


def write(addresses: Addresses, parts: Iterable[str]) -> Path:
    """Write configuration and targets of the stack at `addresses` with these parts; where the configuration lies."""
    folder = addresses.home / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    file, found = folder / "prometheus.yml", folder / "targets.json"
    found.write_text(json.dumps(targets(addresses, parts), indent=2), encoding="utf-8")
    file.write_text(json.dumps({
        "global": {
            "scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{TIMEOUT_S}s", "evaluation_interval": f"{SCRAPE_S}s",
        },
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "onethread", "file_sd_configs": [{"files": [str(found)]}]}],
    }, indent=2), encoding="utf-8")
    return file


def targets(addresses: Addresses, parts: Iterable[str]) -> list[dict[str, Any]]:
    """Who is scraped, by job; parts without metrics are passed over."""
    workers = sorted(int(found[1]) for part in parts if (found := re.fullmatch(r"worker-(\d+)", part)))
    ports = {
        "onethread-worker": [addresses.worker_metrics(index) for index in workers],
        "onethread-collector": [addresses.collector] if COLLECTOR in parts else [],
        "onethread-supervisor": [addresses.portal],
    }
    return [{"targets": [f"{HOST}:{port}" for port in found], "labels": {"job": job, "deployment": "local"}}
            for job, found in ports.items() if found]


def program(name: str) -> Path | None:
    """prometheus or promtool: fetched, else on PATH."""
    fetched, found = FETCHED / name, shutil.which(name)
    return fetched if fetched.exists() else Path(found) if found else None


def main() -> None:
    addresses = Addresses.from_environ()
    file = write(addresses, list(records.read_all(addresses.home)))
    print(f"{program('prometheus') or 'prometheus'} --config.file={file} --storage.tsdb.path={file.parent / 'data'} "
          f"--storage.tsdb.retention.time={RETENTION} --web.listen-address={HOST}:9090")


if __name__ == "__main__":
    main()
