"""How values look on a terminal: times, money, channels. One place, so that every page speaks alike."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.core.channels import CHANNELS

PAGE_WIDTH = 100
"""What the pages are made for; a pipe gets it, a wider terminal does not stretch them."""

FAMILY_COLOURS = {"online": "cyan", "store": "green", "phone": "yellow", "other": "magenta"}


def page() -> Console:
    """Standard output as a page: as wide as the terminal, at most PAGE_WIDTH, which a pipe gets too."""
    console = Console()
    console.width = min(console.width, PAGE_WIDTH) if console.is_terminal else PAGE_WIDTH
    return console


def colour(channel: str) -> str:
    """The colour of a channel: that of its family."""
    known = CHANNELS.get(channel)
    return FAMILY_COLOURS[known.family] if known else "white"


def channel(name: str | None) -> Text:
    return Text(name or "", style=colour(name) if name else "")


def channels(names: list[str], joint: str = " → ") -> Text:
    """Channels in a row, each in its colour."""
    return Text(joint, style="dim").join(channel(name) for name in names)


def moment(at: datetime | None, zone: str) -> str:
    """17 Feb 20:12, in local time; empty where there is none."""
    return f"{_local(at, zone):%e %b %H:%M}".strip() if at else ""


def day(at: datetime, zone: str) -> str:
    return f"{_local(at, zone):%A, %e %B %Y}".replace("  ", " ")


def clock(at: datetime, zone: str) -> str:
    return f"{_local(at, zone):%H:%M}"


def pause(seconds: float) -> str:
    """The two largest units of a pause: 16 h 12 min."""
    minutes = int(seconds) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "0 min"


def money(amount: Decimal | None, currency: str | None = None) -> str:
    if amount is None:
        return ""
    return f"{amount:,.2f} {currency or ''}".strip()


def count(number: Any) -> str:
    return f"{number:,}" if number else "·"


def sheet(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines; numbers stand to the right. A column without a name is cropped where it is narrow."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for header in headers:
        if header in right:
            table.add_column(header, justify="right", no_wrap=True)
        else:
            table.add_column(header, overflow="fold" if header else "crop")
    return table


def title(text: str, note: str = "") -> Text:
    return Text.assemble((text, "bold"), ("  " + note if note else "", "dim"))


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))
