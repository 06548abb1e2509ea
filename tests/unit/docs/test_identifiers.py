"""The page about identifiers says what the policy and the normal forms do."""

import re
from pathlib import Path

from streams.core import identifiers
from streams.core.policy import default

PAGE = (Path(__file__).parents[3] / "docs/identifiers.md").read_text()
KINDS = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| `([^`]+)` \| .+ \|$", PAGE, re.MULTILINE)
NOTES = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \|$", PAGE, re.MULTILINE)


def test_the_page_lists_every_kind_of_the_policy_in_its_order() -> None:
    assert [kind for kind, _, _ in KINDS] == list(default().kinds)


def test_every_example_has_the_normal_form_that_the_page_tells() -> None:
    for kind, example, normal in KINDS:
        assert identifiers.normalise(kind, example, default(), "UA") == (kind, normal)


def test_the_page_names_every_other_name_of_a_kind() -> None:
    assert all(f"`{alias}`" in PAGE for alias in default().aliases)


def test_the_page_explains_every_note() -> None:
    notes = {value for name, value in vars(identifiers).items() if name.isupper() and isinstance(value, str)}
    assert set(NOTES) == notes - {identifiers.CARD_NUMBER}, "a card's number refuses the event, it is no note"
