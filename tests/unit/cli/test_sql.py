"""The verb `sql`: what it says when ClickHouse does not do as asked."""

from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner

from cli import sql
from cli.main import app


@pytest.mark.parametrize(("code", "message"), [
    ("164", "without --write a query may only read; came something else (Code: 164. DB::Exception)"),
    ("47", "ClickHouse refuses: Code: 47. DB::Exception"),
])
def test_a_refusal_says_what_to_do(monkeypatch: pytest.MonkeyPatch, code: str, message: str) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        headers = {"X-ClickHouse-Exception-Code": code}
        return httpx.Response(500, headers=headers, text=f"Code: {code}. DB::Exception\n")

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(sql, "find", lambda: SimpleNamespace(clickhouse_url="http://clickhouse"))
    monkeypatch.setattr(sql.httpx, "Client", lambda **_: client)
    assert str(CliRunner().invoke(app, ["sql", "DROP TABLE x"]).exception) == message
