"""Users of the gateway: what is kept of them, and when a change counts."""

from pathlib import Path

import pytest

from deploy.local.gateway import users
from deploy.local.gateway.users import Users
from streams.errors import OneThreadError, UsageError


def test_a_user_is_known_by_the_password_shown_once(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    found = Users(path)
    password = users.add(path, "ann", "analyst")
    assert found.role_of("ann", password) == "analyst"
    assert found.role_of("ann", password + "x") is None
    assert found.role_of("bob", password) is None
    assert password not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_change_counts_from_the_next_request_on(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    found = Users(path)
    first = users.add(path, "ann", "analyst")
    assert found.role_of("ann", first) == "analyst"
    second = users.add(path, "ann", "marketer")
    assert (found.role_of("ann", first), found.role_of("ann", second)) == (None, "marketer")
    users.drop(path, "ann")
    assert found.role_of("ann", second) is None


def test_default_needs_a_password_once_it_has_one(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    found = Users(path)
    assert found.role_of("default", "") == "owner"
    password = users.add(path, "default", "owner")
    assert (found.role_of("default", ""), found.role_of("default", password)) == (None, "owner")


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    with pytest.raises(UsageError, match="expected one of analyst, marketer, sre, owner; came 'boss'"):
        users.add(path, "ann", "boss")
    with pytest.raises(UsageError, match="our own programs"):
        users.add(path, "default", "analyst")
    with pytest.raises(UsageError, match="no such user: ann"):
        users.drop(path, "ann")
    path.write_text("{}")
    with pytest.raises(OneThreadError, match="expected the users that"):
        users.read(path)
