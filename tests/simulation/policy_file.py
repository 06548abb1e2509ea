"""A policy as the text of its file: what a simulated change of policy sends."""

import json
from dataclasses import fields
from functools import lru_cache

from streams.core.policy import Kind, Policy, parse


def to_toml(policy: Policy) -> str:
    """The file that `streams.core.policy.parse` reads as this policy."""
    lines = [
        f"version = {_text(policy.version)}", f"threshold = {policy.threshold}",
        f"person_identifiers_max = {policy.person_identifiers_max}", "[kinds]",
        *(f"{name} = {_kind(kind)}" for name, kind in policy.kinds.items()), "[aliases]",
        *(f"{_text(alias)} = {_text(kind)}" for alias, kind in policy.aliases.items()),
    ]
    lines += ["[alerts]", *(f"{kind} = {_text('none' if v is None else v)}" for kind, v in policy.alerts.items())]
    for kind, row in policy.blocked.items():
        lines += [f"[blocked.{kind}]", f"values = {_text(sorted(row.values))}"]
        lines += [f"patterns = {_text([row.pattern.pattern])}"] if row.pattern else []
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=1000)
def known_policy(text: str, name: str) -> Policy:
    """`streams.core.policy.parse`, for worlds that read the same few texts again and again."""
    return parse(text, name)


def _kind(kind: Kind) -> str:
    row = {field.name: getattr(kind, field.name) for field in fields(Kind) if field.name != "name"}
    row["shared_by"] = sorted(row["shared_by"])
    return "{ " + ", ".join(f"{name} = {_text('none' if v is None else v)}" for name, v in row.items()) + " }"


def _text(value: object) -> str:
    """TOML's strings, numbers, booleans and lists of strings are those of JSON."""
    return json.dumps(value)
