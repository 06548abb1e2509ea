"""Who is let in."""

import base64
from pathlib import Path

import pytest

from deploy.local.gateway import access
from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.users import Users


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "given"),
    [
        ({}, {}),
        (basic("default:"), {}),
        ({"X-ClickHouse-User": "default"}, {}),
        ({}, {"user": "default", "password": ""}),
    ],
)
def test_default_without_password_is_let_in(headers: dict[str, str], given: dict[str, str], tmp_path: Path) -> None:
    """By whichever of the three ways, with all rights."""
    assert access.check(headers, given, Users(tmp_path / "users.json")) is None


@pytest.mark.parametrize(
    ("headers", "given", "code"),
    [
        (basic("someone:"), {}, 516),
        (basic("default:secret"), {}, 516),
        ({"Authorization": "Basic ?"}, {}, 516),
        ({"X-ClickHouse-Key": "secret"}, {}, 516),
        ({}, {"user": "someone"}, 516),
        ({"Sec-Fetch-Site": "cross-site"}, {}, 497),
    ],
)
def test_others_are_not(headers: dict[str, str], given: dict[str, str], code: int, tmp_path: Path) -> None:
    """A page of another site neither."""
    with pytest.raises(ClickHouseError) as refused:
        access.check(headers, given, Users(tmp_path / "users.json"))
    assert refused.value.code == code
