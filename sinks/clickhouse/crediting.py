"""A run of attribution: journeys out of the views, weights by a model, credits of every counted order back.

Rules kept: all the model knows are paths and how they ended; open journeys are left out, for nobody knows yet. Rare
names beyond what the model can take stand together as OTHERS.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from analytics import markov, shapley
from analytics.markov import CHANNELS_MAX, Path
from sinks.clickhouse import attribution
from sinks.clickhouse.attribution import Weight, write_weights
from sinks.clickhouse.runs import Run, present

OTHERS = "(others)"
_EXACT = Decimal(1).scaleb(-markov.DIGITS)


def attribute(client: Client, model: str, basis: str) -> tuple[Run, dict[str, Weight]]:
    """Weigh every channel or campaign by a model, and keep what follows for every order.

    Errors: KeyError for a model that is not in MODELS; clickhouse_connect's DatabaseError.
    Cost:   one reading of the journeys (by campaign, of the touchpoints) and of the credits.
    """
    as_of, _ = present(client)
    paths = gathered(attribution.paths(client, basis), CHANNELS_MAX)
    weights, found = MODELS[model](paths)
    run = Run(uuid4(), model, datetime.now(UTC), as_of, {
        "by": basis, "journeys": str(sum(path.converted + path.lost for path in paths)),
        "converted": str(sum(path.converted for path in paths)), "distinct_paths": str(len(paths)), **found,
    })
    parts = {name: weight.weight if model == "markov" else Decimal(1) for name, weight in weights.items()}
    other = parts.pop(OTHERS, Decimal(0) if model == "markov" else Decimal(1))
    attribution.credit(client, run.run_id, basis, parts, other)
    write_weights(client, run, weights)
    return run, weights


def gathered(paths: list[Path], names_max: int) -> list[Path]:
    """The paths with at most `names_max` names: those that fewest journeys met stand together, runs drawn to one."""
    met: dict[str, int] = {}
    for path in paths:
        for name in set(path.channels):
            met[name] = met.get(name, 0) + path.converted + path.lost
    if len(met) <= names_max:
        return paths
    kept = set(sorted(met, key=lambda name: (-met[name], name))[: names_max - 1])
    return [replace(path, channels=_compact(name if name in kept else OTHERS for name in path.channels))
            for path in paths]


def _compact(names: Iterable[str]) -> tuple[str, ...]:
    compact: list[str] = []
    for name in names:
        if compact[-1:] != [name]:
            compact.append(name)
    return tuple(compact)


def _markov(paths: list[Path]) -> tuple[dict[str, Weight], dict[str, str]]:
    found = markov.removal(paths)
    converted = sum(path.converted for path in paths)
    shares = found.shares
    return (
        {name: Weight(effect, shares[name], float(shares[name] * converted)) for name, effect in found.effects.items()},
        {"order": "1", "conversion": str(found.conversion)},
    )


def _shapley(paths: list[Path]) -> tuple[dict[str, Weight], dict[str, str]]:
    sets = shapley.conversions(paths)
    values, converted = shapley.values(sets), sum(path.converted for path in paths)
    total = sum(values.values())
    weights = {}
    for name, value in values.items():
        part = (Decimal(value.numerator) / value.denominator / converted).quantize(_EXACT) if converted else Decimal(0)
        share = (Decimal((value / total).numerator) / (value / total).denominator).quantize(_EXACT) if total else part
        weights[name] = Weight(part, share, float(value))
    return weights, {"game": "conversions of the channel sets within the coalition", "sets": str(len(sets))}


MODELS: dict[str, Callable[[list[Path]], tuple[dict[str, Weight], dict[str, str]]]] = {
    "markov": _markov,
    "shapley": _shapley,
}
"""Paths -> the weight of each name, and what else the run shall tell."""
