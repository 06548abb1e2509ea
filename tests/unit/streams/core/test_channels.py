"""The registry of channels."""

import pytest

from streams.core.channels import CHANNELS, FAMILIES, Channel, registry

GOLDEN = {
    "online": "web app push chat email sms whatsapp viber telegram instagram facebook social marketplace ads",
    "store": "pos wifi face event kiosk outdoor",
    "phone": "call_centre",
    "other": "delivery loyalty crm survey payment",
}


def test_the_registry_is_the_published_one() -> None:
    published = {name: Channel(name, family) for family, names in GOLDEN.items() for name in names.split()}
    assert published == CHANNELS


def test_families_are_the_published_ones() -> None:
    assert tuple(GOLDEN) == FAMILIES


def test_an_own_channel_joins_the_built_in_ones() -> None:
    assert registry({"radio": "other"}) == CHANNELS | {"radio": Channel("radio", "other")}


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(ValueError, match=r"channel radio: expected a family of .*; came 'air'"):
        registry({"radio": "air"})
