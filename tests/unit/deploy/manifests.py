"""The files of deploy/ that other programs read, as data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[3]
COMPOSE = CHECKOUT / "deploy" / "compose.yaml"
KUBERNETES = CHECKOUT / "deploy" / "kubernetes"


def compose() -> dict[str, Any]:
    """The compose file, its anchors merged, without what is there to be merged."""
    whole = yaml.safe_load(COMPOSE.read_text())
    return {name: part for name, part in whole.items() if not name.startswith("x-")}


def services() -> dict[str, dict[str, Any]]:
    return dict(compose()["services"])


def documents(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file, document) of a folder of deploy/kubernetes."""
    for path in sorted((KUBERNETES / folder).glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


def pods(folder: str = "base") -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, pod's spec) of whatever runs pods."""
    for _, document in documents(folder):
        if document["kind"] in ("StatefulSet", "Deployment", "Job"):
            yield document["metadata"]["name"], document["spec"]["template"]["spec"]


def environ(service: str) -> dict[str, str]:
    """What a service of the compose file has in its environment."""
    return {name: str(value) for name, value in services()[service]["environment"].items()}
