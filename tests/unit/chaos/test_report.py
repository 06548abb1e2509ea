"""What a chaos run tells of its faults."""

import json

from tests.chaos.plan import Fault
from tests.chaos.report import Journal, Struck, markdown, rows

KILLED = [Struck(Fault(n, "worker killed", "worker-0", "", 0), 10.0 * n, 0.1, float(n)) for n in (1, 2, 6)]
PAUSED = Struck(Fault(4, "broker paused", "kafka", "", 7.5), 50.0, 7.6, 3.25, ("worker killed",))


def test_a_row_for_each_kind_and_one_for_all():
    assert rows([*KILLED, PAUSED]) == [
        ("broker paused", "1", "8–8", "3.2", "3.2"),
        ("worker killed", "3", "at once", "2.0", "6.0"),
        ("all", "4", "0–8", "2.6", "6.0"),
    ]
    assert rows([]) == []


def test_the_table_of_the_docs_has_a_head_and_the_rows():
    assert markdown(KILLED).split("\n")[2:] == [
        "| worker killed | 3 | at once | 2.0 | 6.0 |", "| all | 3 | at once | 2.0 | 6.0 |"]


def test_the_journal_has_a_line_for_each_fault(tmp_path):
    journal = Journal(tmp_path / "faults.jsonl")
    journal.note(PAUSED)
    assert [json.loads(line) for line in (tmp_path / "faults.jsonl").read_text().splitlines()] == [{
        "number": 4, "kind": "broker paused", "target": "kafka", "how": "", "seconds": 7.5, "at_s": 50.0,
        "lasted_s": 7.6, "recovered_s": 3.25, "beside": ["worker killed"],
    }]
