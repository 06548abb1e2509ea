"""Whom an erasure is about, and what is refused before anything is sent."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from cli import erase
from connectors import commands
from streams.core.policy import default
from streams.errors import OneThreadError

SETTINGS = SimpleNamespace(default_region="UA")
ADDRESSES = SimpleNamespace(kafka_bootstrap="", registry_url="")


class Views:
    """Stands for ClickHouse: a kiosk's device, which many people used."""

    def query(self, query: str, parameters: dict[str, Any], **_: Any) -> "Views":
        held = {"kind": "device_id", "value": "kiosk", "person_id": UUID(int=1), "shared": True}
        self.found = [held] if "id" in parameters or parameters["value"] == "kiosk" else []
        return self

    def named_results(self) -> list[dict[str, Any]]:
        return self.found


@pytest.mark.parametrize(("who", "said"), [
    ("device_id:kiosk", "the device_id is many people's: erase each of them by an identifier of their own"),
    ("device_id:other", "no such device_id"),
])
def test_nobody_is_erased_by_what_is_no_one_persons(who: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "policy_in_force", lambda *_: SimpleNamespace(policy=default()))
    with pytest.raises(OneThreadError, match=said):
        erase._target(Views(), ADDRESSES, SETTINGS, who)  # type: ignore[arg-type]
