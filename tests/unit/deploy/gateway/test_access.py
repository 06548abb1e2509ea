"""Who is let in."""

import base64

import pytest

from deploy.local.gateway import access
from deploy.local.gateway.errors import ClickHouseError


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
def test_default_without_password_is_let_in(headers: dict[str, str], given: dict[str, str]) -> None:
    """By whichever of the three ways."""
    access.check(headers, given)


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
def test_others_are_not(headers: dict[str, str], given: dict[str, str], code: int) -> None:
    """A page of another site neither."""
    with pytest.raises(ClickHouseError) as refused:
        access.check(headers, given)
    assert refused.value.code == code
