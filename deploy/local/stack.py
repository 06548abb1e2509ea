"""Starts, finds and stops the stack of a home; the verbs `up` and `down` and the tests share these functions.

`python -m deploy.local.stack --workers N` is the supervisor's process.
"""

import argparse
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors import segment
from connectors.files.mapping import of_topics
from deploy import acls
from deploy.local import archive, checks, downloads, home, kafka, parts, records, registry, security, topics
from deploy.local.parts import CHECKOUT, Part
from deploy.local.ports import HOST, WORKERS_MAX, Addresses
from deploy.local.records import Record
from deploy.local.supervisor import SUPERVISOR, Supervisor, lock, log_path, stop_on_signals
from streams.connections import COMPONENT
from streams.errors import OneThreadError, UsageError
from streams.settings import Settings, load

STOP_S_MAX = 120.0
POLL_S = 0.1

Say = Callable[[str], None]


def is_running(folder: Path) -> bool:
    """Whether a supervisor lives in the home."""
    if not records.folder(folder).exists():
        return False
    held = lock(folder)
    if held is None:
        return True
    held.close()
    return False


def start(addresses: Addresses, workers: int = 1, say: Say | None = None,
          progress: downloads.Progress | None = None) -> "subprocess.Popen[bytes] | None":
    """Start the stack and return when all of it answers: its supervisor's process, None where it ran already.

    `say` is told what is being waited for. Settings and pepper come from the environment and the home.
    Errors: OneThreadError or UsageError with the reason; then nothing was left running.
    """
    with _one_at_a_time(addresses.home):
        if is_running(addresses.home):
            return None
        settings = _prepare_home(addresses, workers)
        downloads.kafka_jars(progress)
        downloads.registry_folder(progress)
        stop_orphans(addresses.home)
        checks.ports(_ports(addresses, settings.brokers, workers))
        records.forget(addresses.home)
        supervisor = _spawn(addresses, workers)
        _await_start(addresses.home, supervisor, say or (lambda _: None))
    return supervisor


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of two starts of one home the second waits, and finds it running; else it would stop the first one's parts."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def stop(folder: Path) -> bool:
    """Stop the home's stack, also one whose supervisor was killed. Returns whether anything was running.

    Errors: OneThreadError where the supervisor does not end in time.
    """
    record = records.read(folder, SUPERVISOR)
    supervisor = records.process(record) if record and is_running(folder) else None
    if supervisor:
        supervisor.terminate()
        deadline = time.monotonic() + STOP_S_MAX
        while record and records.process(record):
            if time.monotonic() > deadline:
                raise OneThreadError(f"the supervisor (pid {record.pid}) does not stop; see {folder / 'logs'}")
            time.sleep(POLL_S)
    return stop_orphans(folder) or supervisor is not None


def living_parts(folder: Path) -> list[Record]:
    """The living parts of a home, whoever looks after them."""
    return [r for r in records.read_all(folder).values() if r.name != SUPERVISOR and records.process(r)]


def stop_orphans(folder: Path) -> bool:
    """Stop the parts of a home that have no supervisor any more; returns whether there were any."""
    found = living_parts(folder)
    for belongs in (_uses_others, lambda r: r.name == "clickhouse", lambda r: r.name == "registry", lambda _: True):
        group = [record for record in found if belongs(record)]
        records.stop(group, grace_s=20)
        for record in group:
            records.write(folder, record.now("stopped", pid=0))
    return bool(found)


def serve(addresses: Addresses, workers: int) -> None:
    """Be the supervisor of the home's stack until told to stop."""
    from deploy.local.exporting import Exporter

    settings = load(addresses.home)
    base = base_parts(addresses, settings)
    refitter = [parts.refitter(addresses)] if settings.refit else []
    exporter = Exporter(addresses, settings)
    supervisor = Supervisor(
        addresses.home, base,
        [parts.collector(addresses), *(parts.worker(addresses, i) for i in range(workers)), *refitter],
        prepare=lambda: prepare(addresses, settings), address=f"{HOST}:{addresses.portal}",
        worker=lambda index: parts.worker(addresses, index),
    )
    stop_on_signals(supervisor.stop)
    exporter.start()
    supervisor.run()


def base_parts(addresses: Addresses, settings: Settings) -> list[Part]:
    """What the collector and the workers need, in the order of starting."""
    secured = security.Secured(addresses.home) if addresses.is_secured else None
    return [
        *kafka.parts(addresses, settings.brokers, downloads.kafka_jars(), secured),
        registry.part(addresses, downloads.registry_folder()),
        parts.gateway(addresses),
    ]


def prepare(addresses: Addresses, settings: Settings) -> None:
    """Topics, schemas and tables; what is there already stays.

    What is loaded here and in `_grow` is loaded late: commands that only look at a stack start in half the time.
    """
    from deploy.local import restoring
    from schemas.registry import register_all
    from sinks.clickhouse import migrations
    from streams.topics import Topics

    if (told := home.restoring_from(addresses.home)) is not None:
        backup, since_ms = told
        restoring.restore(addresses, settings, backup, archive.read(backup), _log, since_ms)
        home.end_restoring(addresses.home)
    if (before := home.growing_from(addresses.home)) is not None:
        _grow(addresses, settings, before)
    topics.create(addresses.kafka_bootstrap, settings, settings.brokers)
    if addresses.is_secured:
        acls.apply(addresses.kafka_bootstrap, settings)
    register_all(addresses.registry_url, Topics(settings.topic_prefix), topics.names_of_channels(settings))
    migrations.apply(addresses.clickhouse_url, settings)
    home.remember(addresses.home, settings)


def _grow(addresses: Addresses, settings: Settings, before: int) -> None:
    """Add partitions before workers start; what is done is told in the supervisor's log."""
    from deploy.local import growing

    folder = addresses.home
    growing.drain(addresses.kafka_bootstrap, settings, before, parts.worker(addresses, 0),
                  log_path(folder, "worker-0"), _log)
    growing.grow(addresses.kafka_bootstrap, settings, before, folder / "state" / "growing", _log)
    home.end_growing(folder, settings)


def _log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _prepare_home(addresses: Addresses, workers: int) -> Settings:
    if not 0 <= workers <= WORKERS_MAX:
        raise UsageError(f"--workers: expected 0 to {WORKERS_MAX}; came {workers}")
    folder = addresses.home
    checks.machine()
    folder.mkdir(parents=True, exist_ok=True)
    checks.disk(folder)
    if not load(folder).pepper.get_secret_value():
        home.make_pepper(folder)
    settings = load(folder)
    check(folder, settings)
    security.prepare(folder, settings)
    return settings


def check(folder: Path, settings: Settings) -> None:
    """Whether a deployment may start under these settings.

    Errors: OneThreadError or UsageError, told now and not in the log of a worker or a collector.
    """
    home.check(folder, settings)
    of_topics(settings.mappings, folder, settings.topic_prefix)
    segment.load(folder)


def _ports(addresses: Addresses, brokers: int, workers: int) -> list[tuple[str, int]]:
    nodes = [(name, port) for i in range(brokers)
             for name, port in zip(("Kafka", "Kafka's controller"), addresses.broker(i), strict=True)]
    metrics = [(f"worker-{i}", addresses.worker_metrics(i)) for i in range(workers)]
    return [*nodes, ("registry", addresses.registry), ("ClickHouse", addresses.clickhouse_http),
            ("collector", addresses.collector), ("the supervisor's metrics", addresses.portal), *metrics]


def _spawn(addresses: Addresses, workers: int) -> "subprocess.Popen[bytes]":
    """The supervisor in a session of its own: neither Ctrl-C nor a closed terminal reaches it or the parts."""
    path = log_path(addresses.home, SUPERVISOR)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local.stack", "--workers", str(workers)], cwd=CHECKOUT,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **parts.python_env(), **addresses.environ(), COMPONENT: acls.ADMIN},
        )


def _await_start(folder: Path, supervisor: "subprocess.Popen[bytes]", say: Say) -> None:
    while True:
        found = records.read_all(folder)
        record = found.get(SUPERVISOR, Record(SUPERVISOR, "starting"))
        if record.state == "running":
            return
        if supervisor.poll() is not None:
            raise OneThreadError(record.last_error or f"the supervisor ended; see {log_path(folder, SUPERVISOR)}")
        say(", ".join(r.name for r in found.values() if r.state != "running" and r.name != SUPERVISOR))
        time.sleep(POLL_S)


def _uses_others(record: Record) -> bool:
    return record.name.startswith("worker-") or record.name == parts.COLLECTOR


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    addresses = Addresses.from_environ()
    try:
        serve(addresses, parser.parse_args().workers)
    except OneThreadError as error:
        records.write(addresses.home, Record(SUPERVISOR, "failed", last_error=str(error), since=time.time()))
        sys.exit(f"{time.strftime('%H:%M:%S')} {error}")


if __name__ == "__main__":
    main()
