"""What the gateway must know of a statement before the engine sees it: its kind, its format, and inserted data.

Rules kept: one statement a request; nothing that would make the engine act as a command-line client (INTO OUTFILE, FROM
INFILE, `exit`, questions to a language model); no answer depends on text inside strings or comments.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.lexer import Token, tokens

_SPACES = b" \t\f"
_KINDS = (
    *("SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "USE", "SET", "KILL"),
    *("CREATE", "ALTER", "DROP", "RENAME", "EXCHANGE", "TRUNCATE", "OPTIMIZE", "ATTACH", "DETACH", "SYSTEM", "DELETE"),
    *("UPDATE", "GRANT", "REVOKE", "BACKUP", "RESTORE", "UNDROP", "REPLACE"),
)


@dataclass(frozen=True)
class Statement:
    """One statement: `text` is what the engine gets; `data_at` is where inserted data begins in the bytes analysed."""

    kind: str
    text: bytes
    format: str | None = None
    data_at: int | None = None
    temporary: bool = False

    @property
    def takes_data(self) -> bool:
        """True for an INSERT whose data follows the statement."""
        return self.data_at is not None

    @property
    def leaves_state(self) -> bool:
        """True for what a session keeps for its next request."""
        return self.kind in ("SET", "USE") or self.temporary


def parse(sql: bytes) -> Statement:
    """Read one statement.

    Shape:  the query text, for an INSERT with its data behind it -> Statement; `data_at` is None unless data is taken
            from behind the statement; `format` is that of the FORMAT clause (of the data in an INSERT).
    Errors: ClickHouseError (SYNTAX_ERROR, INTO_OUTFILE_NOT_ALLOWED, INCORRECT_QUERY) as a server gives them.
    """
    stream = tokens(sql)
    head: list[Token] = []
    for token in stream:
        head.append(token)
        if _begins_insert(head):
            return _insert(sql, head, stream)
        if token.is_mark(";"):
            _nothing_behind(stream)
            break
        _no_files(head)
    body = [token for token in head if not token.is_mark(";")]
    if not body:
        raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    first = body[0]
    if len(body) == 1 or not (first.kind == "word" or first.is_mark("(")):
        raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error: failed at position 1: expected a query")
    temporary = first.is_word("CREATE") and any(token.is_word("TEMPORARY") for token in body[:4])
    return Statement(_kind(first), sql[: body[-1].end], _format(body), temporary=temporary)


def _kind(first: Token) -> str:
    """The first word, if it is one of SQL: it goes to the logs, where no text of the user's may go."""
    if first.is_mark("("):
        return "SELECT"
    return first.text.upper() if first.is_word(*_KINDS) else "OTHER"


def _begins_insert(head: list[Token]) -> bool:
    """INSERT starts the statement, or INSERT INTO follows the expressions of a WITH."""
    if len(head) == 1:
        return head[0].is_word("INSERT")
    return head[0].is_word("WITH") and head[-2].is_word("INSERT") and head[-1].is_word("INTO")


def _insert(sql: bytes, head: list[Token], stream: Iterable[Token]) -> Statement:
    depth = 0
    seen = list(head)
    for token in stream:
        seen.append(token)
        _no_files(seen)
        depth += token.is_mark("(") - token.is_mark(")")
        if depth:
            continue
        if token.is_word("VALUES") and _behind_target(seen[-2]):
            return Statement("INSERT", sql[: token.start], "Values", token.end)
        if token.is_word("SELECT", "WITH", "WATCH") and _behind_target(seen[-2]):
            return _insert_select(sql, seen, stream)
        if seen[-2].is_word("FORMAT") and token.kind in ("word", "quoted") and _behind_target(seen[-3]):
            return Statement("INSERT", sql[: seen[-2].start], token.text, _data_start(sql, token.end))
        if token.is_mark(";"):
            _nothing_behind(stream)
            seen.pop()
            break
    return Statement("INSERT", sql[: seen[-1].end])


def _behind_target(previous: Token) -> bool:
    """False where a word is the name of the table itself, as in INSERT INTO format."""
    return not (previous.is_word("INSERT", "INTO", "TABLE", "FUNCTION") or previous.is_mark("."))


def _insert_select(sql: bytes, seen: list[Token], stream: Iterable[Token]) -> Statement:
    for token in stream:
        if token.is_mark(";"):
            _nothing_behind(stream)
            break
        seen.append(token)
        _no_files(seen)
    return Statement("INSERT", sql[: seen[-1].end])


def _data_start(sql: bytes, at: int) -> int:
    """Data begins behind the format's name, its blanks and one line end; this is the engine's own rule."""
    while sql[at : at + 1] and sql[at : at + 1] in _SPACES:
        at += 1
    at += sql[at : at + 1] == b"\r"
    return at + (sql[at : at + 1] == b"\n")


def _format(body: list[Token]) -> str | None:
    """The name in a trailing FORMAT clause; SETTINGS may stand behind it."""
    depth = 0
    found = None
    for previous, token in pairwise(body):
        depth += previous.is_mark("(") - previous.is_mark(")")
        if depth == 0 and previous.is_word("FORMAT") and token.kind in ("word", "quoted"):
            found = token.text
    return found


def _nothing_behind(stream: Iterable[Token]) -> None:
    for token in stream:
        if not token.is_mark(";"):
            raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")


def _no_files(seen: list[Token]) -> None:
    if len(seen) < 2:
        return
    if seen[-1].is_word("OUTFILE") and seen[-2].is_word("INTO"):
        raise ClickHouseError(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed")
    if seen[-1].is_word("INFILE") and seen[-2].is_word("FROM"):
        raise ClickHouseError(80, "INCORRECT_QUERY", "Query has infile and was send directly to server")
