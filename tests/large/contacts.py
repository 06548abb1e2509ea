"""A CRM's export of contacts, from one seed: who somebody is, written down; nobody acted."""

import json
from collections.abc import Iterator, Sequence
from random import Random

from streams.core.event import Event

TWICE = 0.02
"""Cards that a clerk opened a second time, with the same e-mail."""
MET = 0.02
"""Contacts whose e-mail the site knows already; of each at most one, or the e-mail would pass for a shared one."""


def lines(seed: int, contacts: int, events: Sequence[Event]) -> Iterator[str]:
    """JSON lines of so many contacts, among them some of people that `events` tell of."""
    rng = Random(seed)
    met = sorted({value for e in events for kind, value, _ in e.ids if kind == "email"})
    rng.shuffle(met)
    for n in range(contacts):
        drawn = rng.random()
        if drawn < MET and met:
            email = met.pop()
        else:
            email = f"contact{n - 1 if drawn < MET + TWICE and n else n}@example.org"
        yield json.dumps({
            "event_id": f"crm-export/{n}", "channel": "crm", "type": "contact_imported", "role": "record",
            "occurred_at": "2026-02-01T06:00:00Z", "source": "crm",
            "identifiers": [{"kind": "crm_id", "value": f"export-{n}"}, {"kind": "email", "value": email},
                            {"kind": "phone", "value": f"+38097{n:07d}"}],
            "traits": {"name": f"Sample Contact {n}", "city": rng.choice(("Kyiv", "Lviv", "Odesa"))},
            "consent": {"email_marketing": rng.random() < 0.6},
        })
