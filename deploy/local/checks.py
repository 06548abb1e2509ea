"""What a machine must offer before a stack starts on it."""

import platform
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from deploy.local.ports import HOST
from streams.errors import OneThreadError

DISK_BYTES_MIN = 1_000_000_000
MEMORY_BYTES_MIN = 2_000_000_000


def machine() -> None:
    """Errors: OneThreadError on a system for which the parts are not built."""
    system, processor = platform.system(), platform.machine().lower()
    if system not in ("Linux", "Darwin") or processor not in ("x86_64", "amd64", "aarch64", "arm64"):
        raise OneThreadError(f"expected Linux or macOS on x86-64 or arm64; this is {system} on {processor}")


def disk(home: Path) -> None:
    """Errors: OneThreadError where less than 1 GB is free."""
    free = shutil.disk_usage(home).free
    if free < DISK_BYTES_MIN:
        raise OneThreadError(f"{home}: {free / 1e9:.2f} GB of disk is free, a stack needs at least 1 GB: make room, "
                             "or set ONETHREAD_HOME to another disk")


def memory_warning() -> str:
    """A sentence where memory may not suffice, else nothing; the system may still find room."""
    free = psutil.virtual_memory().available
    if free >= MEMORY_BYTES_MIN:
        return ""
    return f"{free / 1e9:.1f} GB of memory is free, a stack needs about 2 GB"


def ports(wanted: Iterable[tuple[str, int]]) -> None:
    """Errors: OneThreadError naming the first port in use, and by which process where the system tells."""
    for name, port in wanted:
        if not is_free(port):
            raise OneThreadError(f"port {port} ({name}) is in use{_by_whom(port)}: stop that, "
                                 "or set ONETHREAD_PORT_BASE to a free range of 40 ports")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return f" by pid {connection.pid} ({psutil.Process(connection.pid).name()})" if connection.pid else ""
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
    return ""
