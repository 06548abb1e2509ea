"""`onethread ltv`: fit the models of LTV, predict with them, and see whether they hold."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli import looks
from cli.progress import line
from cli.stack import find
from sinks.clickhouse.client import connect
from sinks.clickhouse.profile import select
from sinks.clickhouse.runs import Run
from streams.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="What customers will be worth: fit, predict.")

AsOf = Annotated[str, typer.Option("--as-of", metavar="TIME", help="ISO 8601; default: the present of the views.")]


@app.command()
def fit(
    as_of: AsOf = "",
    report: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Write a page (HTML): the estimates, and what was predicted against what came.",
    )] = None,
) -> None:
    """Fit BG/NBD and Gamma-Gamma on all purchases, and predict twelve months for every buyer.

    The views `persons` (probability_alive, predicted_…, status) and `model_runs` show the result.

    Example: onethread ltv fit --report ltv.html
    """
    from analytics import chart  # scipy takes a third of a second, which the help need not wait for
    from sinks.clickhouse import fitting

    at = _time(as_of)
    client = connect(find().clickhouse_url)
    with line("fitting"):
        run = fitting.fit(client, at)
    if report is not None:
        report.write_text(chart.page(run.parameters, run.report), encoding="utf-8")
    _show(run, select(client, _SUMS, run=run.run_id)[0])
    if report is not None:
        print(f"\nthe page: {report}")


@app.command()
def predict(as_of: AsOf = "") -> None:
    """Predict twelve months for every buyer with the parameters of the last fit, as their purchases are now.

    Example: onethread ltv predict
    """
    from sinks.clickhouse import fitting

    at = _time(as_of)
    client = connect(find().clickhouse_url)
    with line("predicting"):
        run = fitting.predict(client, at)
    _show(run, select(client, _SUMS, run=run.run_id)[0])


_SUMS = """
SELECT round(sum(predicted_orders), 2) AS orders, round(sum(predicted_revenue), 2) AS revenue,
    round(sum(predicted_margin), 2) AS margin,
    (SELECT reporting_currency FROM onethread.settings) AS currency
FROM onethread.batch_predictions WHERE run_id = {run:UUID}
"""

_MEANINGS = {
    "r": "BG/NBD: rate of buying, shape", "alpha": "BG/NBD: rate of buying, scale (weeks)",
    "a": "BG/NBD: leaving", "b": "BG/NBD: staying", "p": "Gamma-Gamma: a purchase, shape",
    "q": "Gamma-Gamma: customers, shape", "v": "Gamma-Gamma: customers, scale",
}


def _show(run: Run, sums: dict[str, Any]) -> None:
    told, page = run.parameters, looks.page()
    page.print(looks.title(
        f"LTV as of {told['end_day']}",
        f"{int(told['customers']):,} buyers, {int(told['repeaters']):,} of them bought again"))
    sheet = looks.sheet("parameter", "estimate", "± standard error", "what it tells",
                        right=("estimate", "± standard error"))
    for name, meaning in _MEANINGS.items():
        error = told[f"{name}_standard_error"]
        sheet.add_row(name, f"{float(told[name]):.4f}", f"{float(error):.4f}" if error else "flat", meaning)
    page.print(Text(), sheet, Text(), sep="\n")
    if "groups" in run.report:
        came, predicted = run.report["actual_after"], run.report["predicted_after"]
        off = f" ({(predicted - came) / came:+.1%})" if came else ""
        page.print(f"held out: {came:,} purchases came, {predicted:,.0f} were predicted{off}", highlight=False)
    else:
        page.print(f"not held out: {run.report['not_held_out']}", highlight=False)
    if told["correlation"]:
        page.print(f"how often and how much correlate by {float(told['correlation']):+.2f}; far from 0, values are not "
                   "to be trusted", highlight=False, soft_wrap=True)
    margin = f", margin {looks.money(sums['margin'])}" if sums["margin"] else ""
    page.print(f"next {told['horizon_days']} days: {sums['orders']:,.0f} orders, revenue "
               f"{looks.money(sums['revenue'], sums['currency'])}{margin}", highlight=False)
    page.print(f"run {run.run_id}", highlight=False)


def _time(text: str) -> datetime | None:
    """UTC where it names no zone. Errors: UsageError where it is no time."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of: expected a time such as 2026-03-01T12:00:00Z; came {text!r}") from None
    return at.replace(tzinfo=at.tzinfo or UTC)
