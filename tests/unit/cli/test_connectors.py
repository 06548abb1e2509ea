"""The verb `connectors`."""

import json

from typer.testing import CliRunner

from cli.main import app
from connectors.registry import CONNECTORS


def test_the_list_names_every_connector_and_how_to_try_it() -> None:
    result = CliRunner().invoke(app, ["connectors"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for connector in CONNECTORS.values():
        assert connector.name in result.stdout
        assert connector.try_it in result.stdout


def test_json_is_one_document() -> None:
    found = json.loads(CliRunner().invoke(app, ["connectors", "--json"]).stdout)
    assert [row["name"] for row in found] == list(CONNECTORS)
    assert found[0].keys() == {"name", "title", "way", "channels", "try", "page"}
