"""What a worker answers over HTTP, on a real socket."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest
import rocksdict

from streams import metrics
from streams.core.ids import person_id
from streams.core.walk import Walk
from streams.transport.pages import Pages, StatePages
from tests.oracle.build import event
from tests.unit.streams.core.graphs import Graph

HOST = "127.0.0.1"


@pytest.fixture
def pages() -> Iterator[Pages]:
    made = Pages(HOST, 0)
    made.start()
    yield made
    made.stop()


class Site:
    """A graph of two partitions, of which the worker has `here`."""

    def __init__(self, pages: Pages, here: Mapping[int, Any] | None = None) -> None:
        self.graph = Graph(2).see(event("1", 0, "phone:p", "email:e"))
        self.here: Mapping[int, Any] = dict(enumerate(self.graph.stores)) if here is None else here
        pages.state = StatePages(self.graph.keys, lambda: self.here)
        self.url = f"http://{HOST}:{pages.port}"

    def get(self, path: str, token: str | None = None) -> httpx.Response:
        token = self.graph.keys.token if token is None else token
        return httpx.get(self.url + path, headers={"Authorization": f"Bearer {token}".strip()}, trust_env=False)

    def node(self, kind: str, value: str) -> str:
        return "/state/node/" + self.graph.keys.node((kind, value)).hex()


def test_metrics_are_shown_to_everybody(pages: Pages) -> None:
    metrics.WORKER_READY.set(1)
    found = httpx.get(f"http://{HOST}:{pages.port}/metrics", trust_env=False)
    assert found.status_code == 200
    assert "onethread_worker_ready 1.0" in found.text


def test_state_is_for_who_has_the_pepper(pages: Pages) -> None:
    site = Site(pages)
    assert site.get(site.node("phone", "p")).status_code == 200
    assert site.get(site.node("phone", "p"), token="0" * 64).status_code == 401
    assert site.get(site.node("phone", "p"), token="").status_code == 401


def test_a_node_leads_to_its_root_and_a_person_to_the_same(pages: Pages) -> None:
    site = Site(pages)
    ends = ("phone", "p"), ("email", "e")
    found = [msgspec.msgpack.decode(site.get(site.node(*x)).content, type=Walk) for x in ends]
    assert [walk.end for walk in found] == ["root", "root"]
    assert found[0].key == found[1].key == min(site.graph.keys.node(x) for x in ends)
    who = person_id(site.graph.keys.node(("phone", "p")))
    same = msgspec.msgpack.decode(site.get(f"/state/person/{who.hex()}").content, type=Walk)
    assert same == found[0]


def test_who_is_not_known_is_nobody(pages: Pages) -> None:
    site = Site(pages)
    for path in (site.node("phone", "unknown"), "/state/person/" + "0" * 32):
        assert msgspec.msgpack.decode(site.get(path).content, type=Walk).end == "nobody"


@pytest.mark.parametrize("path", ["/state/", "/state/node/xyz", "/state/node/00", "/state/rules/" + "0" * 32])
def test_other_paths_are_not_found(pages: Pages, path: str) -> None:
    assert Site(pages).get(path).status_code == 404


def test_a_worker_says_when_it_has_not_got_the_partition(pages: Pages) -> None:
    site = Site(pages, here={})
    assert site.get(site.node("phone", "p")).status_code == 503
    owner = site.graph.keys.owner(("phone", "p"))
    site.here = {1 - owner: site.graph.stores[1 - owner]}
    assert site.get(site.node("phone", "p")).status_code == 421


def test_a_partition_that_leaves_while_it_is_read_is_no_failure(pages: Pages) -> None:
    class Closed:
        def get(self, key: bytes) -> bytes | None:
            raise rocksdict.DbClosedError

    site = Site(pages, here={0: Closed(), 1: Closed()})
    assert site.get(site.node("phone", "p")).status_code == 503


def test_before_it_has_an_application_a_worker_has_no_state(pages: Pages) -> None:
    assert httpx.get(f"http://{HOST}:{pages.port}/state/node/00", trust_env=False).status_code == 503


def test_probes_tell_a_process_that_answers_from_one_that_is_ready(pages: Pages) -> None:
    for ready, status in ((0, 503), (1, 200)):
        metrics.WORKER_READY.set(ready)
        assert httpx.get(f"http://{HOST}:{pages.port}/readyz", trust_env=False).status_code == status
        assert httpx.get(f"http://{HOST}:{pages.port}/healthz", trust_env=False).text == "ok\n"
