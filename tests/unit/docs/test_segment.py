"""The page about Segment's calls shows the mapping as it is."""

import re
from pathlib import Path

from connectors.segment import decode, default, load
from connectors.segment.__main__ import table
from connectors.source import Source

PAGE = (Path(__file__).parents[3] / "docs/segment.md").read_text()


def test_the_page_ends_with_the_table_of_every_row() -> None:
    assert PAGE.endswith("\n\n" + "\n".join(table(default())) + "\n"), "python -m connectors.segment prints it"


def test_the_page_names_the_kind_of_every_identifier() -> None:
    kinds = {kind for _, kind in default().identifiers}
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in PAGE] == []


def test_the_example_of_a_page_is_one_that_works(tmp_path: Path) -> None:
    (tmp_path / "segment.toml").write_text(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0])
    call = {"type": "track", "event": "fitting_booked", "userId": "u-1", "properties": {"shop": "S-7", "topic": "skis"}}
    events = decode(call, Source("shop", "web"), 1_770_285_600_000, load(tmp_path))
    assert isinstance(events, list)
    assert (events[0]["type"], events[0]["place"]) == ("form_submitted", {"store_id": "S-7"})
