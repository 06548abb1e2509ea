"""The report: one HTML page that needs nothing from outside, for people who decide.

Rules kept: each part opens with its question, shows a chart and the figures behind it, and says so where there is
nothing; the page is well-formed; the same rows give the same bytes; nobody is named in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analytics.report import parts, story
from analytics.report.figures import Figures
from analytics.report.parts import Part
from analytics.report.writing import amount, moment


@dataclass(frozen=True)
class Number:
    """A figure of the page's head."""

    value: str
    name: str
    aside: str = ""


def page(found: Figures) -> str:
    """The whole document. Shape: rows as `sinks.clickhouse.reporting.Figures` has them."""
    shown: Sequence[Part] = (
        parts.channel_mix(found), parts.switches(found), parts.attribution(found), parts.cohorts(found),
        parts.ltv(found), parts.white_spots(found), parts.obstacles(found), story.journey(found),
    )
    environment = Environment(
        loader=PackageLoader("analytics.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        as_of=moment(found.head["as_of"], found.head["zone"]), numbers=_numbers(found.head), parts=shown, safe=Markup,
    )


def _numbers(head: dict[str, Any]) -> list[Number]:
    left_out = head["unconverted"]
    missing = f"{left_out:,} orders without a rate are not in it" if left_out else "of counted orders"
    return [
        Number(f"{head['people']:,}", "people known"),
        Number(f"{head['orders']:,}", "orders", f"{head['orders_anonymous']:,} named nobody"),
        Number(amount(head["revenue"]), f"revenue, {head['currency']}", missing),
        Number(f"{head['sessions']:,}", "sessions", f"{head['sessions_crossing']:,} cross channels"),
        Number(f"{head['journeys']:,}", "journeys", f"{head['journeys_converted']:,} led to an order"),
    ]
