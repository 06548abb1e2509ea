"""Users of the embedded ClickHouse: their names, roles and hashed passwords, in one file of the home.

Rules kept: a password is made here, shown once and kept as its scrypt hash; the file is its owner's alone; a change
counts from the next request on. Without a user `default` in it the file protects nothing from programs of this machine,
who may come as `default` without a password: `up` with the setting `security` makes one.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sinks.clickhouse.roles import OWNER, roles
from streams import private_file
from streams.errors import UsageError

FILE = "clickhouse-users.json"
DEFAULT = "default"
_WANTED = "the users that `onethread users add` writes"

_COST = {"n": 1 << 14, "r": 8, "p": 1, "maxmem": 64 << 20}
"""16 MB and some 50 ms a guess: OWASP's Password Storage Cheat Sheet asks for more where people choose passwords; ours
have 192 random bits."""


class User(msgspec.Struct, frozen=True):
    """`hash` and `salt` in hex."""

    name: str
    role: str
    salt: str
    hash: str


class Users:
    """The users of a file, as they are now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._users: dict[str, User] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def role_of(self, name: str, password: str) -> str | None:
        """The role of whoever shows this; None where there is no such user, or it is another password.

        Cost: scrypt once for each password that was right, then a hash.
        """
        with self._lock:
            self._look()
            if name == DEFAULT and name not in self._users:
                return OWNER if not password else None
            user = self._users.get(name, _NOBODY)
            seen = (name, hashlib.sha256((user.salt + password).encode()).hexdigest())
            if seen not in self._known:
                if not hmac.compare_digest(_hash(password, user.salt), user.hash):
                    return None
                self._known[seen] = user.role
            return self._known[seen]

    def _look(self) -> None:
        stamp = private_file.stamp(self._path)
        if stamp != self._stamp:
            self._users = {user.name: user for user in read(self._path)}
            self._known.clear()
            self._stamp = stamp


def add(path: Path, name: str, role: str) -> str:
    """Make a user, or give one another password and role; the password, which is kept nowhere.

    Errors: UsageError where there is no such role, or `default` is to be less than the owner.
    """
    if role not in (OWNER, *roles()):
        raise UsageError(f"--role: expected one of {', '.join((*roles(), OWNER))}; came {role!r}")
    if name == DEFAULT and role != OWNER:
        raise UsageError(f"{DEFAULT}: our own programs come as this user: expected the role {OWNER}")
    password, salt = secrets.token_urlsafe(24), secrets.token_hex(16)
    with _changing(path) as users:
        users[name] = User(name, role, salt, _hash(password, salt))
    return password


def drop(path: Path, name: str) -> None:
    """Errors: UsageError where there is none of that name."""
    with _changing(path) as users:
        if users.pop(name, None) is None:
            raise UsageError(f"no such user: {name}; `onethread users list` shows them")


def read(path: Path) -> list[User]:
    """Errors: OneThreadError where the file is not ours."""
    return private_file.entries(path, User, _WANTED)


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, User]]:
    with private_file.changing(path, User, _WANTED) as found:
        users = {user.name: user for user in found}
        yield users
        found[:] = users.values()


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), dklen=32, **_COST).hex()


_NOBODY = User("", "", "00" * 16, "00" * 32)
"""Whom an unknown name is compared with, so that it takes as long."""
