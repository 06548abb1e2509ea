"""`python -m streams.worker`: one worker of a deployment.

ONETHREAD_HOME, ONETHREAD_PORT_BASE and ONETHREAD_WORKER say which, and in a container ONETHREAD_BIND and
ONETHREAD_WORKER_PORT where it answers; ONETHREAD_STAGES, where it is set, which stages it
runs: `stitch` alone finishes what is under way and takes in nothing new. The supervisor starts a worker again when it
ends with anything but 0; that is also how a worker gets rid of a state it does not trust.
"""

import asyncio
import fcntl
import os
import sys
from pathlib import Path
from typing import IO

import faust

from deploy.local.ports import Addresses
from streams import metrics, settings
from streams.app import create_app, state_of
from streams.core.keys import Keys
from streams.errors import UsageError
from streams.reaching import NotLetIn, check
from streams.transport.commit import Committer
from streams.transport.pages import Pages, StatePages
from streams.transport.serve import log_to_stdout, serve


def main() -> None:
    """Read the environment and serve until SIGTERM."""
    stages = frozenset(filter(None, os.environ.get("ONETHREAD_STAGES", "").split(",")))
    index = number(os.environ.get("ONETHREAD_WORKER", "0"))
    addresses = Addresses.from_environ()
    datadir = addresses.home / "state" / f"worker-{index}"
    datadir.mkdir(parents=True, exist_ok=True)
    log_to_stdout()
    lock = take_turn(datadir, os.environ.get("ONETHREAD_PREPARED"))
    metrics.watch_disk("worker", datadir)
    pages = Pages(addresses.bind, addresses.worker_metrics(index))
    pages.start()
    metrics.tell_version("worker")
    chosen = settings.load(addresses.home)
    try:
        check(addresses.kafka_bootstrap)
    except NotLetIn as error:
        sys.exit(str(error))

    def build() -> tuple[faust.App, Committer]:
        app, committer = create_app(chosen, addresses, index, datadir, stages)
        pages.state = StatePages(Keys(chosen.pepper.get_secret_value(), chosen.partitions), lambda: state_of(app))
        return app, committer

    try:
        asyncio.run(serve(build, index))
    finally:
        lock.close()


def take_turn(datadir: Path, prepared: str | None) -> IO[str]:
    """Wait until no other process works as this worker, having said so; the lock that keeps others out.

    All is imported by now, which on a busy machine is the longest part of a start: so a restart stands still only for
    as long as it takes to stop, to join the group and to look at the changelog.
    """
    lock = (datadir / "lock").open("w")
    if prepared:
        Path(prepared).touch()
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def number(text: str) -> int:
    """The worker's number: 3, or what stands at the end of a name as orchestrators give them: onethread-worker-3.

    Errors: UsageError.
    """
    tail = text.rpartition("-")[2]
    if not tail.isdecimal():
        raise UsageError(f"ONETHREAD_WORKER: expected a number, or a name that ends in -<number>; came {text!r}")
    return int(tail)


if __name__ == "__main__":
    main()
