"""The verb `import`: how it is used, and what a watched folder becomes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import importing
from cli.main import app
from connectors.files.errors import MappingError
from connectors.files.journal import Journal, Progress
from connectors.files.watching import Watcher
from streams.errors import OneThreadError, UsageError


@pytest.mark.parametrize("arguments", [
    [], ["none.csv"], ["loyalty_members=none.csv"], ["--watch", "/no/such/folder"], ["{file}", "--watch", "{folder}"],
    ["--watch", "{folder}", "--report"],
])
def test_wrong_usage_is_told_before_anything_happens(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "a.csv"
    file.touch()
    given = [one.format(file=file, folder=tmp_path) for one in arguments]
    result = CliRunner().invoke(app, ["import", "till_receipts", *given])
    assert isinstance(result.exception, UsageError)


def test_a_report_needs_no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path / "none"))
    file = tmp_path / "a.csv"
    file.write_text("Day;Platform;Campaign;Impressions;Clicks;Cost;Currency\n05.02.2026;x;y;1;1;1,5;UAH\n;x;y;1;1;1;UAH\n")
    told = tmp_path / "told.csv"
    result = CliRunner().invoke(app, ["import", "ad_costs", str(file), "--report", "--list", str(told)])
    assert result.exit_code == 0, result.exception
    assert "refused: 1\n  a.csv:3  missing_field  day: expected a value\n" in result.stdout
    assert told.read_text().splitlines() == ["file,line,reason,detail", "a.csv,3,missing_field,day: expected a value"]


def test_a_file_may_name_a_mapping_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETHREAD_HOME", str(tmp_path / "none"))
    folder = Path(importing.mappings.__file__).parent / "mappings"
    result = CliRunner().invoke(app, [
        "import", "crm_contacts", str(folder / "crm_contacts.csv"), f"loyalty_members={folder / 'loyalty_members.csv'}",
        "--report",
    ])
    assert result.exit_code == 0, result.exception
    assert "loyalty_members.csv:2 joins crm_contacts.csv:2 by email, email_sha256, phone\n" in result.stdout


@pytest.mark.parametrize(("counts", "told"), [
    ({"sent": 1_200}, "a.csv: sent 1,200, refused 0\n"),
    ({"sent": 1_200, "passed_over": 2, "unidentifiable": 1_100},
     "a.csv: sent 1,200, refused 0, passed over 2; of those sent 1,100 unidentifiable\n"),
])
def test_the_summary_tells_what_became_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], counts: dict[str, int], told: str,
) -> None:
    file = tmp_path / "a.csv"
    file.touch()
    importing._tell(file, Progress("", "", **counts), Journal(tmp_path, file, file))  # type: ignore[arg-type]
    assert capsys.readouterr().err == told


def test_a_watched_folder_is_emptied_into_done_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: dict[str, list[Any]] = {
        "good.csv": [Progress("", "", sent=2, refused={"bad_time": 1})],
        "bad.csv": [Progress("", "", refused={"bad_time": 1})],
        "other.csv": [MappingError("no header")],
        "later.csv": [OneThreadError("Kafka is away"), Progress("", "", sent=1)],
    }

    def send(file: Path) -> Progress:
        outcome = outcomes[file.name].pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, Progress)
        return outcome

    for name in outcomes:
        (tmp_path / name).write_text("x")
    looks = iter([None] * 8)

    def sleep(_seconds: float) -> None:
        if next(looks, "over") == "over":
            raise KeyboardInterrupt

    monkeypatch.setattr(importing.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        importing._watch(SimpleNamespace(send=send), Watcher(tmp_path, rest_s=0.0))  # type: ignore[arg-type]
    assert {path.name for path in (tmp_path / "done").iterdir()} == {"good.csv", "later.csv"}
    assert {path.name for path in (tmp_path / "refused").iterdir()} == {"bad.csv", "other.csv"}
