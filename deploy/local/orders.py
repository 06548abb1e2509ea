"""What a running supervisor is asked to do: small files in `run/orders/`, which it takes at its next look.

Rules: an order is there whole or not at all, and is taken once. A later number of workers takes the place of an earlier
one. What lies there when a supervisor starts is of a time before and is dropped.
"""

from dataclasses import dataclass
from pathlib import Path

from deploy.local import records

_WORKERS = "workers"
_RESTART = "restart-"


@dataclass(frozen=True)
class Orders:
    """`workers`: how many there should be; None: as many as there are. `restarts`: parts by name."""

    workers: int | None = None
    restarts: tuple[str, ...] = ()


def scale(home: Path, workers: int) -> None:
    """Ask for so many workers: worker-0 to worker-(n - 1)."""
    _put(home, _WORKERS, str(workers))


def restart(home: Path, name: str) -> None:
    """Ask for a part to be stopped and started again."""
    _put(home, _RESTART + name, "")


def take(home: Path) -> Orders:
    """What was asked for since the last time."""
    workers, restarts = None, []
    for path in sorted(_folder(home).glob("[!.]*")):
        text = path.read_text()
        path.unlink()
        if path.name == _WORKERS:
            workers = int(text)
        else:
            restarts.append(path.name.removeprefix(_RESTART))
    return Orders(workers, tuple(restarts))


def _put(home: Path, name: str, text: str) -> None:
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f".{name}"
    whole.write_text(text)
    whole.replace(folder / name)


def _folder(home: Path) -> Path:
    return records.folder(home) / "orders"
