"""Opening the store of a partition: one whose files are torn is removed, and the changelog brings everything back.

Rules it keeps:
- What RocksDB calls corrupt, and a file that is missing, is torn: reading again mends nothing. Anything else, such as a
  full disk or a lock, passes, and the store stays.
- Where tearing is found in reading, the store is marked, and the next opening removes it: the reader fails, and its
  worker ends.
- A store left alone for too long is removed: the changelog forgets tombstones after `delete.retention.ms`, and keys
  deleted in the meantime would stay in the store for ever.
- Nothing of what is removed is kept: a copy would keep what was erased.
"""

import shutil
from pathlib import Path

import rocksdict
import structlog

from streams import clock, metrics
from streams.state.options import options

TORN = "torn"
OLD = "old"
LEFT = "left"

_log = structlog.get_logger()


def opened(path: Path, keys: tuple[bytes, bytes], age_ms_max: int) -> rocksdict.Rdict:
    """The store at `path`, an empty one where it was torn or too old.

    Shape:  `keys` are those of the offset and of the time of the last write.
    Errors: RocksDB's, where the store cannot be opened and is not torn.
    """
    if _mark(path).exists():
        remove(path, TORN, "found in reading")
    try:
        db = rocksdict.Rdict(str(path), options())
    except Exception as error:
        if not is_torn(error):
            raise
        remove(path, TORN, str(error))
        return rocksdict.Rdict(str(path), options())
    try:
        stamps = db.get(list(keys))
    except Exception as error:
        if not is_torn(error):
            raise
        return _anew(db, path, TORN, str(error))
    if stamps[1] is not None and clock.now_ms() - int(stamps[1]) > age_ms_max:
        return _anew(db, path, OLD, f"last written at {int(stamps[1])} ms")
    return db


def offset(path: Path, keys: tuple[bytes, bytes], age_ms_max: int) -> bytes | None:
    """The offset in a store that is not open, without changing it; None where `opened` would give an empty one."""
    if _mark(path).exists():
        return None
    try:
        db = rocksdict.Rdict(str(path), options(), access_type=rocksdict.AccessType.read_only())
        found: list[bytes | None] = db.get(list(keys))
        db.close()
    except Exception as error:
        if not is_torn(error):
            raise
        return None
    is_usable = found[1] is not None and clock.now_ms() - int(found[1]) <= age_ms_max
    return found[0] if is_usable else None


def is_torn(error: Exception) -> bool:
    """Whether RocksDB says that a file is corrupt or missing; it tells kinds of errors by their text alone."""
    said = str(error)
    return said.startswith("Corruption") or "No such file or directory" in said


def mark(path: Path, error: Exception) -> None:
    """Have the store removed at its next opening, if `error` says that it is torn."""
    if is_torn(error):
        _log.error("state_torn", store=path.name, error=str(error))
        _mark(path).touch()


def _anew(db: rocksdict.Rdict, path: Path, because: str, error: str) -> rocksdict.Rdict:
    db.close()
    remove(path, because, error)
    return rocksdict.Rdict(str(path), options())


def remove(path: Path, because: str, error: str) -> None:
    """Remove the files of a store that is not open."""
    level = _log.info if because == LEFT else _log.error
    level("state_removed", store=path.name, because=because, error=error)
    metrics.STATE_REMOVED.labels(because).inc()
    shutil.rmtree(path, ignore_errors=True)
    _mark(path).unlink(missing_ok=True)


def _mark(path: Path) -> Path:
    return path.with_suffix(".torn")
