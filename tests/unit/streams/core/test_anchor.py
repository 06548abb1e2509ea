from streams.core.anchor import anchor_order, conducts_at_once
from streams.core.policy import default


def test_fewer_sightings_then_confidence_then_strength_then_text_come_first() -> None:
    ids = [
        ("wifi_mac", "m", 1.0), ("anonymous_id", "b", 1.0), ("anonymous_id", "a", 1.0), ("email", "e", 0.8),
        ("phone", "p", 1.0),
    ]
    assert [kind_value[1] for kind_value in anchor_order(default(), ids)] == ["p", "a", "b", "e", "m"]


def test_a_tracked_link_does_not_conduct_at_once_and_a_log_in_does() -> None:
    cookie = ("anonymous_id", "c", 1.0)
    assert not conducts_at_once(default(), cookie, ("email", "e", 0.8))
    assert conducts_at_once(default(), cookie, ("email", "e", 1.0))


def test_a_kind_that_needs_two_sightings_never_conducts_at_once() -> None:
    assert not conducts_at_once(default(), ("phone", "p", 1.0), ("face_id", "f", 1.0))
