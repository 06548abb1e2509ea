"""The connection to ClickHouse and what its failures mean for the caller."""

import logging
from urllib.parse import urlsplit

from clickhouse_connect.driver import create_client
from clickhouse_connect.driver.client import Client

from streams import connections

RETRYABLE_CODES = frozenset({
    159,  # TIMEOUT_EXCEEDED
    198,  # DNS_ERROR: a server of the cluster is being started anew elsewhere
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    203,  # NO_FREE_CONNECTION
    209,  # SOCKET_TIMEOUT
    210,  # NETWORK_ERROR
    241,  # MEMORY_LIMIT_EXCEEDED
    242,  # TABLE_IS_READ_ONLY: the replica lost its keeper
    243,  # NOT_ENOUGH_SPACE
    252,  # TOO_MANY_PARTS: merges will catch up
    279,  # ALL_CONNECTION_TRIES_FAILED
    285,  # TOO_FEW_LIVE_REPLICAS
    319,  # UNKNOWN_STATUS_OF_INSERT
    394,  # QUERY_WAS_CANCELLED: the server is stopping
    439,  # CANNOT_SCHEDULE_TASK
    999,  # KEEPER_EXCEPTION
})
"""ClickHouse's error codes that waiting mends; with any other the same insert would fail for ever."""


QUERY_S_MAX = 300


def connect(url: str, answer_s_max: int = QUERY_S_MAX) -> Client:
    """A client for `http://host:port` (or https, or clickhouse-connect's `chdb://memory`), as the user that
    `streams.connections` knows, else `default`.

    No session: requests of one worker need not wait for each other. No compression: it costs more than it saves
    where ClickHouse is near; rows reach 8,000/s with 3 MB/s.
    Errors: clickhouse_connect's DatabaseError, its OperationalError where nobody answers for `answer_s_max` seconds.
    """
    # The driver logs a stack trace of every failure, with what ClickHouse quotes of the rows; callers log what they do.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    if url.startswith("chdb:"):
        return create_client(dsn=url)
    login = connections.clickhouse()
    user, password = login.basic or ("default", "")
    return create_client(
        dsn=url, interface=urlsplit(url).scheme, username=user, password=password, ca_cert=login.ca or None,
        autogenerate_session_id=False, compress=False, send_receive_timeout=answer_s_max,
    )
