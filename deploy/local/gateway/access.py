"""Who may ask, and with whose rights: users with passwords, each of a role; programs of this machine, not web pages.

Rules kept: credentials are taken where ClickHouse takes them (Basic, X-ClickHouse headers, URL); a browser that was
led here by another site is turned away, since the user `default` of a plain local stack has no password to protect it;
a wrong name is told as a wrong password is.
"""

import base64
import binascii
from collections.abc import Mapping

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.users import DEFAULT, Users
from sinks.clickhouse.roles import OWNER, Role, roles


def check(headers: Mapping[str, str], given: Mapping[str, str], users: Users) -> Role | None:
    """Whose rights the request has; None: all.

    Errors: ClickHouseError AUTHENTICATION_FAILED (516) or ACCESS_DENIED (497) where a server would.
    """
    if headers.get("Sec-Fetch-Site") == "cross-site":
        raise ClickHouseError(497, "ACCESS_DENIED", "Requests of other sites' pages are not taken")
    user, password = _credentials(headers, given)
    role = users.role_of(user or DEFAULT, password)
    if role is None:
        raise ClickHouseError(
            516,
            "AUTHENTICATION_FAILED",
            "Authentication failed: password is incorrect, or there is no user with such name. "
            "`onethread users list` shows the users of this stack",
        )
    return None if role == OWNER else roles()[role]


def _credentials(headers: Mapping[str, str], given: Mapping[str, str]) -> tuple[str, str]:
    kind, _, coded = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            user, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ClickHouseError(516, "AUTHENTICATION_FAILED", "Authorization header is not Basic") from error
        return user, password
    user = headers.get("X-ClickHouse-User") or given.get("user", "")
    return user, headers.get("X-ClickHouse-Key") or given.get("password", "")
