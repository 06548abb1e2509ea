"""Sums of a page of metrics."""

from deploy.local.readings import readings

PAGE = """# HELP lag what waits
# TYPE lag gauge
lag{topic="a",partition="0"} 3.0
lag{topic="b",partition="0"} 4.0
# TYPE took gauge
took{clock="cpu"} 1.5
took{clock="wall"} 2.0
"""


def test_series_are_summed_by_name_and_told_by_their_only_label():
    assert readings(PAGE) == {"lag": 7.0, "took": 3.5, "took cpu": 1.5, "took wall": 2.0}
    assert readings("") == {}
