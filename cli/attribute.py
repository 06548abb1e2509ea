"""`onethread attribute`: credit to channels or campaigns by what all journeys show, not by a rule."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from cli import looks
from cli.progress import line
from cli.stack import find
from sinks.clickhouse.attribution import Weight
from sinks.clickhouse.client import connect
from sinks.clickhouse.crediting import attribute
from sinks.clickhouse.profile import select
from sinks.clickhouse.runs import Run


class Model(StrEnum):
    """The models of attribution that look at all journeys."""

    MARKOV = "markov"
    SHAPLEY = "shapley"


class Basis(StrEnum):
    """What gets the credit."""

    CHANNEL = "channel"
    CAMPAIGN = "campaign"


def command(
    model: Annotated[Model, typer.Option(help="markov: removal effect; shapley: value in coalitions.")],
    by: Annotated[Basis, typer.Option(help="What gets the credit.")] = Basis.CHANNEL,
) -> None:
    """Divide every counted order among its touches by a model over all journeys.

    The views `model_weights` and `model_credits` show the result, by run_id; `model_runs` its parameters.

    Example: onethread attribute --model markov --by campaign
    """
    client = connect(find().clickhouse_url)
    with line("walking all journeys"):
        run, weights = attribute(client, model.value, by.value)
    rows = select(client, _CREDITED, run=run.run_id)
    _show(run, weights, {row["name"]: row for row in rows})


_CREDITED = """
SELECT name, sum(credit) AS orders, sum(revenue_reporting) AS revenue,
    (SELECT reporting_currency FROM onethread.settings) AS currency
FROM onethread.model_credits WHERE run_id = {run:UUID} GROUP BY name
"""

_MEANINGS = {"markov": "removal effect", "shapley": "value"}


def _show(run: Run, weights: dict[str, Weight], credited: dict[str, dict[str, Any]]) -> None:
    told, page = run.parameters, looks.page()
    page.print(looks.title(
        f"{run.model.capitalize()} by {told['by']}",
        f"{int(told['journeys']):,} journeys that are over, {int(told['converted']):,} converted"))
    meaning = _MEANINGS[run.model]
    numbers = (meaning, "share", "orders credited", "revenue credited")
    sheet = looks.sheet(told["by"], *numbers, right=numbers)
    for name in sorted(weights.keys() | credited.keys(), key=lambda name: (-_orders(credited, name), name)):
        weight, row = weights.get(name), credited.get(name)
        sheet.add_row(
            looks.channel(name), f"{weight.weight:.4f}" if weight else "", f"{weight.share:.1%}" if weight else "",
            f"{row['orders']:,.2f}" if row else "·", looks.money(row["revenue"], row["currency"]) if row else "·")
    page.print(Text(), sheet, Text(), f"run {run.run_id}", sep="\n", highlight=False)


def _orders(credited: dict[str, dict[str, Any]], name: str) -> float:
    return float(credited[name]["orders"]) if name in credited else 0.0
