"""What people said about pairs of identifiers, and which word on each pair is the last."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from streams.core.event import Identifier
from streams.core.facts import Row
from tests.oracle.keys import node_key

Pair = tuple[Identifier, Identifier]
"""Two identifiers in text order."""


class Word(NamedTuple):
    """One command: `verb` is link, unlink, or drop, which takes back whatever was said before."""

    pair: Pair
    verb: str
    command: str
    received_ms: int
    reason: str = "said so"


def last_words(words: Iterable[Word]) -> dict[Pair, Word]:
    """The rule that holds for each pair; a pair whose last word is drop has none."""
    last: dict[Pair, Word] = {}
    for word in sorted(words, key=lambda w: (w.received_ms, w.command)):
        assert word.pair[0] < word.pair[1], "a pair is told in text order"
        last[word.pair] = word
    return {pair: word for pair, word in last.items() if word.verb != "drop"}


def rule_row(word: Word, pepper: bytes) -> Row:
    nodes: list[Any] = [node_key(end, pepper) for end in word.pair]
    return (*nodes, *word.pair[0], *word.pair[1], word.verb, word.command, word.received_ms, word.reason)
