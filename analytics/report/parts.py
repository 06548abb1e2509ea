"""The parts of the report: from rows of the views to charts and tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.report import bars, grids, lines
from analytics.report.figures import Figures
from analytics.report.sankey import Flow, sankey
from analytics.report.writing import amount, pause, percent, times

MODELS = ("first", "last", "last_non_direct", "linear", "time_decay", "position", "markov", "shapley")
CHANNELS_SHOWN = 12
TABLE_ROWS = 8

_SEGMENTS = {"online only": "online", "store only": "store", "phone only": "phone", "several": "several",
             "other only": "other", "anonymous": "anonymous"}
_BASES = {"orders": "where they buy", "use": "where they meet us"}
_STATUS_KINDS = {"new": "online", "active": "store", "at_risk": "phone", "unnoticed": "several", "churned": "lost",
                 "prospect": "anonymous"}


@dataclass(frozen=True)
class Table:
    """Texts; the first column is names, all others are figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Part:
    """One question of the report; `empty` says why nothing is shown."""

    name: str
    title: str
    question: str
    charts: Sequence[tuple[str, str]] = ()
    """(what it shows, SVG)"""
    tables: Sequence[Table] = ()
    reading: str = ""
    empty: str = ""


def kind_of(found: Figures) -> Callable[[str], str]:
    """The class that colours a channel: its family."""
    return lambda channel: str(found.families.get(channel, "other"))


def channel_mix(found: Figures) -> Part:
    head = ("channel_mix", "Channel mix", "Do people who use several channels leave more than those who use one?")
    if not found.mix:
        return Part(*head, empty="No orders and no visits yet.")
    currency = found.head["currency"]
    rows, tables = [], []
    for basis, words in _BASES.items():
        mine = [row for row in found.mix if row["basis"] == basis]
        named = [row for row in mine if row["share"] is not None]
        people = [bars.Part(row["segment"], row["persons"], _SEGMENTS[row["segment"]]) for row in named]
        rows.append((words, people))
        tables.append(Table((words, "people", "share", "orders", "revenue", "revenue a head", "against one channel"), [
            (row["segment"], f"{row['persons']:,}" if row["share"] is not None else "not known", percent(row["share"]),
             f"{row['orders']:,}", amount(row["revenue"], currency), amount(row["revenue_a_head"], currency),
             times(row["multiplier"])) for row in mine
        ]))
    return Part(*head, [("Known people by the channels they use", bars.whole("Channel mix", rows))], tables,
                "Several: at least two of online, store and phone. Anonymous orders name nobody, so nobody can say how "
                "many people are behind them.")


def switches(found: Figures) -> Part:
    head = ("switches", "Changes of channel", "From where to where do people go on their way to an order, and where "
            "are they lost?")
    if not found.switches:
        return Part(*head, empty="No journey that is over goes through more than one channel yet.")
    flows = [Flow(row["from_channel"], row["to_channel"], row["switches"], f"{row['lost_here']} lost here")
             for row in found.switches]
    lost = sorted((row for row in found.switches if row["lost_here"]), key=lambda row: -row["lost_here"])[:TABLE_ROWS]
    table = Table(("lost after", "changes", "lost here", "share lost", "median time between"), [
        (f"{row['from_channel']} → {row['to_channel']}", f"{row['switches']:,}", f"{row['lost_here']:,}",
         percent(row["lost_share"]), pause(row["median_gap_s"])) for row in lost
    ])
    return Part(*head, [("Changes within journeys that are over, as wide as there are many",
                         sankey("Changes of channel", ("from", "to"), flows, kind_of(found)))],
                [table] if lost else [], "Lost: the journey ended after this change without an order.")


def attribution(found: Figures) -> Part:
    head = ("attribution", "Attribution",
            "Which channels earned the revenue, and how much does the answer depend on the model?")
    if not found.credits:
        return Part(*head, empty="No counted order in the reporting currency yet.")
    totals: dict[str, float] = {}
    for row in found.credits:
        totals[row["model"]] = totals.get(row["model"], 0) + row["revenue"]
    cells = {(row["channel"], row["model"]): row["revenue"] / totals[row["model"]] for row in found.credits}
    models = [model for model in MODELS if model in totals]
    channels = sorted({channel for channel, _ in cells},
                      key=lambda channel: (-max(cells.get((channel, model), 0) for model in models), channel))
    missing = [model for model in ("markov", "shapley") if model not in totals]
    note = f" Not run yet: {' and '.join(missing)} (onethread attribute)." if missing else ""
    chart = grids.matrix("Share of revenue by channel and model", channels[:CHANNELS_SHOWN], models, cells,
                         kind_of(found), percent)
    left = len(channels) - CHANNELS_SHOWN
    return Part(*head, [("Share of the credited revenue, each model a column that adds up to 100%", chart)], (),
                "A channel that is strong under first and weak under last opens journeys and does not close them."
                + (f" {left} smaller channels are left out." if left > 0 else "") + note)


def cohorts(found: Figures) -> Part:
    head = ("cohorts", "Cohorts", "Do those who bought first in a month come back, and what did they leave so far?")
    if not found.cohorts:
        return Part(*head, empty="Nobody known has bought yet.")
    rows = list({f"{row['cohort']:%b %Y}": f"{row['persons']:,}" for row in found.cohorts}.items())
    ages = [str(age) for age in range(1 + max(row["age"] for row in found.cohorts))]

    def cells(column: str) -> dict[tuple[str, str], float]:
        return {(f"{row['cohort']:%b %Y}", str(row["age"])): row[column] for row in found.cohorts}

    return Part(*head, [
        ("Share of the cohort that bought, by months since the first order",
         grids.heat("Retention by cohort", rows, ages, cells("retention"), lambda value: f"{value:.0%}")),
        (f"Revenue a head so far, {found.head['currency']}, by months since the first order",
         grids.heat("Revenue a head by cohort", rows, ages, cells("revenue_a_head"), lambda value: f"{value:,.0f}")),
    ], (), "A row is a month of first orders, with its number of people; the last column of a row is not over yet.")


def ltv(found: Figures) -> Part:
    head = ("ltv", "Lifetime value", "What are people worth by what brought them, and how are they?")
    if not found.acquisitions:
        return Part(*head, empty="Nobody is known yet.")
    currency = found.head["currency"]
    told = [(_brought(row), [bars.Part("so far", row["revenue_a_head"], "accent"),
                             bars.Part("predicted", row["predicted_a_head"], "predicted")],
             amount(row["revenue_a_head"] + row["predicted_a_head"], currency)) for row in found.acquisitions]
    table = Table(("brought by", "people", "buyers", "so far a head", "predicted a head", "cost"), [
        (_brought(row), f"{row['persons']:,}", f"{row['buyers']:,}", amount(row["revenue_a_head"], currency),
         amount(row["predicted_a_head"], currency) if found.fit else "–", amount(row["cost"], currency))
        for row in found.acquisitions
    ])
    statuses = [("people", [bars.Part(row["status"].replace("_", " "), row["persons"],
                                      _STATUS_KINDS.get(row["status"], "other")) for row in found.statuses])]
    return Part(*head, [
        ("Revenue a head of the largest groups: so far (full), and predicted for the next twelve months (light)",
         bars.rows("Worth of people by acquisition", told)),
        ("Status of known people", bars.whole("Status of people", statuses)),
    ], [table], _fitted(found.fit))


def _brought(row: dict[str, Any]) -> str:
    return " · ".join(name for name in (row["channel"] or "not known", row["campaign"]) if name)


def _fitted(fit: dict[str, Any] | None) -> str:
    if fit is None:
        return "Nothing is predicted: no model was fitted yet (onethread ltv fit)."
    told, report = fit["parameters"], fit["report"]
    text = f"Predicted by BG/NBD and Gamma-Gamma, fitted on {int(told['customers']):,} buyers up to {told['end_day']}."
    if "actual_after" in report:
        return (f"{text} Shown the first half alone, the model predicts {report['predicted_after']:,.0f} purchases in "
                f"the second; {report['actual_after']:,} came.")
    return text


def white_spots(found: Figures) -> Part:
    head = ("white_spots", "White spots", "In which stores do we not see who buys?")
    if not found.white_spots:
        return Part(*head, empty="No receipts of stores yet.")
    currency = found.head["currency"]
    weeks = [f"{week:%-d %b}" for week in sorted({row["week"] for row in found.white_spots})]
    stores: dict[str, list[dict[str, Any]]] = {}
    for row in found.white_spots:
        stores.setdefault(row["store"] or row["store_id"] or "no store told", []).append(row)
    series = {store: {f"{row['week']:%-d %b}": row["share"] for row in rows} for store, rows in stores.items()}
    chart = lines.lines("Share of anonymous receipts by store and week", weeks, series, lambda value: f"{value:.0%}")
    head_row = ("store", "receipts", "anonymous", "share", "anonymous revenue", "identified later", "silent cards")
    table = Table(head_row, [
        (store, f"{_sum(rows, 'receipts'):,.0f}", f"{_sum(rows, 'anonymous'):,.0f}",
         percent(_sum(rows, "anonymous") / _sum(rows, "receipts")), amount(_sum(rows, "revenue"), currency),
         f"{_sum(rows, 'identified_later'):,.0f}", f"{_sum(rows, 'silent_cards'):,.0f}")
        for store, rows in stores.items()
    ])
    return Part(*head, [("Share of receipts that name nobody, by week", chart)], [table],
                "Silent cards: people with a loyalty card who bought on several days, last in that store, and are not "
                "seen since.")


def _sum(rows: Sequence[dict[str, Any]], column: str) -> float:
    return float(sum(row[column] for row in rows))


def obstacles(found: Figures) -> Part:
    head = ("obstacles", "Obstacles", "What stands in people's way, and what does it cost?")
    if not found.obstacles:
        return Part(*head, empty="No journey that is over met an obstacle.")
    named = [(row["obstacle"].replace("_", " "), row) for row in found.obstacles]
    told = [(
        name, [bars.Part("converted", row["converted"], "store"), bars.Part("abandoned", row["abandoned"], "lost")],
        f"{row['journeys']:,}",
    ) for name, row in named]
    table = Table(("obstacle", "journeys", "converted", "abandoned", "share converted", "without any"), [
        (name, f"{row['journeys']:,}", f"{row['converted']:,}", f"{row['abandoned']:,}",
         percent(row["converted_share"]), percent(row["converted_share_without"])) for name, row in named
    ])
    return Part(*head, [("Journeys that met it: converted all the same (green), abandoned (red)",
                         bars.rows("Obstacles", told))], [table])
