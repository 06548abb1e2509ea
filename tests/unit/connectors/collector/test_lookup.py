"""`GET /v1/persons/…`: who may ask, and what is answered."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.collector.app import create_app
from connectors.lookup.lookup import Nobody
from connectors.lookup.state import TooLarge
from streams.errors import Retryable
from tests.unit.connectors.collector.conftest import Site

SECRET = "+380670009001"


class Persons:
    """Answers or raises what it is told to, and notes what was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    async def document(self, kind: str, value: str) -> Any:
        self.asked.append((kind, value))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def get(site: Site, answer: Any, path: str = f"phone/{SECRET}", scope: str | None = "read") -> tuple[Any, Persons]:
    persons = Persons(answer)
    app = create_app(site.collector, persons=persons)  # type: ignore[arg-type]
    key = site.add("till", scope=scope) if scope else ""
    auth = (key, "") if key else None
    return TestClient(app, raise_server_exceptions=False).get(f"/v1/persons/{path}", auth=auth), persons


def test_a_key_for_reading_is_told_and_nobody_may_keep_it(site: Site) -> None:
    answer, persons = get(site, {"person_id": "x"})
    assert (answer.status_code, answer.json()) == (200, {"person_id": "x"})
    assert answer.headers["cache-control"] == "no-store"
    assert persons.asked == [("phone", SECRET)]


def test_a_key_for_writing_is_told_nothing_and_no_key_neither(site: Site) -> None:
    for scope, status in (("write", 403), (None, 401)):
        answer, persons = get(site, {"person_id": "x"}, scope=scope)
        assert (answer.status_code, persons.asked) == (status, [])


@pytest.mark.parametrize(("path", "asked"), [
    ("instagram_id/17841400:5009001", ("instagram_id", "17841400:5009001")),
    ("order_id/till:S1/3/2026-02-05/417", ("order_id", "till:S1/3/2026-02-05/417")),
    ("phone/%2B380670009001", ("phone", SECRET)),
    ("email/a%20b@example.com", ("email", "a b@example.com")),
])
def test_the_value_is_the_rest_of_the_path(site: Site, path: str, asked: tuple[str, str]) -> None:
    assert get(site, {}, path)[1].asked == [asked]


@pytest.mark.parametrize(("said", "status", "reason"), [
    (Nobody.NOBODY, 404, "nobody"), (Nobody.REFUSED_VALUE, 404, "refused_value"),
    (Nobody.UNKNOWN_KIND, 400, "unknown_kind"), (Nobody.NO_PERSON_ID, 400, "no_person_id"),
    (TooLarge(), 422, "too_large"), (Retryable("no worker has partition 1"), 503, "away"),
])
def test_every_way_of_not_knowing_has_its_answer_which_does_not_repeat_the_value(
    site: Site, said: Any, status: int, reason: str,
) -> None:
    answer, _ = get(site, said)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (status, reason)
    assert SECRET not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)
