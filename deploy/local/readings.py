"""What a page of metrics says, summed up."""

from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families


def readings(page: str) -> dict[str, float]:
    """The sum of each series by name, and by name and single label's value: "name" and "name value"."""
    found: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found[sample.name] += sample.value
            if len(sample.labels) == 1:
                found[f"{sample.name} {next(iter(sample.labels.values()))}"] += sample.value
    return dict(found)
