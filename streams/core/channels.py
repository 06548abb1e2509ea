"""The channels that exist: where a customer can meet us. One row here is all a new channel needs in code.

A deployment adds channels of its own in `onethread.toml`, `[channels.<name>] family = …`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

FAMILIES = ("online", "store", "phone", "other")


@dataclass(frozen=True)
class Channel:
    name: str
    family: str


CHANNELS: dict[str, Channel] = {c.name: c for c in (
    Channel("web", "online"),
    Channel("app", "online"),
    Channel("push", "online"),
    Channel("chat", "online"),
    Channel("email", "online"),
    Channel("sms", "online"),
    Channel("whatsapp", "online"),
    Channel("viber", "online"),
    Channel("telegram", "online"),
    Channel("instagram", "online"),
    Channel("facebook", "online"),
    Channel("social", "online"),
    Channel("marketplace", "online"),
    Channel("ads", "online"),
    Channel("pos", "store"),
    Channel("wifi", "store"),
    Channel("face", "store"),
    Channel("event", "store"),
    Channel("kiosk", "store"),
    Channel("outdoor", "store"),
    Channel("call_centre", "phone"),
    Channel("delivery", "other"),
    Channel("loyalty", "other"),
    Channel("crm", "other"),
    Channel("survey", "other"),
    Channel("payment", "other"),
)}


def registry(own: Mapping[str, str]) -> dict[str, Channel]:
    """All channels of a deployment.

    Shape:  own is name -> family, as settings hold it; an own row wins over a built-in one of its name.
    Errors: ValueError naming the channel whose family is none of FAMILIES.
    """
    for name, family in own.items():
        if family not in FAMILIES:
            raise ValueError(f"channel {name}: expected a family of {', '.join(FAMILIES)}; came {family!r}")
    return CHANNELS | {name: Channel(name, family) for name, family in own.items()}
