"""The cases that vendors document as hard, each with the page that tells of it, and what becomes of it here.

Every case is worked in order, in the opposite order and over one to three partitions: the rows must be the same.
"""

from dataclasses import replace

from streams.core.event import Event, Identifier
from streams.core.facts import Row
from streams.core.graph import Partition
from streams.core.messages import PolicyChange, Rule, observe
from streams.core.policy import default
from tests.oracle.build import event, money
from tests.simulation.policy_file import to_toml
from tests.unit.streams.core.graphs import MINUTE, Graph
from tests.unit.streams.core.records import accepted, named

DAY = 24 * 60 * MINUTE
SHOWN = ("persons", "identifiers", "identifier_sightings", "touchpoints", "sessions", "visits", "orders")


def work(*events: Event) -> Graph:
    """The events worked in order; any other order and number of partitions shows the same."""
    graph = Graph(1).see(*events)
    for other in (Graph(2).see(*events[::-1]), Graph(3).see(*events[1::2], *events[::2])):
        assert [other.rows(table) for table in SHOWN] == [graph.rows(table) for table in SHOWN]
    return graph


def people(graph: Graph) -> set[frozenset[str]]:
    """The values of each person's identifiers; of a pseudo-person the one that is shared."""
    found: dict[bytes, set[str]] = {}
    for row in graph.rows("identifiers"):
        found.setdefault(row[3], set()).add(row[2])
    return {frozenset(values) for values in found.values()}


def persons(*texts: str) -> set[frozenset[str]]:
    return {frozenset(text.split()) for text in texts}


def flagged(graph: Graph, column: int) -> set[str]:
    return {row[2] for row in graph.rows("identifiers") if row[column]}


def shared(graph: Graph) -> set[str]:
    return flagged(graph, 4)


def contested(graph: Graph) -> set[str]:
    return flagged(graph, 5)


def whose(graph: Graph, event_id: str) -> str:
    """An identifier of the strongest kind of the person that has this touchpoint."""
    person = next(row[0] for row in graph.rows("touchpoints") if row[1] == event_id)
    order = ["customer_id", "loyalty_card", "phone", "email"]
    mine = [row for row in graph.rows("identifiers") if row[3] == person]
    return str(min(mine, key=lambda row: order.index(row[1]) if row[1] in order else len(order))[2])


def verdict(graph: Graph, one: str, other: str) -> tuple[bool, str | None]:
    """Whether a pair of values conducts, and why not."""
    row: Row = next(row for row in graph.rows("evidence") if {row[4], row[6]} == {one, other})
    return row[11], row[12]


def sale(n: int, at_ms: int, *ids: str) -> Event:
    order = {"order_id": f"till:S1/3/{n}", "total": money(10), "currency": "EUR"}
    return event(f"sale{n}", at_ms, *ids, channel="pos", type="order_placed", store_id="S1", order=order)


def test_shared_family_device() -> None:
    """Two parents log in on one tablet: nobody merges, and each evening goes to whoever had logged in.

    Source: Adobe Experience Platform, "Identity graph linking rules overview", shared device; Snowplow Identities,
    "Identities concepts", unique identifiers.
    """
    graph = work(
        event("1", 0, "device_id:tablet", "customer_id:mother"), event("evening", 10, "device_id:tablet"),
        event("2", 20, "device_id:tablet", "customer_id:father"), event("night", 30, "device_id:tablet"),
    )
    assert people(graph) == persons("mother", "father tablet")
    assert contested(graph) == {"tablet"}
    assert (whose(graph, "evening"), whose(graph, "night")) == ("mother", "father")
    assert verdict(graph, "mother", "tablet") == (False, "limit")


def test_airport_kiosk_is_a_pseudo_person_of_its_own() -> None:
    """Source: Adobe Experience Platform, "Identity graph linking rules overview", public kiosk and call centre."""
    graph = work(*(event(str(n), n, "device_id:kiosk", f"loyalty_card:card{n}") for n in range(4)))
    assert people(graph) == persons("kiosk", "card0", "card1", "card2", "card3")
    assert shared(graph) == {"kiosk"}
    assert [whose(graph, str(n)) for n in range(4)] == [f"card{n}" for n in range(4)]


def test_two_loyalty_members_on_one_device() -> None:
    """A couple with a customer account each, whose cards are read into one phone app.

    Source: Adobe Experience Platform, "Graph simulation", shared device; RudderStack Profiles, "ID Graph Cardinality
    Rules".
    """
    graph = work(
        event("1", 0, "customer_id:anna", "loyalty_card:card-a"),
        event("2", 1, "customer_id:ben", "loyalty_card:card-b"),
        event("3", 2, "loyalty_card:card-a", "device_id:handset"),
        event("4", 3, "loyalty_card:card-b", "device_id:handset"),
        event("5", 4, "device_id:handset"),
    )
    assert people(graph) == persons("anna card-a", "ben card-b handset")
    assert whose(graph, "3") == "anna"
    assert whose(graph, "5") == "ben"


def test_recycled_phone_number() -> None:
    """An operator gives a number to somebody else: the two customers stay two, the number goes with the latest.

    Source: Adobe Experience Platform, "Identity graph linking rules overview", invalid e-mail and phone; Segment Unify,
    "Identity Resolution Settings", limit and priority.
    """
    graph = work(
        event("old", 0, "customer_id:first", "phone:+380000000001"),
        event("sms", 500 * DAY, "phone:+380000000001"),
        event("new", 900 * DAY, "customer_id:second", "phone:+380000000001"),
        event("late", 901 * DAY, "phone:+380000000001"),
    )
    assert people(graph) == persons("first", "second +380000000001")
    assert (whose(graph, "sms"), whose(graph, "late")) == ("first", "second")


def test_till_email() -> None:
    """A cashier types one address for everybody who has none.

    Source: RudderStack Profiles, "Advanced ID Stitcher Features", identity explosion from shared identifiers; Senzing,
    "What is Principle-Based Entity Resolution", an identifier that turns out to be generic.
    """
    graph = work(*(event(str(n), n, "email:till@example.com", f"loyalty_card:card{n}") for n in range(5)))
    assert shared(graph) == {"till@example.com"}
    assert people(graph) == persons("till@example.com", *(f"card{n}" for n in range(5)))


def test_guest_then_registered() -> None:
    """What a guest did before signing up is hers, and the id she had as a guest stays.

    Source: Segment Unify, "Identity Resolution Settings"; PostHog, "Identifying users".
    """
    graph = work(
        event("visit", 0, "anonymous_id:cookie"), event("guest", 1, "anonymous_id:cookie", "email:g@example.com"),
        event("signup", 2, "customer_id:c1", "email:g@example.com", type="signed_up"),
    )
    assert people(graph) == persons("cookie g@example.com c1")
    assert len(graph.rows("sessions")) == 1
    assert graph.person("customer_id", "c1")[:6] == graph.keys.node(("anonymous_id", "cookie"))[:6]


def test_login_on_a_second_device_long_after() -> None:
    """Months of a phone without a login become the customer's with one login on it.

    Source: Snowplow Identities, "Merges"; PostHog, "Identifying users".
    """
    browsing = [event(f"b{n}", n * DAY, "device_id:handset") for n in range(1, 5)]
    graph = work(
        event("web", 0, "anonymous_id:cookie", "customer_id:c1"), *browsing,
        event("login", 200 * DAY, "device_id:handset", "customer_id:c1", type="logged_in"),
    )
    assert people(graph) == persons("cookie c1 handset")
    assert len(graph.rows("sessions")) == 6


def test_cashiers_own_card() -> None:
    """A card held under the scanner for everybody without one: too many orders of one day for one person.

    Source: Senzing, "What is Principle-Based Entity Resolution", expected behaviours and their exceptions.
    """
    graph = work(*(sale(n, n, "loyalty_card:own", f"payment_token:p{n}") for n in range(21)))
    assert shared(graph) == {"own"}
    assert len({whose(graph, f"sale{n}") for n in range(21)}) == 21


def test_gift_recipient_named_on_a_delivery() -> None:
    """A recipient is not an identifier of the event, so a gift joins nobody, whatever the address on it.

    Source: Senzing, "Entity Specification", disclosed relationships are not features.
    """
    delivery = {"method": "courier", "promised_at": DAY}
    giver = accepted(
        type="order_placed", channel="web", identifiers=[named("email", "giver@example.com")],
        order={"order_id": "o1", "total": "10.00", "currency": "EUR"},
        properties={"recipient_email": "friend@example.com", "recipient_phone": "+380000000002"},
    )
    friend = event("2", giver.at_ms + 1, "email:friend@example.com")
    graph = work(giver, friend, event("3", giver.at_ms + 2, type="delivery_updated", role="order_fact",
                                      order={"order_id": "o1", "delivery": delivery}))
    assert {len(p) for p in people(graph)} == {1, 3}
    assert whose(graph, "3") == "giver@example.com"


def test_newsletter_forwarded_to_a_friend() -> None:
    """A tracked link names whom it was sent to with confidence 0.8: one click joins nobody, two in one browser do.

    Source: Segment Unify, "Identity Resolution Onboarding"; the design's own rule for tracked links.
    """
    sent = event("sent", 0, "email:reader@example.com", type="message_sent", role="exposure")
    friend = event("f", 1, "email:reader@example.com@0.8", "anonymous_id:friend", type="message_clicked")
    own = [event(f"o{n}", n, "email:reader@example.com@0.8", "anonymous_id:own") for n in (2, 3)]
    graph = work(sent, friend, *own)
    assert people(graph) == persons("reader@example.com own", "friend")
    assert verdict(graph, "reader@example.com", "friend") == (False, "weak")


def test_one_ad_link_opened_in_two_browsers() -> None:
    """A copied link carries its click id along.

    Source: Google Ads Help, "Auto-tagging": a click id stands in the address, which people pass on.
    """
    graph = work(*(event(f"{n}", n, "click_id:gclid", f"anonymous_id:browser{n}", type="ad_clicked") for n in range(2)))
    assert shared(graph) == {"gclid"}
    assert people(graph) == persons("gclid", "browser0", "browser1")


def test_same_receipt_number_in_two_stores() -> None:
    """Numbers that repeat are prefixed by the producer, so receipt 417 of two tills is two orders of two people.

    Source: Senzing, "Entity Specification": an identifier is exclusive only within its issuer.
    """
    def receipt(store: str, card: str) -> Event:
        order = {"order_id": f"till:{store}/3/2026-02-05/417", "receipt_id": "417", "total": money(5)}
        return event(store, 0, f"loyalty_card:{card}", channel="pos", type="order_placed", order=order, store_id=store)

    graph = work(receipt("S1", "card1"), receipt("S2", "card2"))
    assert len(people(graph)) == len(graph.rows("orders")) == 2


def test_unset_advertising_id() -> None:
    """Every phone that limits tracking tells the same zeros: dropped before it gets to anybody's cluster.

    Source: Android Developers, "Advertising ID"; Segment Unify, "How to Block Identifier Values".
    """
    zeros = named("advertising_id", "00000000-0000-0000-0000-000000000000")
    events = [accepted(event_id=f"e{n}", identifiers=[zeros, named("device_id", f"d{n}")]) for n in range(2)]
    assert all(kind != "advertising_id" for e in events for kind, *_ in e.ids)
    assert people(work(*events)) == persons("d0", "d1")


def test_hashed_next_to_plain_email() -> None:
    """A CRM knows the address, an advertiser its SHA-256: one person, for an e-mail names its hash too.

    Source: Adobe Experience Platform, "Identity namespaces", e-mail and hashed e-mail; Google Ads, "Customer Match".
    """
    plain = accepted(event_id="crm", identifiers=[named("email", "Reader@Example.com")])
    (digest,) = (value for kind, value, _ in plain.ids if kind == "email_sha256")
    browser = named("anonymous_id", "cookie")
    hashed = accepted(event_id="ad", identifiers=[named("email_sha256", digest.upper()), browser])
    assert people(work(plain, hashed)) == {frozenset(["reader@example.com", digest, "cookie"])}


def test_merge_of_two_known_customers() -> None:
    """Two accounts with one phone stay two by the limit on customer_id; an operator's link makes them one, with the
    older id, and taking it back parts them again.

    Source: PostHog, "Identifying users": two identified persons are not merged by identify; Segment Unify, "Identity
    Resolution Settings", merge protection.
    """
    events = [
        event("1", 0, "customer_id:c1", "email:a@example.com"), event("2", 1, "customer_id:c2", "phone:p"),
        event("3", 2, "customer_id:c1", "phone:p"),
    ]
    graph = work(*events)
    before = {table: graph.rows(table) for table in SHOWN}
    assert people(graph) == persons("c1 a@example.com p", "c2")
    _say(graph, "link", 1, ("customer_id", "c1"), ("customer_id", "c2"))
    assert people(graph) == persons("c1 a@example.com p c2")
    assert graph.person("customer_id", "c2")[:6] == graph.keys.node(("customer_id", "c1"))[:6]
    _say(graph, "drop", 2, ("customer_id", "c1"), ("customer_id", "c2"))
    assert {table: graph.rows(table) for table in SHOWN} == before


def _say(graph: Graph, verb: str, at_ms: int, a: Identifier, b: Identifier) -> None:
    graph.work([Rule(a, 0, (a, b), verb, "asked for", (f"command{at_ms}", at_ms))])


def test_2500_identifiers_by_a_broken_integration() -> None:
    """One customer_id comes with a new device each time: the person stops at its limit, and no event is lost.

    Here with a limit of 40 and 100 devices, in proportion.
    Source: Segment Unify, "Identity Resolution Settings", limits; Adobe Experience Platform, "Guardrails for Identity
    Service".
    """
    graph = Graph(2)
    policy = PolicyChange(0, 1, to_toml(replace(default(), person_identifiers_max=40)), 0)
    for partition, store in zip(graph.partitions, graph.stores, strict=True):
        partition.work([policy])
        store.update(partition.take().puts)
    graph.see(*(event(f"{n:03}", n, "customer_id:broken", f"device_id:d{n}") for n in range(100)))
    sizes = sorted(sum(row[9].values()) for row in graph.rows("persons"))
    assert sizes == [1] * 61 + [40]
    assert contested(graph) == {f"d{n}" for n in range(61)}
    assert len(graph.rows("touchpoints")) == 100
    assert {whose(graph, f"{n:03}") for n in range(100)} == {"broken"}


def test_200000_events_with_one_kiosk_id() -> None:
    """The kiosk stays alone however many use it, and so does everybody who does; 5,000 events stand for them.

    Source: Adobe Experience Platform, "Identity graph linking rules overview", public kiosk.
    """
    graph = Graph(2)
    claims = [(("device_id", "kiosk"), 1)]  # what ingest knows soon
    for n in range(5_000):
        e = event(str(n), n, "device_id:kiosk", f"loyalty_card:card{n // 2}")
        graph.work([observe(e, default(), claims if n > 100 else [])])
    assert shared(graph) == {"kiosk"}
    assert {sum(row[9].values()) for row in graph.rows("persons")} == {1}
    clusters = [p.nodes.get(i).cluster for p, i in _nodes(graph, 2_500)]
    assert max(len(cluster.members) for cluster in clusters if cluster) <= 5
    assert len(graph.rows("touchpoints")) == 5_000


def _nodes(graph: Graph, cards: int) -> list[tuple[Partition, Identifier]]:
    ids = [("device_id", "kiosk"), *(("loyalty_card", f"card{n}") for n in range(cards))]
    return [(graph.partitions[graph.keys.owner(i)], i) for i in ids]


def test_merge_that_arrives_before_its_parts() -> None:
    """The login is worked first, what it joins comes hours later and lies before it.

    Source: Snowplow Identities, "Merges"; Senzing, "How Senzing Performs Real Time Entity Resolution", earlier
    decisions are looked at again.
    """
    graph = work(
        event("login", 9 * MINUTE, "anonymous_id:cookie", "customer_id:c1"),
        event("web", 0, "anonymous_id:cookie"), event("crm", 5 * MINUTE, "customer_id:c1", "phone:p"),
    )
    assert people(graph) == persons("cookie c1 p")
    assert [row[4] for row in graph.rows("sessions")] == [3]
