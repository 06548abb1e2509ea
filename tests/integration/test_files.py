"""Files and foreign topics through a whole stack: what is imported, what is refused, and its way back."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from tests.conftest import FOREIGN_TOPIC
from tests.integration.pipeline import await_rest

ROOT = Path(__file__).parents[2]
VISITS = """
[file]
times = ["iso"]
[[events]]
channel = "kiosk"
source = "file-test"
type = "store_visited"
event_id = "file-test:{id}"
occurred_at = "{at}"
identifiers = [{ kind = "phone", value = "{phone}" }]
"""
ROWS = 8_000


def command(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def run(*arguments: str) -> tuple[str, str]:
    process = command(*arguments)
    out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    return out, errors


def ask(stack: Addresses, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connect(stack.clickhouse_url).query(query).result_rows]


def of_test(stack: Addresses) -> list[tuple[Any, ...]]:
    return ask(stack, "SELECT count(), uniqExact(event_id), max(copies) FROM onethread.touchpoints"
                      " WHERE source = 'file-test'")


@pytest.mark.stack
def test_an_import_that_is_killed_goes_on_and_what_was_refused_comes_back(
    running_stack: Addresses, tmp_path: Path,
) -> None:
    mapping, file = tmp_path / "visits.toml", tmp_path / "visits.csv"
    mapping.write_text(VISITS)
    row = "{0},2026-02-05T10:00:00Z,+38067{1:07d}".format
    lines = [row(n, 1_300_000 + n // 40) for n in range(ROWS)]
    lines[7] = f"{ROWS},2026-02-05T10:00:00,+380671300000"
    file.write_text("\n".join(["id,at,phone", *lines]))

    first = command("import", str(mapping), str(file))
    journals = running_stack.home / "imports"
    while not list(journals.glob("visits-*.json")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    _, told = run("import", str(mapping), str(file))
    assert "goes on after " in told
    assert f"sent {ROWS - 1:,}, refused 1\n  bad_time 1\n" in told
    assert "was imported before" in run("import", str(mapping), str(file))[1]
    await_rest(running_stack)
    ((count, distinct, copies),) = of_test(running_stack)
    assert (count, distinct) == (ROWS - 1, ROWS - 1)
    assert copies <= 2, "what went out after the last note went twice, under one id"

    mine = f"SELECT concat(toString(letter_partition), '/', toString(letter_offset)), replayed_at IS NULL FROM " \
           f"onethread.dead_letters WHERE source = 'visits.csv:9 by {mapping}'"
    ((letter, waits),) = ask(running_stack, mine)
    assert waits
    assert json.loads(run("dead-letters", "show", letter, "--json")[0])["reason"] == "bad_time"
    mapping.write_text(VISITS.replace('times = ["iso"]', 'times = ["iso"]\nzone = "UTC"'))
    assert run("dead-letters", "replay", letter)[0] == "replayed: 1 letters, 1 events\n"
    await_rest(running_stack)
    assert ask(running_stack, mine) == [(letter, False)]
    assert run("dead-letters", "replay", letter)[0] == "replayed: 0 letters, 0 events\n"
    before = json.loads(run("status", "--json")[0])["books"]
    assert run("dead-letters", "replay", letter, "--again")[0] == "replayed: 1 letters, 1 events\n"
    await_rest(running_stack)
    after = json.loads(run("status", "--json")[0])["books"]
    assert (after["duplicates"], after["difference"]) == (before["duplicates"] + 1, 0)
    assert of_test(running_stack)[0][:2] == (ROWS, ROWS)


@pytest.mark.stack
def test_changes_of_a_foreign_table_become_events_and_the_rest_dead_letters(running_stack: Addresses) -> None:
    def contact(number: int, updated: str) -> dict[str, str]:
        columns = ("name", "email", "city", "contact_mode", "contact_channel", "manager")
        own = {"id": f"F{number}", "phones": f"+38067140{number:04d}", "updated_at": updated}
        return {**dict.fromkeys(columns, ""), **own}

    at = "2026-02-05T10:00:00Z"
    changes = [{"op": "c", "before": None, "after": contact(n, at)} for n in range(20)]
    changes += [{"op": "d", "before": contact(3, at), "after": None}, {"op": "u", "after": contact(4, "soon")}]
    producer = Producer({"bootstrap.servers": running_stack.kafka_bootstrap})
    for number, value in enumerate([*map(json.dumps, changes), "junk", None]):
        producer.produce(FOREIGN_TOPIC, value, str(number))
    producer.flush(30)
    await_rest(running_stack)
    assert ask(running_stack, "SELECT count(), uniqExact(person_id) FROM onethread.touchpoints WHERE channel = 'crm'"
                              " AND person_id IN (SELECT person_id FROM onethread.identifiers WHERE value LIKE"
                              " '+38067140%')") == [(20, 20)]
    assert ask(running_stack, f"SELECT reason, raw FROM onethread.dead_letters WHERE topic = '{FOREIGN_TOPIC}'"
                              " ORDER BY reason") == [("bad_json", "junk"), ("bad_time", json.dumps(changes[-1]))]
    books = json.loads(run("status", "--json")[0])["books"]
    assert books["difference"] == 0
