"""The rules of a deployment reach the collector while it runs, and outlive a Kafka that is away."""

from pathlib import Path
from typing import Any

import pytest

from connectors.checking import Checked, Checker
from connectors.collector import rules
from connectors.collector.rules import Ruling
from deploy.local.ports import Addresses
from streams.core import policy as policies
from streams.core.commands import InForce
from streams.core.refusal import Reject
from streams.errors import OneThreadError
from tests.unit.streams.core.records import KAFKA_MS, named, told

OWN = policies.default_text().replace("[kinds]\ncustomer_id ", "[kinds]\nbadge ")


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Which policy is in force; `text` None: Kafka is away."""
    state: dict[str, Any] = {"version": 0, "text": policies.default_text()}

    def in_force(*_: object) -> InForce:
        if state["text"] is None:
            raise OneThreadError("Kafka does not answer")
        return InForce(state["version"], state["text"], policies.parse(state["text"], ""))

    monkeypatch.setattr(rules, "policy_in_force", in_force)
    return state


def ruling(home: Path) -> tuple[Ruling, list[Checker]]:
    made, given = Ruling(Addresses(home), home / "collector" / "policy.toml"), list[Checker]()
    made.tell = lambda checker, _mapping: given.append(checker)
    return made, given


def verdict(checker: Checker, **fields: Any) -> str:
    checked: Checked | Reject = checker.check(told(**fields), KAFKA_MS)
    return str(checked.reason) if isinstance(checked, Reject) else "taken"


def test_a_policy_that_is_applied_holds_here_too_and_also_after_a_start_without_kafka(
    tmp_path: Path, kafka: dict[str, Any],
) -> None:
    made, given = ruling(tmp_path)
    made.look()
    assert given == []
    badge = {"identifiers": [named("badge", "b-1")]}
    assert verdict(made.known()[0], **badge) == "no_identifier"
    kafka |= {"version": 3, "text": OWN}
    made.look()
    assert [verdict(checker, **badge) for checker in given] == ["taken"]
    kafka["text"] = None
    again, _ = ruling(tmp_path)
    with pytest.raises(OneThreadError):
        again.look()
    assert verdict(again.known()[0], **badge) == "taken"


def test_a_channel_that_is_added_is_known_without_a_start(tmp_path: Path, kafka: dict[str, Any]) -> None:
    made, given = ruling(tmp_path)
    assert verdict(made.known()[0], channel="vending") == "unknown_channel"
    (tmp_path / "onethread.toml").write_text('[channels.vending]\nfamily = "store"\n')
    made.look()
    assert [verdict(checker, channel="vending") for checker in given] == ["taken"]
    made.look()
    assert len(given) == 1


def test_a_policy_of_another_release_does_not_keep_the_collector_from_starting(tmp_path: Path) -> None:
    (tmp_path / "collector").mkdir()
    (tmp_path / "collector" / "policy.toml").write_text("[unheard_of]\nx = 1\n")
    made, _ = ruling(tmp_path)
    assert verdict(made.known()[0]) == "taken"
