"""Runs the gateway in the foreground until SIGTERM or Ctrl-C; one line on stderr and exit 1 when it cannot start."""

import argparse
import asyncio
import errno
import os
import signal
import ssl
import sys
from pathlib import Path

import structlog
from aiohttp import web

from deploy.local.gateway.engine import Engine
from deploy.local.gateway.server import Gateway
from deploy.local.gateway.users import FILE, Users
from streams.connections import serving
from streams.errors import OneThreadError

DRAIN_S = 10.0  # how long running queries may go on after a stop was asked for; half of it undisturbed
LINE_BYTES = 1 << 20  # of a request line, since queries come in the URL: ClickHouse's http_max_uri_size
MEMORY_MB = 1024  # of the engine; the whole local stack promises to run in 2 GB

log = structlog.get_logger()


async def serve(path: Path, host: str, port: int, memory_mb: int, users: Path) -> None:
    """Open `path`, listen, and return once a signal asked to stop and running queries are over."""
    engine = Engine(_home(path), memory_mb << 20)
    gateway = Gateway(engine, Users(users))
    runner = web.AppRunner(
        gateway.application(),
        auto_decompress=False,
        max_line_size=LINE_BYTES,
        max_field_size=LINE_BYTES,
        handler_cancellation=True,
        shutdown_timeout=DRAIN_S,
        access_log=None,
    )
    try:
        await runner.setup()
        await _listen(runner, host, port)
        log.info("gateway_listens", host=host, port=port, version=engine.version)
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await stop.wait()
    finally:
        asyncio.get_running_loop().call_later(DRAIN_S / 2, gateway.stop_queries)
        await runner.cleanup()
        engine.close()
    log.info("gateway_stopped")


def _home(path: Path) -> Path:
    """Make the directory, and work in an empty one below it: the engine takes names without a slash for files there."""
    path = path.resolve()
    files = path / "user_files"
    files.mkdir(parents=True, exist_ok=True)
    os.chdir(files)
    return path


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port, ssl_context=_tls()).start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise OneThreadError(f"port {port} on {host} is in use; choose another or stop what listens there") from error


def _tls() -> ssl.SSLContext | None:
    told = serving()
    if not told:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*told)
    return context


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.gateway", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="directory of the data")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--memory-mb", type=int, default=MEMORY_MB, help="limit of the engine's memory")
    parser.add_argument("--users", type=Path, help=f"file of users; without it {FILE} beside the directory")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.path, given.host, given.port, given.memory_mb, given.users or given.path.parent / FILE))
    except OneThreadError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
