"""The load of a chaos run: its lines are those that were made, as otherwise nobody knows what the stack was told."""

from itertools import count, repeat
from types import SimpleNamespace

from tests.chaos.load import PAGE, Load


def test_every_line_goes_out_once_and_in_order(tmp_path, monkeypatch):
    load, pages = Load(SimpleNamespace(home=tmp_path), map(b"%d".__mod__, count()), rate=1e9), []

    def way(page):
        pages.append(page)
        if len(pages) == 3:
            load._stop.set()

    monkeypatch.setattr(load, "_ways", lambda: repeat(way))
    load._run()
    load.check()
    assert [len(page) for page in pages] == [PAGE] * 3
    assert [line for page in pages for line in page] == [b"%d" % n for n in range(3 * PAGE)]
