"""The files of a backup: what is written is read, and what is damaged is named."""

from pathlib import Path

import pytest

from deploy.local import archive
from deploy.local.archive import Manifest, Record
from streams.errors import OneThreadError

RECORDS = [
    Record(3, 1_700_000_000_000, b"key", b"value", [("by", b"us"), ("none", None)]), Record(7, 0, None, None, []),
]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    archive.begin(folder)
    span = archive.write_records(folder, "events.web", 2, RECORDS, 3, 9)
    archive.write_file(folder, "home/pepper", b"secret")
    files = {"home/pepper": archive.checksum(folder / "home/pepper")}
    archive.finish(folder, Manifest(1, "2026-03-01", 1, 4, "", {"events.web": {2: span}}, {"identity": {0: 5}}, files))
    return folder


def test_what_is_written_is_read(backup: Path) -> None:
    manifest = archive.read(backup)
    span = manifest.topics["events.web"][2]
    assert (span.records, span.start, span.end) == (2, 3, 9)
    assert list(archive.records_of(backup, span)) == RECORDS
    assert manifest.offsets == {"identity": {0: 5}}
    assert archive.problems(backup, manifest) == []


def test_only_its_owner_may_read_it(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.rglob("*") if path.is_file()} == {0o600}


def test_every_file_that_is_damaged_is_named(backup: Path) -> None:
    (backup / "home/pepper").unlink()
    (backup / "topics/events.web/2.gz").write_bytes(b"other")
    found = archive.problems(backup, archive.read(backup))
    assert [line.partition(" is ")[0] for line in found] == ["topics/events.web/2.gz", "home/pepper"]


def test_a_folder_without_its_last_file_is_no_backup(backup: Path) -> None:
    (backup / archive.MANIFEST).unlink()
    with pytest.raises(OneThreadError, match="is no backup"):
        archive.read(backup)


def test_a_folder_with_files_is_left_alone(backup: Path) -> None:
    with pytest.raises(OneThreadError, match="expected an empty folder"):
        archive.begin(backup)


def test_a_backup_of_a_newer_release_is_refused(backup: Path) -> None:
    path = backup / archive.MANIFEST
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(OneThreadError, match="newer onethread"):
        archive.read(backup)
