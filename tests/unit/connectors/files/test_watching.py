"""A watched folder: only complete files, in order, and none is lost where it is moved."""

import os
from pathlib import Path

from connectors.files.watching import DONE, Watcher


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_file_is_complete_once_it_has_not_changed_for_a_while(tmp_path: Path) -> None:
    watcher, file = Watcher(tmp_path, rest_s=2.0), tmp_path / "b.csv"
    file.write_text("id\n")
    assert watcher.complete(0.0) == []
    assert watcher.complete(1.9) == []
    file.write_text("id\n1\n")
    assert watcher.complete(2.0) == []
    os.utime(file, ns=(1, 1))
    assert watcher.complete(3.0) == []
    assert names(watcher.complete(5.0)) == ["b.csv"]


def test_files_come_in_the_order_of_their_names_and_others_stay(tmp_path: Path) -> None:
    for name in ("2.csv", "1.csv", ".hidden", "3.csv.part", "4.csv~", "5.tmp"):
        (tmp_path / name).write_text("x")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    watcher = Watcher(tmp_path, rest_s=0.0)
    watcher.complete(0.0)
    assert names(watcher.complete(1.0)) == ["1.csv", "2.csv"]


def test_a_file_is_moved_beside_one_of_its_name(tmp_path: Path) -> None:
    watcher, file = Watcher(tmp_path), tmp_path / "a.csv"
    for text in ("first", "second", "third"):
        file.write_text(text)
        watcher.move(file, DONE)
    assert {path.name: path.read_text() for path in (tmp_path / DONE).iterdir()} == {
        "a.csv": "first", "a-2.csv": "second", "a-3.csv": "third",
    }
