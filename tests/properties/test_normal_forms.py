"""A normal form is its own normal form: what is held is what its next event is read as, whoever read it first."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from streams.core.identifiers import Refused, normalise
from streams.core.policy import ALL_DOMAINS, EmailRules, Policy, default
from streams.core.rereading import Rereading

LOCAL_PARTS = st.text(max_size=10) | st.text("aA.+б\u0130\u0327", max_size=10)
DOMAINS = ("gmail.com", "Example.ORG", "приклад.укр", "ex.com.")
KINDS = st.sampled_from(sorted({*default().kinds, *default().aliases}))
VALUES = st.one_of(
    st.text(max_size=20),
    st.text("0123456789 +-()", max_size=16),
    st.text("0123456789", min_size=5, max_size=12).map("+380{}".format),
    st.text("0123456789abcdefABCDEF:-", min_size=12, max_size=17),
    st.builds("{}@{}".format, LOCAL_PARTS, st.sampled_from(DOMAINS)),
)
DOMAIN_SETS = st.frozensets(st.sampled_from(["gmail.com", "example.org", ALL_DOMAINS]))
POLICIES = st.builds(
    lambda tags, dots, region: replace(default(), email=EmailRules(tags, dots), default_region=region),
    DOMAIN_SETS, DOMAIN_SETS, st.sampled_from(["", "UA", "DE", "IT"]),
)


@given(KINDS, VALUES, POLICIES)
def test_a_normal_form_is_its_own(kind: str, value: str, policy: Policy) -> None:
    found = normalise(kind, value, policy, "UA")
    if not isinstance(found, Refused):
        assert normalise(*found, policy, "UA") == found
        assert not Rereading(policy, policy, "UA").count([found])


@given(KINDS, VALUES, POLICIES, POLICIES)
def test_what_a_policy_reads_alike_is_not_told_as_read_otherwise(
    kind: str, value: str, present: Policy, other: Policy,
) -> None:
    """And what it reads otherwise is told, or that nobody can tell."""
    held, read = (normalise(kind, value, policy, "UA") for policy in (present, other))
    if isinstance(held, Refused):
        return
    counts = Rereading(present, other, "UA").count([held])
    if read == held:
        assert not counts.other
    else:
        assert counts
