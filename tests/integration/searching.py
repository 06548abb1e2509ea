"""Which of some values the stores of a deployment tell, and where, as those who wrote them would read them.

What is compressed is searched decoded: among its bytes nothing is found, whatever is there. Each file is read alone,
so that what is deleted or superseded and still on the disk is found as well.
"""

import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from pathlib import Path

import rocksdict
from confluent_kafka.admin import AdminClient

from deploy.local.gateway.blocks import Decoder
from streams.state.options import options
from streams.state.snapshot import read

Told = dict[str, list[str]]
"""Of each value that is told: the places."""


def in_files(folder: Path, values: Collection[str], but: Collection[str] = ()) -> Told:
    """Of files that nobody compresses, such as logs and those of SQLite; `but` are folders to leave out."""
    return _in_files(folder, values, lambda file: iter([file.read_bytes()]), but)


def in_clickhouse(folder: Path, values: Collection[str]) -> Told:
    """Of all files, whether their part is active or not. Columns' statistics are hashes, and read as they are."""
    return _in_files(folder, values, _of_clickhouse)


def in_state(folder: Path, values: Collection[str]) -> Told:
    """Of all files of the workers' stores; what a worker has in memory alone is in none."""
    return _in_files(folder, values, _of_rocksdb)


def in_topics(bootstrap: str, topics: Collection[str], values: Collection[str]) -> Told:
    """Of every record that can be read."""
    told: Told = {}
    for topic in topics:
        texts: list[bytes | None] = []
        read(bootstrap, topic, lambda *record, into=texts: into.extend(record))  # type: ignore[misc]
        _note(told, values, topic, [text for text in texts if text])
    return told


def topics(bootstrap: str) -> set[str]:
    """All but Kafka's own."""
    found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=30).topics
    return {topic for topic in found if not topic.startswith("__")}


def _in_files(
    folder: Path, values: Collection[str], decoded: Callable[[Path], Iterator[bytes]], but: Collection[str] = (),
) -> Told:
    told: Told = {}
    for file in filter(Path.is_file, folder.rglob("*")):
        place = file.relative_to(folder)
        if place.parts[0] in but:
            continue
        try:
            _note(told, values, str(place), list(decoded(file)))
        except FileNotFoundError:  # while we looked
            continue
    return told


def _note(told: Told, values: Collection[str], place: str, texts: Collection[bytes]) -> None:
    for value in values:
        if any(value.encode() in text for text in texts):
            told.setdefault(value, []).append(place)


def _of_clickhouse(file: Path) -> Iterator[bytes]:
    data = file.read_bytes()
    yield data
    if file.suffix in (".bin", ".cidx"):
        yield Decoder().decompress(data)


def _of_rocksdb(file: Path) -> Iterator[bytes]:
    """Of a file of records, opened as a store of its own, what later files delete is told too."""
    yield file.read_bytes()
    if file.suffix != ".sst":
        return
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(file, alone)
        rocksdict.Rdict.repair(alone, options())
        store = rocksdict.Rdict(alone, options(), access_type=rocksdict.AccessType.read_only())
        yield from chain.from_iterable(store.items())
        store.close()
