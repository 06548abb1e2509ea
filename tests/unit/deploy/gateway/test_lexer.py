"""The cuts of the lexer are those the engine makes; each case was tried on the engine."""

import pytest

from deploy.local.gateway.lexer import Token, tokens


def texts(sql: str) -> list[str]:
    return [token.text for token in tokens(sql.encode())]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 -- into outfile\n, 2",
        "select 1 // into outfile\n, 2",
        "select 1 # into outfile\n, 2",
        "select 1 #! into outfile\n, 2",
        "select 1 /* into outfile */, 2",
        "select 1 /* /* into */ outfile */, 2",
        "select\u00a01\u3000, 2",
    ],
)
def test_comments_and_blanks_are_no_tokens(sql: str) -> None:
    """Comments nest, and blanks of Unicode separate as others do."""
    assert texts(sql) == ["select", "1", ",", "2"]


@pytest.mark.parametrize("text", ["'it\\'s'", "'it''s'", "$$it's$$", "$t$it's $$ $t$", "\u2018it's\u2019", "'a\\\\'"])
def test_strings_are_one_token_however_quoted(text: str) -> None:
    """What is inside a string never shows as a word."""
    assert [token.kind for token in tokens(f"select {text}, x".encode())] == ["word", "string", "mark", "word"]


@pytest.mark.parametrize("name", ["`fi``le`", "`fi\\`le`"])
def test_quoted_names_come_without_quotes(name: str) -> None:
    """A name is compared as it is, not as it is written."""
    assert list(tokens(name.encode())) == [Token("quoted", "fi`le", 0, len(name))]


def test_typographic_double_quotes_are_names() -> None:
    """The engine takes them so."""
    sql = "\u201cdummy\u201d".encode()
    assert list(tokens(sql)) == [Token("quoted", "dummy", 0, len(sql))]


def test_a_quote_inside_typographic_quotes_opens_nothing() -> None:
    """Else the rest of the statement would look like a string and hide from the checks."""
    assert texts("select \u2018 ' \u2019, file('x')")[-4:] == ["file", "(", "", ")"]


def test_dollar_without_its_end_is_part_of_a_name() -> None:
    """Only a closed heredoc is a string."""
    assert texts("a$b $x $$") == ["a$b", "$x", "$$"]


def test_spans_are_positions_in_the_bytes() -> None:
    """Not in the characters, since data may follow that is no text."""
    assert [(token.start, token.end) for token in tokens("'ї' x".encode())] == [(0, 4), (5, 6)]


def test_an_open_comment_ends_the_text() -> None:
    """The engine refuses it; nothing behind may be taken for SQL."""
    assert texts("select 1 /* select 2") == ["select", "1"]


def test_words_compare_without_case_and_quoted_names_are_no_words() -> None:
    """`FORMAT` is a keyword, "`FORMAT`" a name."""
    word, name = tokens(b"Format `format`")
    assert word.is_word("FORMAT")
    assert not name.is_word("FORMAT")
