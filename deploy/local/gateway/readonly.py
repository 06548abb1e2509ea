"""What a read-only request may not do although the engine's own read-only mode lets it through.

Rules kept: the engine's mode (setting `readonly`) is the first guard and refuses writes, DDL, SET and most sources
outside; this is the second, for what it was seen to allow: control statements such as KILL, the scalar function `file`,
files as tables of the database `default` (as quoted names and as texts), the structure of files and addresses by
DESCRIBE, and calls of language models. Names count wherever they stand as a function: in quotes, behind APPLY, or
inside a higher-order function. Files of the working directory need no slash, so the gateway works in an empty one.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from chdb.state.sqlitelike import Connection

from deploy.local.gateway.errors import ClickHouseError
from deploy.local.gateway.lexer import Token, tokens

if TYPE_CHECKING:
    from deploy.local.gateway.request import Query

# Table functions that read nothing outside although the engine keeps them from read-only users; analysts use `format`.
_HARMLESS = {"format", "zeros", "zeros_mt", "viewexplain", "dictionary"}
# Harmless classes of the engine's own classification; a text it cannot parse is answered by its syntax error.
_READS = {"READ_ONLY", "UNKNOWN"}

_BEFORE_TABLE = ("FROM", "JOIN", "DESCRIBE", "DESC", "TABLE")
_CLAUSES = (
    *("SELECT", "WITH", "PREWHERE", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET"),
    *("SETTINGS", "FORMAT", "UNION", "EXCEPT", "INTERSECT"),
)  # what ends a list of tables; ON and USING do not, for a comma behind them goes on with it


def refused_names(table_functions: Iterable[str], ai_functions: Iterable[str]) -> frozenset[str]:
    """Lower-case names a read-only request may not use as functions."""
    names = {name.lower() for name in (*table_functions, *ai_functions)}
    return frozenset(names - _HARMLESS | {"file", "eval", "hascolumnintable"})


def check(query: "Query", refused: frozenset[str], connection: Connection) -> None:
    """Raise READONLY (164) when the request would write, control or reach outside."""
    text = query.statement.text
    kind = connection._conn.classify_query(text.decode("utf-8", "replace"))["query_class"].name
    if kind not in _READS and not (query.statement.kind in ("USE", "SET") and query.readonly == 2):
        raise _readonly("Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly.")
    seen = list(tokens(text))
    names = {value for value in query.parameters.values() if any(token.is_word("IDENTIFIER") for token in seen)}
    if name := _refused(seen, refused) or next((name for name in names if name.lower() in refused), None):
        raise _readonly(f"Function {name} reaches outside of the database and is not allowed in readonly mode")
    if any("/" in name for name in names) or _file_named(seen):
        raise _readonly("A quoted name with a slash may be that of a file and is not allowed in readonly mode")
    if any(token.kind == "quoted" and b"\\" in text[token.start : token.end] for token in seen):
        raise _readonly("A quoted name with a backslash hides what it names and is not allowed in readonly mode")
    if _text_as_table(seen):
        raise _readonly("A text in place of a table is the name of a file and is not allowed in readonly mode")


def _file_named(seen: list[Token]) -> bool:
    """A table of the database `default` may be a path; a name behind AS is an alias."""
    slashed = (index for index, token in enumerate(seen) if token.kind == "quoted" and "/" in token.text)
    return any(index == 0 or not seen[index - 1].is_word("AS") for index in slashed)


def _text_as_table(seen: list[Token]) -> bool:
    """A string stands where a table is named: behind FROM, JOIN or DESCRIBE, or a comma or bracket of their list."""
    clauses = [""]  # of every open bracket the clause it is in
    for previous, token in pairwise([Token("mark", "(", 0, 0), *seen]):
        in_call = len(clauses) > 1 and not clauses[-1] and not previous.is_mark("(")  # as in trim(BOTH ' ' FROM x)
        names_table = clauses[-1] == "FROM" and (
            previous.is_word(*_BEFORE_TABLE) or previous.is_mark(",") or previous.is_mark("(")
        )
        if token.is_mark("("):
            clauses.append("FROM" if names_table else "")
        elif token.is_mark(")"):
            clauses = clauses[:-1] or [""]
        elif token.is_word(*_BEFORE_TABLE) and not in_call and not (clauses[-1] == "ORDER" and token.is_word("DESC")):
            clauses[-1] = "FROM"
        elif token.is_word(*_CLAUSES):
            clauses[-1] = token.text.upper()
        elif token.kind == "string" and names_table:
            return True
    return False


def _refused(seen: list[Token], refused: frozenset[str]) -> str | None:
    for index, token in enumerate(seen):
        named = token.kind in ("word", "quoted")
        if not named or token.text.lower() not in refused or (index and seen[index - 1].is_mark(".")):
            continue
        called = index + 1 < len(seen) and seen[index + 1].is_mark("(")
        if called or token.text.lower() == "file" or _handed_over(seen, index):
            return token.text
    return None


def _handed_over(seen: list[Token], index: int) -> bool:
    """The name stands where a function is given as an argument: behind APPLY or an opening bracket."""
    return index > 0 and (seen[index - 1].is_mark("(") or seen[index - 1].is_word("APPLY"))


def _readonly(text: str) -> ClickHouseError:
    return ClickHouseError(164, "READONLY", text)
