"""The files of `versions.py` on this machine: downloaded once by jgo, shared by all homes, verified at every start.

The cache is ONETHREAD_CACHE, else `onethread` in the user's cache folder. A file whose SHA-256 is not the one listed
(a download that was cut short, a damaged disk) is deleted and fetched again, once.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.local.versions import KAFKA_JARS, REGISTRY, REGISTRY_ARCHIVE, Artifact
from streams.errors import OneThreadError

Progress = Callable[[str, int, int], None]
"""Told (file name, bytes so far, bytes in all) while a file comes in."""


def cache_folder() -> Path:
    if folder := os.environ.get("ONETHREAD_CACHE"):
        return Path(folder).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onethread"


def kafka_jars(progress: Progress | None = None) -> list[Path]:
    """Kafka's class path.

    Errors: OneThreadError in one line where a file is neither in the cache nor to be had.
    """
    with _locked():
        return [_verified(artifact, progress) for artifact in KAFKA_JARS]


def registry_folder(progress: Progress | None = None) -> Path:
    """The unpacked registry. Errors: as `kafka_jars`."""
    folder = cache_folder() / f"apicurio-registry-{REGISTRY}"
    with _locked():
        if not folder.exists():
            _unpack(_verified(REGISTRY_ARCHIVE, progress), folder)
    return folder


def _verified(artifact: Artifact, progress: Progress | None) -> Path:
    for _ in range(2):
        path = _resolve(artifact, progress)
        if _sha256(path) == artifact.sha256:
            return path
        path.unlink()
    raise OneThreadError(
        f"{path.name}: downloaded twice, and its SHA-256 is not {artifact.sha256}: "
        "something between this machine and Maven Central changes files"
    )


def _resolve(artifact: Artifact, progress: Progress | None) -> Path:
    from jgo.maven import MavenContext, PythonResolver  # a second of imports that only `up` needs

    resolver = PythonResolver(progress_callback=_callback(progress) if progress else None)
    repository = cache_folder() / "maven"
    context = MavenContext(resolver=resolver, repo_cache=repository, local_repos=[])
    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    wanted = component.artifact(classifier=artifact.classifier, packaging=artifact.packaging)
    try:
        return Path(wanted.resolve())
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        if wanted.cached_path:
            wanted.cached_path.unlink(missing_ok=True)
        raise OneThreadError(
            f"{wanted.filename} is not in {repository} and cannot be downloaded from Maven Central "
            f"({type(error).__name__}): connect once, or copy the folder from a machine that has it"
        ) from error


def _callback(progress: Progress) -> Callable[[str, int], contextlib.AbstractContextManager[Callable[[int], None]]]:
    @contextlib.contextmanager
    def start(name: str, total: int) -> Iterator[Callable[[int], None]]:
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            progress(name, done, total)

        yield add

    return start


def _unpack(archive: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        unpacked = Path(temporary) / "registry"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        shutil.move(unpacked, folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """One process at a time fills the cache."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
