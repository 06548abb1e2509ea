"""Some customers in a worker's state, for look-ups: walked and answered over HTTP as a worker does."""

from deploy.local.ports import HOST
from streams.transport.pages import Pages, StatePages
from tests.oracle.build import event
from tests.unit.streams.core.graphs import MINUTE, Graph

PEOPLE = 40
PHONE = "+3806700{:05}"
_AT_MS = 1_770_000_000_000


def worker() -> tuple[Graph, Pages]:
    """The graph of all customers, and the pages of the one worker that has it; they are served already."""
    graph = Graph(4)
    for n in range(PEOPLE):
        graph.see(*(
            event(f"{n}-{k}", _AT_MS + k * MINUTE, f"phone:{PHONE.format(n)}", f"email:p{n}@example.com", type=kind,
                  **fields)
            for k, (kind, fields) in enumerate(_STEPS[: 1 + n % len(_STEPS)])
        ))
    pages = Pages(HOST, 0)
    pages.state = StatePages(graph.keys, lambda: dict(enumerate(graph.stores)))
    pages.start()
    return graph, pages


_STEPS = (
    ("page_viewed", {}),
    ("order_placed", {"order": {"order_id": "fuzz-order", "total": 125_000, "currency": "EUR"}}),
    ("message_received", {"channel": "telegram", "message_id": "m", "text": "where is it?"}),
)
