"""`onethread up`: start the stack and say where it is."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.progress import StartProgress
from connectors.collector import keys
from deploy.local import checks, home, records, stack
from deploy.local.ports import BASE_DEFAULT, HOST, Addresses
from deploy.local.supervisor import SUPERVISOR
from streams.errors import OneThreadError


def command(
    workers: Annotated[int, typer.Option(help="How many worker processes share the work.")] = 1,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all answers; the stack goes on.")] = False,
    config: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Settings, remembered for this home; otherwise onethread.toml in the home.",
    )] = None,
) -> None:
    """Start Kafka, schema registry, ClickHouse, workers and collector; wait until all answer.

    Without --detach it stays in the foreground and Ctrl-C stops the stack. On a running stack it changes nothing.
    """
    addresses = Addresses.from_environ()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if warning := checks.memory_warning():
        print(f"onethread: {warning}", file=sys.stderr)
    if config and not stack.is_running(addresses.home):
        home.use_settings(addresses.home, config)
    supervisor = None
    try:
        with StartProgress() as progress:
            supervisor = stack.start(addresses, workers, progress.waiting, progress.download)
        if supervisor is None:
            print(f"already running in {addresses.home}\nstop it:   {_typed(addresses, 'down')}")
            return
        print(describe(addresses, workers), flush=True)
        if not detach:
            print("Ctrl-C stops it", flush=True)
            _stay(addresses, supervisor)
    except KeyboardInterrupt:
        print("stopping", file=sys.stderr)
        stack.stop(addresses.home)
        if supervisor is None:
            raise


def describe(addresses: Addresses, workers: int) -> str:
    """Where everything is and how to go on."""
    lines = [
        f"onethread is up in {addresses.home}",
        f"  Kafka       {HOST}:{addresses.kafka}",
        f"  registry    {addresses.registry_url}",
        f"  ClickHouse  {addresses.clickhouse_url}  (database onethread)",
    ]
    lines += [f"  worker-{i}    {addresses.metrics_url(i)}" for i in range(workers)]
    lines += [f"  collector   {addresses.collector_url}", f"  write key   {keys.local(addresses.home)}"]
    lines += [f"look:      {_typed(addresses, 'status')}", f"stop it:   {_typed(addresses, 'down')}"]
    return "\n".join(lines)


def _typed(addresses: Addresses, verb: str) -> str:
    """The command as it must be typed in another terminal."""
    folder = f"ONETHREAD_HOME={shlex.quote(str(addresses.home))} "
    base = f"ONETHREAD_PORT_BASE={addresses.base} " if addresses.base != BASE_DEFAULT else ""
    return f"{folder}{base}onethread {verb}"


def _stay(addresses: Addresses, supervisor: "subprocess.Popen[bytes]") -> None:
    """Until Ctrl-C, or until the stack ends by itself. Errors: OneThreadError where it did not end in order."""
    supervisor.wait()
    record = records.read(addresses.home, SUPERVISOR)
    if record and record.state == "failed":
        raise OneThreadError(record.last_error)
    if record and record.state != "stopped":
        raise OneThreadError(f"the supervisor was killed; stop what it left: {_typed(addresses, 'down')}")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
