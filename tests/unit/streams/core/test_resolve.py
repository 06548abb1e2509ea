"""Steps 2, 4, 5 and 6 on literal sets; tests/properties compares the whole with an independent answer."""

from streams.core.policy import default
from streams.core.resolve import conducts, resolve, senior

A, B = ("customer_id", "a"), ("customer_id", "b")
TABLET = ("device_id", "tablet")
MAIL, COOKIE = ("email", "e"), ("anonymous_id", "c")


def test_one_forwarded_mail_merges_nobody_and_two_clicks_do() -> None:
    assert not conducts(default(), (COOKIE, MAIL), [0.8])
    assert conducts(default(), (COOKIE, MAIL), [0.8, 0.8])


def test_a_mac_needs_three_events_however_certain() -> None:
    edge = (("phone", "p"), ("wifi_mac", "m"))
    assert not conducts(default(), edge, [1.0, 1.0])
    assert conducts(default(), edge, [1.0, 1.0, 1.0])


def test_within_the_limits_persons_are_what_is_connected() -> None:
    found = resolve(default(), [A, TABLET, COOKIE, MAIL], {(TABLET, A): 1, (COOKIE, TABLET): 2})
    assert sorted(map(sorted, found.groups.values())) == [sorted([A, TABLET, COOKIE]), [MAIL]]
    assert not found.contested


def test_the_latest_login_wins_a_tablet_of_two_customers() -> None:
    for first, second in ((1, 2), (2, 1)):
        found = resolve(default(), [A, B, TABLET], {(A, TABLET): first, (B, TABLET): second})
        winner, loser = (B, A) if second > first else (A, B)
        assert found.group_of[TABLET] == found.group_of[winner] != found.group_of[loser]
        assert found.contested == {TABLET}
        assert found.refused == [(loser, TABLET)]


def test_a_stronger_edge_goes_before_a_later_one() -> None:
    edges = {(A, MAIL): 1, (TABLET, MAIL): 9, (B, TABLET): 8}
    found = resolve(default(), [A, B, MAIL, TABLET], edges)
    assert found.group_of[MAIL] == found.group_of[A] == found.group_of[TABLET] != found.group_of[B]


def test_of_a_refused_edge_the_end_of_equal_strength_later_in_text_is_contested() -> None:
    found = resolve(default(), [A, B], {(A, B): 1})
    assert found.contested == {B}


def test_the_id_is_of_the_earliest_then_strongest_then_first_in_text() -> None:
    assert senior(default(), [A, COOKIE], {A: 2, COOKIE: 1}) == COOKIE
    assert senior(default(), [COOKIE, A], {A: 1, COOKIE: 1}) == A
    assert senior(default(), [B, A], {A: 1, B: 1}) == A
