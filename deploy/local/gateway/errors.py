"""Exceptions as a ClickHouse server words them, and the HTTP status each code gets.

Rule kept: the code, the name and the text are the engine's own wherever it spoke; the gateway adds only its version.
"""

import re

# ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; whatever is not listed is 500.
_BAD_REQUEST = (  # what cannot be parsed, wrong types and values, syntax
    *(6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168),
    *(223, 321, 376, 427, 441, 675, 676),
)
_STATUS = {
    code: status
    for status, codes in {
        401: (194,),  # REQUIRED_PASSWORD
        403: (192, 193, 497, 512, 516),  # unknown user, wrong password, access denied
        400: _BAD_REQUEST,
        404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),  # unknown table, column, setting, format
        408: (159,),  # TIMEOUT_EXCEEDED
        411: (381,),  # HTTP_LENGTH_REQUIRED
        413: (229,),  # QUERY_IS_TOO_LARGE
        415: (779,),  # UNSUPPORTED_MEDIA_TYPE
        501: (48,),  # NOT_IMPLEMENTED
        503: (76, 209, 439),  # cannot open a file, socket time-out, cannot schedule a task
    }.items()
    for code in codes
}
_CODE = re.compile(r"Code: (\d+)\. ")
_REPEATED = re.compile(r"^(?:Code: \d+\. DB::Exception: )+(?=Code: \d+\. DB::Exception: )")
_NAMED = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\))?\.?\s*$")
UNKNOWN_EXCEPTION = 1002


class ClickHouseError(Exception):
    """A request failed; `code` is ClickHouse's, `str(error)` the text a server would send without its version."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text} ({name})" if not text.startswith("Code: ") else text)
        self.code = code
        self.name = name

    @property
    def status(self) -> int:
        """The HTTP status a server answers with."""
        return _STATUS.get(self.code, 500)

    def body(self, version: str) -> bytes:
        """The body of the answer: one line, ending with the version of the engine."""
        return f"{self} (version {version})\n".encode()


def from_engine(message: str) -> ClickHouseError:
    """Turn the engine's message into an error.

    Shape:  any text; the engine may put words of its own language binding in front and repeat the code.
    """
    start = message.find("Code: ")
    text = _REPEATED.sub("", message[start:].strip()) if start >= 0 else message.strip()
    text = re.sub(r"\s*\(version [^)]*\)", "", text)
    code = _CODE.match(text)
    if code is None:
        return ClickHouseError(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", text)
    named = _NAMED.search(text)
    return ClickHouseError(int(code[1]), named[1] if named else "UNKNOWN_EXCEPTION", text)
