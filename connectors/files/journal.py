"""How far an import has come, so that one that was killed goes on where it stopped.

A journal belongs to the content of a file and of its mapping: a file that was moved is the same import, a mapping that
was changed is another one. It is written when Kafka has everything up to there; what came after is sent again, with
the same event ids.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path

_BLOCK = 1 << 20


@dataclass
class Progress:
    """Rows (groups count as one) worked, and what became of them."""

    file: str
    mapping: str
    rows: int = 0
    sent: int = 0
    unidentifiable: int = 0
    """Of those sent."""
    passed_over: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    told_bytes: int = 0
    """Of the list of refusals."""
    is_finished: bool = False

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1

    @property
    def refused_total(self) -> int:
        return sum(self.refused.values())


class Journal:
    """The progress of one import, in a file of the home; beside it the list of refusals by line."""

    def __init__(self, home: Path, file: Path, mapping: Path) -> None:
        name = f"{file.stem[:40]}-{digest([mapping, file])[:16]}"
        folder = home / "imports"
        self.path, self.told = folder / f"{name}.json", folder / f"{name}.refused.csv"
        self._names = str(file), str(mapping)

    def read(self) -> Progress:
        """Where the import stands; at the beginning where it never began, or its journal is unreadable."""
        try:
            return Progress(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return Progress(*self._names)

    def write(self, progress: Progress) -> None:
        """Durable when it returns, and whole whatever happens meanwhile."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(asdict(progress), file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def forget(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self.told.unlink(missing_ok=True)


def digest(files: Iterable[Path]) -> str:
    """The hash of the contents of files, one after the other. Cost: 1 GB a second."""
    found = blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
        found.update(b"\0")
    return found.hexdigest()
