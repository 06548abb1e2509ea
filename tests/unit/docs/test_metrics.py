"""The page of metrics tells what the definitions tell; no label can grow without bound or name anybody."""

from prometheus_client.core import Metric as Family

from streams.metrics import DEFINITIONS, LABELS, PROCESSES
from streams.metrics_page import PAGE, with_tables

PERSONAL = {"person_id", "value", "identifier", "email", "phone", "event_id", "key", "client", "path", "address"}
"""Labels that would name somebody, or be one series a request."""


def test_the_page_is_as_the_definitions_are() -> None:
    """Otherwise: make docs."""
    assert with_tables(PAGE.read_text()) == PAGE.read_text()


def test_every_metric_that_a_process_shows_is_defined_with_a_meaning() -> None:
    defined = {(metric.process, metric.name): metric for metric in DEFINITIONS}
    assert len(defined) == len(DEFINITIONS)
    shown = {(process, _name(family)) for process, registry in PROCESSES.items() for family in registry.collect()}
    assert shown == defined.keys()
    assert all(metric.meaning.endswith(".") for metric in DEFINITIONS)


def test_names_say_the_product_and_the_unit() -> None:
    for metric in DEFINITIONS:
        assert metric.name.startswith("onethread_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")


def test_labels_come_from_one_list_of_bounded_ones() -> None:
    used = {label for metric in DEFINITIONS for label in metric.labels}
    assert used == LABELS.keys()
    assert not used & PERSONAL


def _name(family: Family) -> str:
    """As Prometheus stores it; the library leaves `_total` away."""
    return f"{family.name}_total" if family.type == "counter" else family.name
