"""Where a call comes from: the page and its address, the campaign, the device, the place and the language.

Rules kept here:
- The campaign is `context.campaign`, else the utm parameters of the page's address. A click's id is a parameter of the
  address; whose parameter it is says the campaign's source where nothing else does.
- A referrer of the page's own site brought nobody: it stays as `context.page.referrer`. So does `$direct`, which is
  what RudderStack's script says where there is none.
- The address and the referrer of the page are properties `url` and `referrer`, unless the call has properties of these
  names, such as the address of a product.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.segment import values
from connectors.segment.leaves import Leaves
from streams.core.parts import is_zone

_PARTS = ("source", "medium", "name", "term", "content")
_UTM = {"utm_source": "source", "utm_medium": "medium", "utm_campaign": "name", "utm_term": "term",
        "utm_content": "content"}
_PLACE = {"city": "city", "region": "region", "country": "country", "postalCode": "postal_code", "zip": "postal_code",
          "latitude": "latitude", "longitude": "longitude"}
_QUERY_FIELDS_MAX = 200
_AGENT_LENGTH_MAX = 1000

_is_language = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*").fullmatch


def campaign(leaves: Leaves, click_ids: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The record `campaign`, empty where there is none; takes what it uses of context.campaign."""
    query = _query(leaves)
    told: dict[str, str] = {}
    for part in _PARTS if leaves.get("context", "campaign") else ():
        value = values.name(leaves.get("context", "campaign", part))
        if value is not None:
            told[part] = value
            leaves.drop("context", "campaign", part)
    if not told:
        told = {part: value for key, part in _UTM.items() if (value := values.name(query.get(key))) is not None}
    for key, owner in click_ids.items() if query else ():
        if (click_id := values.name(query.get(key))) is not None:
            told["click_id"] = click_id
            if "source" not in told:
                told = {**owner, **told}
            break
    return told


def _query(leaves: Leaves) -> dict[str, str]:
    """The parameters of the page's address; the first of a name."""
    for path in (("context", "page", "url"), ("properties", "url"), ("context", "page", "search"),
                 ("properties", "search")):
        value = leaves.get(*path)
        if not isinstance(value, str) or "?" not in value:
            continue
        text = value.partition("#")[0].partition("?")[2]
        try:
            pairs = parse_qsl(text, max_num_fields=_QUERY_FIELDS_MAX)
        except ValueError:
            continue
        return dict(reversed(pairs))
    return {}


def page(leaves: Leaves, properties: dict[str, Any]) -> None:
    """Puts the page's address and referrer among the properties."""
    url, referrer = leaves.get("context", "page", "url"), leaves.get("context", "page", "referrer")
    if isinstance(url, str) and properties.setdefault("url", url) == url:
        leaves.drop("context", "page", "url")
    own = url if isinstance(url, str) else properties.get("url")
    inner = properties.get("referrer")
    if isinstance(inner, str) and _brought_nobody(inner, own):
        properties["context.page.referrer"] = properties.pop("referrer")
        if referrer == inner:
            leaves.drop("context", "page", "referrer")
    elif isinstance(referrer, str) and referrer and not _brought_nobody(referrer, own) \
            and properties.setdefault("referrer", referrer) == referrer:
        leaves.drop("context", "page", "referrer")
    for key in ("path", "search", "title"):
        if key in properties and properties[key] == leaves.get("context", "page", key):
            leaves.drop("context", "page", key)


def _brought_nobody(referrer: str, own: Any) -> bool:
    if referrer == "$direct":
        return True
    mine = _host(own) if isinstance(own, str) else ""
    return bool(mine) and mine == _host(referrer)


@lru_cache(maxsize=4096)
def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def place(leaves: Leaves) -> dict[str, Any]:
    """The record `place`, empty where there is none."""
    found: dict[str, Any] = {}
    for key, part in _PLACE.items() if leaves.get("context", "location") else ():
        value = values.fit(f"place.{part}", leaves.get("context", "location", key))
        limit = {"latitude": 90, "longitude": 180}.get(part)
        if value is not None and part not in found and (limit is None or abs(value) <= limit):
            found[part] = value
            leaves.drop("context", "location", key)
    zone = values.name(leaves.get("context", "timezone"))
    if zone is not None and is_zone(zone):
        found["zone"] = zone
        leaves.drop("context", "timezone")
    return found


_offset = re.compile(r"GMT([+-])(\d\d)(\d\d)").fullmatch


def offset_min(call: Mapping[str, Any]) -> int | None:
    """The local offset that RudderStack's script tells as context.timezone, such as GMT+0200."""
    zone = (call.get("context") or {}).get("timezone")
    found = _offset(zone) if isinstance(zone, str) else None
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return minutes if found[1] == "+" else -minutes


def language(leaves: Leaves) -> str | None:
    """BCP 47, of context.locale."""
    locale = leaves.get("context", "locale")
    if not isinstance(locale, str) or not _is_language(locale):
        return None
    leaves.drop("context", "locale")
    return locale.replace("_", "-")


_KINDS = frozenset({"desktop", "mobile", "tablet", "tv"})
_AGENTS = tuple((device, re.compile(pattern, re.IGNORECASE).search) for device, pattern in (
    ("tv", r"smart-?tv|apple ?tv|google ?tv|hbbtv|\bcrkey\b|\broku\b|\bwebos\b|\btizen\b.*\btv\b"),
    ("tablet", r"ipad|tablet|kindle|silk/|playbook|android(?!.*mobi)"),
    ("mobile", r"mobi|iphone|ipod|android|windows phone"),
    ("desktop", r"windows nt|macintosh|\bx11\b|\bcros\b|linux"),
))


def device(leaves: Leaves) -> str | None:
    """desktop, mobile, tablet or tv by what the call says of the device, else by its user agent; None: nobody says."""
    kind, model = (str(leaves.get("context", "device", key) or "").lower() for key in ("type", "model"))
    if kind in _KINDS:
        return kind
    if "ipad" in model or "tablet" in model:
        return "tablet"
    if kind in ("ios", "android", "phone"):
        return "mobile"
    agent = leaves.get("context", "userAgent")
    return _of_agent(agent[:_AGENT_LENGTH_MAX]) if isinstance(agent, str) else None


@lru_cache(maxsize=4096)
def _of_agent(agent: str) -> str | None:
    return next((device for device, found in _AGENTS if found(agent)), None)
