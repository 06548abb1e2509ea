"""Where partitions go, and that they stay."""

from hypothesis import given
from hypothesis import strategies as st

from streams.transport.assignment import WARM_RECORDS, Member, Share, share_out

FAR = 10 * WARM_RECORDS


def held(name: str, actives: set[int], standbys: set[int] = frozenset(), offset: int = FAR) -> Member:
    """A member as it is after it worked for a while."""
    return Member(name, frozenset(actives), dict.fromkeys(actives | standbys, offset))


def rejoined(shares: dict[str, Share], *names: str, offset: int = FAR) -> list[Member]:
    return [held(n, set(s.actives), set(s.standbys), offset) for n, s in shares.items() if n in names or not names]


def test_nothing_moves_when_nothing_changes():
    first = share_out([Member("a"), Member("b"), Member("c")], 8, 1)
    assert share_out(rejoined(first), 8, 1) == first


def test_a_worker_that_comes_back_gets_what_is_on_its_disk():
    """It knows of no partitions any more, only of stores; the other one kept the share it had."""
    back = Member("a", frozenset(), {0: FAR, 2: FAR})
    assert share_out([back, held("b", {1, 3})], 4) == {"a": Share(frozenset({0, 2})), "b": Share(frozenset({1, 3}))}


def test_after_a_restart_of_all_each_gets_what_it_worked_on():
    """Actives are further along their changelogs than the standbys of the same partitions."""
    first = share_out([Member("a"), Member("b")], 4, 1)
    again = [Member(name, frozenset(), dict.fromkeys(s.actives, FAR) | dict.fromkeys(s.standbys, FAR - 5))
             for name, s in first.items()]
    assert share_out(again, 4, 1) == first


def test_a_take_over_goes_to_the_standbys_though_one_gets_more_than_its_share():
    left = [held("a", {0, 1}, {4, 5}), held("b", {2, 3})]
    shares = share_out(left, 6, 1)
    assert shares["a"].actives == {0, 1, 4, 5}
    assert shares["b"].actives == {2, 3}


def test_a_new_worker_follows_before_it_works():
    old = [held("a", {0, 1}, {2, 3}), held("b", {2, 3}, {0, 1})]
    shares = share_out([*old, Member("c")], 4, 1)
    assert {n: s.actives for n, s in shares.items()} == {"a": {0, 1}, "b": {2, 3}, "c": frozenset()}


def test_a_partition_moves_once_its_new_worker_has_caught_up():
    old = [held("a", {0, 1, 2, 3, 4, 5})]
    shares = share_out([*old, Member("b")], 6, 1)
    assert shares["a"].actives == {0, 1, 2, 3, 4, 5}
    assert shares["b"].standbys == {0, 1, 2, 3, 4, 5}
    far = FAR - WARM_RECORDS
    warm = Member("b", frozenset(), dict.fromkeys(shares["b"].standbys, far))
    assert len(share_out([*old, warm], 6, 1)["b"].actives) == 3
    cold = Member("b", frozenset(), dict.fromkeys(shares["b"].standbys, far - 1))
    assert not share_out([*old, cold], 6, 1)["b"].actives


def test_a_worker_without_its_share_warms_up_beside_the_standbys():
    old = [held("a", {0, 1, 2, 3}, {4, 5, 6, 7}), held("b", {4, 5, 6, 7}, {0, 1, 2, 3})]
    shares = share_out([*old, Member("c")], 8, 1)
    assert not shares["c"].actives
    assert len(shares["c"].standbys) >= 2
    assert share_out([*old, Member("c", frozenset(), dict.fromkeys(shares["c"].standbys, 1))], 8, 1) == shares


def test_without_standbys_a_new_worker_gets_its_share_at_once():
    shares = share_out([held("a", {0, 1, 2, 3}), Member("b")], 4)
    assert {n: len(s.actives) for n, s in shares.items()} == {"a": 2, "b": 2}


def test_a_small_state_moves_at_once_with_standbys_too():
    shares = share_out([held("a", {0, 1, 2, 3}, offset=WARM_RECORDS), Member("b")], 4, 1)
    assert {n: len(s.actives) for n, s in shares.items()} == {"a": 2, "b": 2}


def test_of_two_that_claim_a_partition_the_one_that_got_further_keeps_it():
    """One slept past its session and joins again with what it had."""
    sleeper, owner = held("a", {0, 1}, offset=5), held("b", {0, 1}, offset=9)
    assert share_out([sleeper, owner], 2, 1)["b"].actives | share_out([sleeper, owner], 2, 1)["a"].actives == {0, 1}
    assert share_out([held("a", {0}, offset=5), held("b", {0}, offset=9)], 1)["b"].actives == {0}


members = st.lists(
    st.tuples(st.sets(st.integers(0, 11)), st.dictionaries(st.integers(0, 11), st.integers(0, 3 * WARM_RECORDS))),
    min_size=1, max_size=5,
).map(lambda rows: [Member(f"worker-{n}", frozenset(a), s) for n, (a, s) in enumerate(rows)])


@given(members, st.integers(1, 12), st.integers(0, 2))
def test_every_partition_is_active_once_and_followed_elsewhere(workers, partitions, standbys):
    shares = share_out(workers, partitions, standbys)
    assert sorted(p for s in shares.values() for p in s.actives) == list(range(partitions))
    copies = min(standbys, len(workers) - 1)
    for partition in range(partitions):
        assert sum(partition in s.standbys for s in shares.values()) in range(copies, copies + len(workers))
    assert not any(s.actives & s.standbys for s in shares.values())
    assert shares == share_out(workers[::-1], partitions, standbys)


@given(members, st.integers(1, 12), st.integers(0, 2))
def test_shares_are_even_once_all_are_warm(workers, partitions, standbys):
    warm = [Member(m.name, m.actives, dict.fromkeys(range(partitions), FAR)) for m in workers]
    loads = [len(s.actives) for s in share_out(warm, partitions, standbys).values()]
    assert max(loads) - min(loads) <= 1


@given(members, st.integers(1, 12), st.integers(0, 2))
def test_an_assignment_leads_to_itself(workers, partitions, standbys):
    first = share_out(workers, partitions, standbys)
    caught_up = share_out(rejoined(first), partitions, standbys)
    again = share_out(rejoined(caught_up), partitions, standbys)
    assert {n: s.actives for n, s in again.items()} == {n: s.actives for n, s in caught_up.items()}


@given(members, st.integers(1, 12))
def test_no_more_moves_than_balance_asks_for(workers, partitions):
    """Without standbys: whoever has its share or less keeps all of it."""
    before = share_out(workers, partitions)
    kept = rejoined(before, *list(before)[1:]) or rejoined(before)
    after = share_out(kept, partitions)
    for member in kept:
        assert member.actives <= after[member.name].actives
