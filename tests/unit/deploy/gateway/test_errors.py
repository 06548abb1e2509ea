"""Exceptions read from the engine and worded as a server words them."""

import pytest

from deploy.local.gateway.errors import ClickHouseError, from_engine


@pytest.mark.parametrize(
    ("message", "code", "name", "body"),
    [
        (
            "Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)",
            60,
            "UNKNOWN_TABLE",
            b"Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE) (version 1)\n",
        ),
        (
            "Streaming insert append failed: Code: 27. DB::Exception: Cannot parse. (CANNOT_PARSE) (version 26.9.2.1)",
            27,
            "CANNOT_PARSE",
            b"Code: 27. DB::Exception: Cannot parse. (CANNOT_PARSE) (version 1)\n",
        ),
        (
            "Code: 164. DB::Exception: Code: 164. DB::Exception: No. (READONLY) (version 26.9.2.1). (READONLY)",
            164,
            "READONLY",
            b"Code: 164. DB::Exception: No. (READONLY). (READONLY) (version 1)\n",
        ),
        (
            "engine is gone",
            1002,
            "UNKNOWN_EXCEPTION",
            b"Code: 1002. DB::Exception: engine is gone (UNKNOWN_EXCEPTION) (version 1)\n",
        ),
    ],
)
def test_message_of_the_engine_gives_code_name_and_body(message: str, code: int, name: str, body: bytes) -> None:
    """Words of the language binding and repeated codes go."""
    error = from_engine(message)
    assert (error.code, error.name, error.body("1")) == (code, name, body)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (62, 400),
        (60, 404),
        (115, 404),
        (73, 404),
        (516, 403),
        (194, 401),
        (159, 408),
        (48, 501),
        (164, 500),
        (241, 500),
    ],
)
def test_status_is_the_one_a_server_gives(code: int, status: int) -> None:
    """One code of each status."""
    assert ClickHouseError(code, "X", "x").status == status
