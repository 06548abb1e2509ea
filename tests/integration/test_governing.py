"""What operators decide about identities, on a running stack: rules, policies, settings, and the way back from each."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from streams.core.policy import default_text
from tests.integration.pipeline import SHOWN, shown

ROOT = Path(__file__).parents[2]
FAMILY = "device_id      = { strength = 40,  personal = false, per_person = \"none\", shared_above = 3,"
ONE_OWNER = FAMILY.replace("shared_above = 3", "shared_above = 1")


def onethread(*words: str, stdin: str = "", code: int = 0) -> str:
    command = [sys.executable, "-m", "cli.main", *words]
    done = subprocess.run(command, input=stdin, cwd=ROOT, capture_output=True, text=True, timeout=280, env=os.environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code in (0, 3) else done.stderr


def tell(*events: tuple[str, str, dict[str, str]]) -> None:
    """Events (id, time of day, identifiers by kind), settled."""
    lines = [json.dumps({
        "event_id": name, "channel": "web", "type": "logged_in", "occurred_at": f"2026-02-05T{at}:00Z",
        "identifiers": [{"kind": kind, "value": value} for kind, value in ids.items()],
    }) for name, at, ids in events]
    onethread("emit", "-", stdin="\n".join(lines))
    onethread("settle")


def tables(addresses: Addresses) -> dict[str, Counter[str]]:
    """Everything that the views show, and which rules hold."""
    views = {table: shown(addresses, table) for table in SHOWN}
    views["evidence"] = shown(addresses, "evidence")
    views["rules"] = Counter(onethread("rules", "list", "--json").splitlines())
    return views


def owner(addresses: Addresses, kind: str, value: str) -> str:
    found = connect(addresses.clickhouse_url).query(
        "SELECT person_id FROM onethread.identifiers WHERE kind = {kind:String} AND value = {value:String}",
        parameters={"kind": kind, "value": value},
    ).result_rows
    (person_id,), = found
    return str(person_id)


@pytest.fixture
def home(running_stack: Addresses) -> Iterator[Addresses]:
    """The stack, given back under the policy it had."""
    policy = onethread("policy", "show")
    yield running_stack
    onethread("policy", "apply", "-", "--keep-values", stdin=policy)


@pytest.mark.timeout(600)
def test_a_link_joins_strangers_an_unlink_parts_them_and_a_drop_undoes_it(home: Addresses) -> None:
    tell(("link-1", "10:00", {"email": "link-a@example.com"}), ("link-2", "11:00", {"phone": "+380670002001"}))
    a, b = ("email", "link-a@example.com"), ("phone", "+380670002001")
    before = tables(home)
    assert owner(home, *a) != owner(home, *b)

    onethread("link", "email:Link-A@example.com", "phone:+380 67 000 2001", "--reason", "said so at the till")
    onethread("settle")
    assert owner(home, *a) == owner(home, *b)

    rule_id = onethread("unlink", f"person:{owner(home, *a)}", "phone:+380670002001", "--reason", "two people",
                        code=2)  # the person's strongest identifier is the phone itself
    assert "are one" in rule_id
    rule_id = onethread("unlink", "email:link-a@example.com", "phone:+380670002001", "--reason", "two people").strip()
    onethread("settle")
    assert owner(home, *a) != owner(home, *b)
    listed, = [rule for rule in json.loads(onethread("rules", "list", "--json")) if rule["rule_id"] == rule_id]
    assert (listed["verb"], listed["reason"]) == ("unlink", "two people")

    onethread("rules", "drop", rule_id)
    onethread("settle")
    assert tables(home) == before


@pytest.mark.timeout(600)
def test_an_unlink_dropped_leaves_no_trace_but_history(home: Addresses) -> None:
    tell(("drop-1", "10:00", {"email": "drop@example.com", "device_id": "drop-d"}),
         ("drop-2", "10:10", {"phone": "+380670002002", "device_id": "drop-d"}),
         ("drop-3", "10:20", {"device_id": "drop-d"}))
    before = tables(home)
    rule_id = onethread("unlink", "email:drop@example.com", "phone:+380670002002", "--reason", "two people").strip()
    onethread("settle")
    assert owner(home, "email", "drop@example.com") != owner(home, "phone", "+380670002002")
    onethread("rules", "drop", rule_id, "--reason", "one after all")
    onethread("settle")
    assert tables(home) == before


def test_rules_on_what_nobody_knows_are_refused(home: Addresses) -> None:
    tell(("refused-1", "10:00", {"email": "refused@example.com"}))
    known = "email:refused@example.com"
    assert "no such phone" in onethread("link", known, "phone:+380670009999", "--reason", "x", code=1)
    assert "are one" in onethread("link", known, "email: REFUSED@example.com", "--reason", "x", code=2)
    assert "no kind 'fone'" in onethread("unlink", known, "fone:1", "--reason", "x", code=2)
    assert "--reason" in onethread("unlink", known, "fone:1", code=2)
    assert "no such rule" in onethread("rules", "drop", "never", code=1)


@pytest.mark.timeout(600)
def test_a_policy_reaches_the_past_and_the_old_one_brings_it_back(home: Addresses, tmp_path: Path) -> None:
    tell(("family-1", "10:00", {"email": "family-a@example.com", "device_id": "family-d"}),
         ("family-2", "11:00", {"email": "family-b@example.com", "device_id": "family-d"}))
    before = tables(home)
    assert FAMILY in default_text()
    other = tmp_path / "other.toml"
    other.write_text(default_text().replace(FAMILY, ONE_OWNER))

    told = json.loads(onethread("policy", "diff", str(other), "--json", code=3))
    assert told["shared"]["device_id"] >= 1
    assert tables(home) == before

    onethread("policy", "apply", str(other))
    assert onethread("policy", "show") == other.read_text()
    owners = {owner(home, "email", f"family-{name}@example.com") for name in "ab"}
    assert len(owners) == 2
    assert "no differences" in onethread("policy", "diff", str(other))
    assert "in force already" in onethread("policy", "apply", str(other))

    onethread("policy", "apply", "-", stdin=default_text())
    assert tables(home) == before


@pytest.mark.timeout(600)
def test_a_policy_that_reads_held_values_otherwise_is_asked_about(home: Addresses, tmp_path: Path) -> None:
    """What is held would keep its value; a value that is blocked would identify nobody any more."""
    tell(("reads-1", "10:00", {"email": "reads+x@example.com"}), ("reads-2", "10:10", {"email": "blocked@example.com"}))
    other = tmp_path / "other.toml"
    other.write_text(default_text().replace("plus_tags = []", 'plus_tags = ["example.com"]')
                     .replace('"a@a.a"]', '"a@a.a", "blocked@example.com"]'))

    told = json.loads(onethread("policy", "diff", str(other), "--json", code=3))
    assert told["read_otherwise"]["other"]["email"] >= 1
    assert told["shared"] == {"email": 1, "email_sha256": 1}
    assert "--keep-values" in onethread("policy", "apply", str(other), code=1)
    assert onethread("policy", "show") != other.read_text()


@pytest.mark.timeout(600)
def test_a_kind_of_ones_own_needs_no_code_and_stays_while_in_use(running_stack: Addresses, tmp_path: Path) -> None:
    """The last one: its policy stays."""
    other = tmp_path / "other.toml"
    row = FAMILY.replace("device_id     ", "locker_card   ")
    row += ' busy_above = "none", min_events = 1, form = "digits" }\n'
    other.write_text(default_text().replace("face_id        =", f"{row}face_id        =", 1))
    onethread("policy", "apply", str(other))
    tell(("kind-1", "10:00", {"locker_card": "77-01", "email": "kind@example.com"}))
    assert owner(running_stack, "locker_card", "7701") == owner(running_stack, "email", "kind@example.com")
    assert "locker_card (1 identifiers)" in onethread("policy", "apply", "-", stdin=default_text(), code=1)


@pytest.mark.timeout(600)
def test_other_gaps_reach_the_past_and_back(running_stack: Addresses, tmp_path: Path) -> None:
    tell(("gap-1", "10:00", {"email": "gap@example.com"}), ("gap-2", "10:40", {"email": "gap@example.com"}))
    before = tables(running_stack)
    wide, narrow = tmp_path / "wide.toml", tmp_path / "narrow.toml"
    mappings = (running_stack.home / "onethread.toml").read_text()
    wide.write_text('session_gap = "45m"\njourney_gap = "20m"\n' + mappings)
    narrow.write_text('session_gap = "30m"\njourney_gap = "30d"\n' + mappings)
    applied = onethread("config", "apply", str(wide))
    assert "applied: session_gap 30m → 45m" in applied
    assert "applied: journey_gap 30d → 20m" in applied
    sessions = shown(running_stack, "sessions")
    assert sum(sessions.values()) < sum(before["sessions"].values())
    assert sum(shown(running_stack, "journeys").values()) > sum(before["journeys"].values())
    onethread("config", "apply", str(narrow))
    assert tables(running_stack) == before
