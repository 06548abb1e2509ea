"""The picture of a frame."""

from rich.text import Text

from cli.top import picture


def test_a_picture_asks_no_other_site_for_anything() -> None:
    svg = picture(Text("books: balanced", "green"))
    assert "balanced" in svg
    assert "url(http" not in svg.replace('"', "")
