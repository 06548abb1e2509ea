"""A search tells what is compressed, deleted or superseded, for as long as it is on the disk."""

from pathlib import Path

import rocksdict

from deploy.local.gateway.blocks import Encoder
from streams.state.options import options
from tests.integration import searching

VALUE = "somebody.gone@erasure.example.com"
BEFORE = b"somebody.gone@era ... sure.example.com ... " * 100
"""After it, a compressor tells the value by where its halves stood."""


def test_a_compressed_column_is_told(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(Encoder().compress(BEFORE + VALUE.encode()))
    assert searching.in_files(tmp_path, {VALUE}) == {}
    assert searching.in_clickhouse(tmp_path, {VALUE, "nobody"}) == {VALUE: ["data.bin"]}


def test_a_record_that_a_later_file_deletes_is_told_until_its_own_is_gone(tmp_path: Path) -> None:
    store = rocksdict.Rdict(str(tmp_path / "graph-0.db"), options())
    for write in (lambda: store.put(b"key", BEFORE + VALUE.encode()), lambda: store.delete(b"key")):
        for other in (b"a", b"z"):  # files that do not overlap would be moved in compaction, not written anew
            store.put(other, b"")
        write()
        store.flush()
    assert searching.in_files(tmp_path, {VALUE}) == {}
    assert [Path(file).suffix for file in searching.in_state(tmp_path, {VALUE})[VALUE]] == [".sst"]
    store.compact_range(None, None)
    assert searching.in_state(tmp_path, {VALUE}) == {}


def test_folders_can_be_left_out(tmp_path: Path) -> None:
    for folder in ("logs", "kafka"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text(f"told: {VALUE}")
    assert searching.in_files(tmp_path, {VALUE}, but={"kafka"}) == {VALUE: ["logs/file"]}
