"""A folder that tills and other systems drop files into: each is taken once it is complete, and moved when it is done.

Complete is a file that has not changed between two looks some seconds apart and is not named as one on its way. Files
go in the order of their names, which is the order in which most systems number them.
"""

from pathlib import Path

DONE, REFUSED = "done", "refused"

ON_THE_WAY = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".lock", "~")
"""Endings of files that others are still writing."""


class Watcher:
    """Looks at one folder. Shape: `rest_s` is how long a file must be unchanged."""

    def __init__(self, folder: Path, rest_s: float = 2.0) -> None:
        self._folder, self._rest_s = folder, rest_s
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        """Size and time of change of each file, and since when it has them."""

    def complete(self, now_s: float) -> list[Path]:
        """Files that can be taken, as far as this look and those before it tell."""
        found: dict[Path, tuple[tuple[int, int], float]] = {}
        for path in sorted(self._folder.iterdir()):
            if path.name.startswith(".") or path.name.endswith(ON_THE_WAY) or not path.is_file():
                continue
            status = path.stat()
            state = (status.st_size, status.st_mtime_ns)
            before = self._seen.get(path)
            found[path] = before if before is not None and before[0] == state else (state, now_s)
        self._seen = found
        return [path for path, ((size, _), since_s) in found.items() if size and now_s - since_s >= self._rest_s]

    def move(self, path: Path, into: str) -> Path:
        """Move a file into the folder's `done` or `refused`; one that is there already stays."""
        folder = self._folder / into
        folder.mkdir(exist_ok=True)
        target, number = folder / path.name, 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        path.rename(target)
        return target
