"""Cuts ClickHouse SQL into tokens, so that nobody looks for keywords inside strings, comments or inserted data.

Rules kept: the same cuts as the engine's lexer makes (nested comments, heredocs, typographic quotes, doubled and
escaped quotes), because a difference would let a statement hide from the read-only check; and lazy, because the data of
an INSERT may follow the statement in the same bytes and is no SQL.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["word", "quoted", "string", "mark"]

_TOKEN = re.compile(
    rb"""
      (?P<skip>  [\s\x00-\x20]+ | --[^\n]* | //[^\n]* | \#[ !][^\n]* )
    | (?P<comment> /\* )
    | (?P<heredoc> \$(?P<tag>[0-9A-Za-z_]*)\$ .*? \$(?P=tag)\$ )
    | (?P<string> '(?:[^'\\]|\\.|'')*' | \xe2\x80\x98 .*? \xe2\x80\x99 )
    | (?P<quoted> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" | \xe2\x80\x9c .*? \xe2\x80\x9d )
    | (?P<word>   [0-9A-Za-z_$]+ )
    | (?P<blank>  [\x80-\xff] )
    | (?P<mark>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")


class Token(NamedTuple):
    """One token: its text without quotes, and where it stands (half-open)."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """True for an unquoted word equal to one of `words`, which are in capitals."""
        return self.kind == "word" and self.text.upper() in words

    def is_mark(self, mark: str) -> bool:
        """True for a punctuation character equal to `mark`."""
        return self.kind == "mark" and self.text == mark


def tokens(sql: bytes) -> Iterator[Token]:
    """The tokens of `sql` in order, comments and white space left out.

    Shape:  any bytes -> tokens with increasing, disjoint spans; an unclosed quote comes as a mark, an unclosed comment
            ends the text (the engine refuses both).
    Cost:   O(n) of what is consumed; nothing beyond the last token taken is looked at.
    """
    at = 0
    while at < len(sql) and (match := _TOKEN.match(sql, at)):
        at = match.end()
        kind = match.lastgroup
        if kind == "comment":
            at = _comment_end(sql, at)
        elif kind == "word" or kind == "mark":
            yield Token("word" if kind == "word" else "mark", match[0].decode("latin-1"), match.start(), at)
        elif kind == "quoted":
            yield Token("quoted", _unquoted(match[0]), match.start(), at)
        elif kind in ("string", "heredoc"):
            yield Token("string", "", match.start(), at)


def _comment_end(sql: bytes, at: int) -> int:
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(sql, at)):
        depth += 1 if edge[0] == b"/*" else -1
        at = edge.end()
    return len(sql) if depth else at


def _unquoted(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    quote = text[-1]
    return re.sub(r"\\(.)", r"\1", text[1:-1].replace(quote * 2, quote), flags=re.DOTALL)
