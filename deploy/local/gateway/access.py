"""Who may ask: the user `default` without a password, from programs of this machine and not from web pages.

Rules kept: credentials are taken where ClickHouse takes them (Basic, X-ClickHouse headers, URL); a browser that was
led here by another site is turned away, since the local stack has no password to protect it.
"""

import base64
import binascii
from collections.abc import Mapping

from deploy.local.gateway.errors import ClickHouseError


def check(headers: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Raise AUTHENTICATION_FAILED (516) or ACCESS_DENIED (497) where a server would."""
    if headers.get("Sec-Fetch-Site") == "cross-site":
        raise ClickHouseError(497, "ACCESS_DENIED", "Requests of other sites' pages are not taken")
    user, password = _credentials(headers, given)
    if (user or "default") != "default" or password:
        raise ClickHouseError(
            516,
            "AUTHENTICATION_FAILED",
            "Authentication failed: password is incorrect, or there is no user with such name. "
            "The local stack knows the user default, without a password",
        )


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
