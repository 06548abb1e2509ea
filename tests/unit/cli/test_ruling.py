"""Ends of a rule as people name them, and what is refused before anything is sent."""

from typing import Any
from uuid import UUID

import pytest

from cli.ruling import identifier
from streams.core.policy import default
from streams.errors import OneThreadError, UsageError

ID = UUID("548d8728-b189-8ea2-9c5e-b700b5e420fa")


class Views:
    """Stands for ClickHouse: one person with three identifiers."""

    held = (("email", "a@example.com"), ("phone", "+380670009001"), ("anonymous_id", "ck"))

    def query(self, query: str, parameters: dict[str, Any], **_: Any) -> "Views":
        rows = [{"kind": kind, "value": value, "person_id": ID} for kind, value in self.held]
        named = (parameters.get("kind"), parameters.get("value"))
        self.found = [row for row in rows if "id" in parameters or (row["kind"], row["value"]) == named]
        return self

    def named_results(self) -> list[dict[str, Any]]:
        return self.found


def found(text: str) -> tuple[str, str]:
    return identifier(Views(), text, default(), "UA")  # type: ignore[arg-type]


def test_an_end_is_normalised_as_in_events() -> None:
    assert found("whatsapp:067 000 90 01") == ("phone", "+380670009001")


def test_a_person_stands_for_the_strongest_it_has() -> None:
    assert found(f"person:{ID}") == ("phone", "+380670009001")


@pytest.mark.parametrize(("text", "error", "message"), [
    ("phone:+380670009002", OneThreadError, "no such phone"),
    ("phone:12", OneThreadError, "refused as malformed"),
    ("fone:1", UsageError, "no kind 'fone'"),
    ("phone", UsageError, "expected KIND:VALUE"),
])
def test_an_end_that_is_nobody_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        found(text)
