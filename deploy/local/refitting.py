"""`python -m deploy.local.refitting`: fits LTV anew whenever the setting `refit` says so.

Rules kept: the time of the last fit is ClickHouse's, so that neither a restart nor a fit by hand makes one too many;
with too few buyers it waits for the next time; where ClickHouse is away it ends, and the supervisor starts it again.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from deploy.local.ports import Addresses
from deploy.local.supervisor import stop_on_signals
from sinks.clickhouse.client import connect
from sinks.clickhouse.fitting import fit
from sinks.clickhouse.runs import last_fit_at
from streams.errors import OneThreadError
from streams.settings import load
from streams.transport.serve import log_to_stdout

LOOK_S_MAX = 3600.0
"""A fit by hand in between is noticed within the hour."""

log = structlog.get_logger()


def main() -> None:
    """Read the environment and fit on schedule until SIGTERM."""
    addresses = Addresses.from_environ()
    every_s = load(addresses.home).refit_s
    assert every_s is not None, "the part is only started with the setting refit"
    stop = threading.Event()
    stop_on_signals(stop)
    log_to_stdout()
    keep_fitted(addresses.clickhouse_url, every_s, stop)


def keep_fitted(
    url: str, every_s: float, stop: threading.Event, now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Fit when `every_s` have passed since the last fit, until `stop`. Errors: clickhouse_connect's."""
    client = connect(url)
    tried_at = datetime.fromtimestamp(0, UTC)
    try:
        while True:
            last_at = max(last_fit_at(client), tried_at)
            wait_s = every_s - (now() - last_at).total_seconds()
            if stop.wait(min(max(wait_s, 0.0), LOOK_S_MAX)):
                return
            if wait_s > 0:
                continue
            tried_at = now()
            try:
                run = fit(client)
                log.info("ltv_fitted", run_id=str(run.run_id), buyers=run.parameters["customers"])
            except OneThreadError as error:
                log.warning("ltv_not_fitted", reason=str(error))
    finally:
        client.close()


if __name__ == "__main__":
    main()
