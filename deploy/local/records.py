"""What a home remembers about running parts: one small JSON file each in `run/`, written whole or not at all.

A process is its pid and the time it was created: a pid that the system gave to another program is nobody of ours.
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

CREATED_TOLERANCE_S = 2.0
"""The system derives creation times from its clock, which may be set; pids are not reused that fast."""


@dataclass(frozen=True)
class Record:
    """One part as its supervisor last saw it. `state` is starting, running, restarting, stopped or failed."""

    name: str
    state: str
    address: str = ""
    pid: int = 0
    created: float = 0.0
    since: float = 0.0
    restarts: int = 0
    last_error: str = ""

    def now(self, state: str, **changes: object) -> "Record":
        """The record in another state, from this moment."""
        return replace(self, state=state, since=time.time(), **changes)  # type: ignore[arg-type]


def folder(home: Path) -> Path:
    return home / "run"


def write(home: Path, record: Record) -> None:
    path = folder(home) / f"{record.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(record)))
    temporary.replace(path)


def read_all(home: Path) -> dict[str, Record]:
    """Every part that a supervisor of this home has recorded, by name."""
    found = (read(home, path.stem) for path in sorted(folder(home).glob("*.json")))
    return {record.name: record for record in found if record}


def read(home: Path, name: str) -> Record | None:
    try:
        return Record(**json.loads((folder(home) / f"{name}.json").read_text()))
    except FileNotFoundError:  # also one that left between two looks
        return None


def forget(home: Path) -> None:
    """Drop the records of an earlier run; the parts of the next one may have other names."""
    for path in folder(home).glob("*.json"):
        path.unlink()


def drop(home: Path, name: str) -> None:
    """Forget one part: it left for good."""
    (folder(home) / f"{name}.json").unlink(missing_ok=True)


def process(record: Record) -> psutil.Process | None:
    """The living process of the record, if it is still the same one."""
    if not record.pid:
        return None
    try:
        found = psutil.Process(record.pid)
        same = abs(found.create_time() - record.created) <= CREATED_TOLERANCE_S
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def created_at(pid: int) -> float:
    """When the process was created; 0 where it is already gone."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def stop(records: list[Record], grace_s: float) -> None:
    """End the processes of the records, together: SIGTERM, and SIGKILL for whoever is there after the grace.

    A part leads a process group of its own; what it started goes with it.
    """
    living = [found for record in records if (found := process(record))]
    for found in living:
        send(found.pid, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(living, timeout=grace_s)
    for found in stubborn:
        send(found.pid, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=10)


def send(pid: int, number: signal.Signals) -> None:
    """A signal to a part and what it started."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
