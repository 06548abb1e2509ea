"""`python -m streams.worker`: one worker of a deployment.

ONETHREAD_HOME, ONETHREAD_PORT_BASE and ONETHREAD_WORKER say which. The supervisor starts it again when it ends with
anything but 0; that is also how a worker gets rid of a state it does not trust.
"""

import asyncio
import os

import prometheus_client

from deploy.local.ports import HOST, Addresses
from streams import settings
from streams.app import create_app
from streams.transport.serve import log_to_stdout, serve


def main() -> None:
    """Read the environment and serve until SIGTERM."""
    index = int(os.environ.get("ONETHREAD_WORKER", "0"))
    addresses = Addresses.from_environ()
    datadir = addresses.home / "state" / f"worker-{index}"
    datadir.mkdir(parents=True, exist_ok=True)
    log_to_stdout()
    prometheus_client.start_http_server(addresses.worker_metrics(index), HOST)
    chosen = settings.load(addresses.home)
    asyncio.run(serve(lambda: create_app(chosen, addresses, index, datadir), index))


if __name__ == "__main__":
    main()
