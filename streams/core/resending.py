"""Every row there is, sent once more, so that a sink can be filled anew while events flow.

Rules kept:
- `Rebuild` gets into the logs of all partitions in one transaction. A partition that meets it sets a milestone among
  its facts; what it tells others after that is worked behind their milestones. So no row behind a milestone was taken
  back before another's: the milestones are one consistent cut (Chandy and Lamport, Distributed Snapshots, 1985), and
  rows behind them are enough.
- Rows go out page by page, as roots have them then. A cluster that moves is sent whole by the root that takes it in, so
  none is missed between two pages.
- A row sent again is no news: nobody but the sink hears of it.
"""

from streams.core import knowing
from streams.core.intake import BOOKS, Books
from streams.core.messages import Rebuild, Resend
from streams.core.partition import Partition

RESEND_NODES = 100
"""Nodes looked at in one step: some 30 ms, between which events flow."""


def rebuild(p: Partition, m: Rebuild) -> None:
    """Set the milestone, send the books, and begin with the first page."""
    if m.name < p.rebuild:
        return
    p.rebuild = m.name
    p.effects.begun.append(m.name)
    for key, data in p.reader.scan(BOOKS):
        source, books = Books.source(key), Books.unpack(data)
        p.effects.resent["intake", *source] = (books.records, books.row(source))
    p.effects.forwards[p.number].append(Resend(p.clock, m.name, b""))


def resend(p: Partition, m: Resend) -> None:
    """Send one page of roots' rows, and go on with the next; over when a later rebuild is under way."""
    if m.name < p.rebuild:
        return
    p.rebuild = m.name
    page = p.nodes.page(m.after, RESEND_NODES)
    for identifier in page.identifiers:
        node = p.nodes.get(identifier)
        knowing.adopt(p, node)
        if node.cluster:
            p.root(node)
            assert node.sent is not None, "a root has rows"
            for key, row in node.sent.rows.items():
                p.effects.resent[key] = (p.clock, row)
    if page.after is None:
        p.effects.ended.append(m.name)
    else:
        p.effects.forwards[p.number].append(Resend(p.clock, m.name, page.after))
