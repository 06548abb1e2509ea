"""Settings of one deployment: read once from `onethread.toml` and the environment, validated, frozen, passed on.

A key of the file can be overridden by `ONETHREAD_<KEY>`. Durations are written 30m, 24h, 7d and held in
milliseconds under the key's name with `_ms`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import pydantic
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from streams.connections import secret
from streams.core.channels import FAMILIES
from streams.errors import OneThreadError, UsageError

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(value: Any) -> int:
    """Milliseconds of a duration such as 30m, 24h, 7d; ValueError where it is none."""
    found = re.fullmatch(r"(\d+)\s*(ms|s|m|h|d)", str(value).strip())
    if not found:
        raise ValueError("expected a duration such as 30m, 24h or 7d")
    return int(found[1]) * _UNITS_MS[found[2]]


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("expected an IANA time zone such as Europe/Kyiv")
    return value


def _time(value: str) -> str:
    try:
        datetime.fromisoformat(value or "2000-01-01")
    except ValueError:
        raise ValueError("expected a time such as 2026-03-01T00:00:00Z") from None
    return value


Duration = Annotated[int, BeforeValidator(duration_ms)]


def _duration(key: str, default: str) -> Any:
    return Field(default=duration_ms(default), alias=key)


class Settings(pydantic.BaseModel):
    """Every setting of contract section 1, by its own name; durations end in `_ms`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)

    session_gap_ms: Duration = _duration("session_gap", "30m")
    journey_gap_ms: Duration = _duration("journey_gap", "30d")
    conversation_gap_ms: Duration = _duration("conversation_gap", "24h")
    attribution_window_ms: Duration = _duration("attribution_window", "90d")
    half_life_ms: Duration = _duration("half_life", "7d")
    cart_wait_ms: Duration = _duration("cart_wait", "24h")
    duplicate_window_ms: Duration = _duration("duplicate_window", "24h")
    callback_due_ms: Duration = _duration("callback_due", "15m")
    reporting_currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    reporting_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    as_of: Annotated[str, AfterValidator(_time)] = ""
    default_region: str = Field(default="", pattern="^([A-Z]{2})?$")
    retention: str = Field(default="", pattern=r"^(\d+d)?$")
    partitions: int = Field(default=4, ge=1, le=256)
    brokers: int = Field(default=1, ge=1, le=3)
    standbys: int = Field(default=0, ge=0, le=2)
    """Workers that follow each partition's state beside the one that works on it, and take over within seconds."""
    security: Literal["none", "tls"] = "none"
    """Of the local stack: whether its parts speak TLS and ask for passwords; for others see streams.connections."""
    topic_prefix: str = Field(default="", pattern=r"^[a-zA-Z0-9._-]*$")
    clickhouse_cluster: str = Field(default="", pattern=r"^[a-zA-Z0-9_.-]*$")
    """The cluster of ClickHouse over which tables are spread; empty: one server."""
    active_probability: float = Field(default=0.6, ge=0, le=1)
    at_risk_probability: float = Field(default=0.3, ge=0, le=1)
    active_ratio: float = Field(default=2.0, gt=0)
    at_risk_ratio: float = Field(default=4.0, gt=0)
    new_days: int = Field(default=60, ge=0)
    refit: str = Field(default="", pattern=r"^([1-9]\d*[mhd])?$")
    """How often the stack fits LTV by itself; empty: never."""
    channels: dict[str, str] = Field(default_factory=dict)
    """Channels of one's own: name -> family."""
    mappings: dict[str, str] = Field(default_factory=dict)
    """Foreign topics whose records become events: topic -> mapping file, from the home on, or name of a ready one."""
    pepper: pydantic.SecretBytes = pydantic.SecretBytes(b"")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reporting_zone)

    @property
    def as_of_at(self) -> datetime | None:
        """The setting as_of as a time, UTC where it names no zone; None: the present."""
        if not self.as_of:
            return None
        at = datetime.fromisoformat(self.as_of)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)

    @property
    def refit_s(self) -> float | None:
        """The setting refit in seconds; None: never."""
        return duration_ms(self.refit) / 1000 if self.refit else None


SHAPING = frozenset({
    "session_gap_ms", "journey_gap_ms", "conversation_gap_ms", "attribution_window_ms", "half_life_ms",
    "duplicate_window_ms", "callback_due_ms", "reporting_zone", "default_region", "partitions", "topic_prefix",
})
"""Settings that shape facts already made: a change needs `onethread config apply`."""


def written(name: str, value: Any) -> str:
    """A setting of `Settings` as one writes it in the file: session_gap_ms 1800000 as session_gap 30m."""
    if not name.endswith("_ms"):
        return f"{name} {value!r}"
    unit, one = max((u for u in _UNITS_MS.items() if value % u[1] == 0), key=lambda u: u[1])
    return f"{name.removesuffix('_ms')} {value // one}{unit}"


def load(home: Path, environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """The settings of the stack in `home`.

    Source: `file`, else `home/onethread.toml` if there is one; then `ONETHREAD_<KEY>` of `environ`.
    Pepper: ONETHREAD_PEPPER, or the file that ONETHREAD_PEPPER_FILE names, else the file `home/pepper` (made by
    `up`), else empty.
    Errors: UsageError naming the key, what was expected and what came.
    """
    environ = os.environ if environ is None else environ
    path = file or home / "onethread.toml"
    if path.is_symlink() and not path.exists():
        raise UsageError(f"{path} leads to {path.readlink()}, which is gone: put it back, or give another --config")
    values = _read(path) if path.exists() else {}
    values["channels"] = own_channels(values.get("channels", {}))
    values["mappings"] = _mappings(values.get("mappings", {}))
    for key in _keys():
        if (text := environ.get(f"ONETHREAD_{key.upper()}")) is not None:
            values[key] = text
    if given := secret(environ, "ONETHREAD_PEPPER").get_secret_value():
        values["pepper"] = given
    pepper_file = home / "pepper"
    if "pepper" not in values and pepper_file.exists():
        values["pepper"] = pepper_file.read_bytes().strip()
    try:
        return Settings(**values)
    except pydantic.ValidationError as error:
        raise UsageError(_explain(error)) from None


def _keys() -> list[str]:
    return [field.alias or name for name, field in Settings.model_fields.items() if name not in TABLES]


TABLES = ("channels", "mappings")
"""Settings that are tables of their own in the file, and are not overridden from the environment."""


def _mappings(tables: Any) -> dict[str, str]:
    """Topic -> file of the tables `[mappings.<topic>]`. Errors: UsageError naming the first that is wrong."""
    if not isinstance(tables, dict):
        raise UsageError(f"setting mappings: expected tables such as [mappings.<topic>]; came {tables!r}")
    for topic, row in tables.items():
        if not re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", topic):
            raise UsageError(f"setting mappings: expected the name of a Kafka topic, in quotes; came {topic!r}")
        if not isinstance(row, dict) or row.keys() != {"file"} or not isinstance(row["file"], str):
            raise UsageError(f'setting mappings."{topic}": expected file = …, and nothing else; came {row!r}')
    return {topic: row["file"] for topic, row in tables.items()}


_is_channel = re.compile("[a-z][a-z0-9_-]{0,63}").fullmatch
"""A channel names a topic too."""


def own_channels(tables: Any) -> dict[str, str]:
    """Name -> family of the tables `[channels.<name>]`. Errors: UsageError naming the first that is wrong."""
    if not isinstance(tables, dict):
        raise UsageError(f"setting channels: expected tables such as [channels.<name>]; came {tables!r}")
    for name, row in tables.items():
        where = f"setting channels.{name}"
        if not _is_channel(name):
            raise UsageError(f"{where}: expected a name of lower case letters, digits, _ and -")
        if not isinstance(row, dict):
            raise UsageError(f"{where}: expected a table such as [channels.{name}] with family = …; came {row!r}")
        if row.keys() != {"family"} or row["family"] not in FAMILIES:
            raise UsageError(f"{where}: expected a family of {', '.join(FAMILIES)}, and nothing else; came {row!r}")
    return {name: row["family"] for name, row in tables.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise OneThreadError(f"{path}: not valid TOML: {error}") from None


def _explain(error: pydantic.ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        came = "a secret" if key == "pepper" else repr(problem.get("input"))
        lines.append(f"setting {key}: {problem['msg'].removeprefix('Value error, ')}; came {came}")
    return "\n".join(lines)
