"""The home of a stack: who may use it (layout version, settings that shaped its facts, pepper), and its removal."""

import hashlib
import json
import secrets
import shutil
from pathlib import Path
from typing import Any

from streams.errors import OneThreadError, UsageError
from streams.settings import SHAPING, Settings, load, written

LAYOUT = 1
"""Raised by a release whose homes an older one must not open."""

STATE = ("kafka", "registry", "clickhouse", "state", "logs", "run", "home.json", "pepper", "pepper.new",
         "collector", "producers", "keys.json", "keys.json.new", "keys.json.lock", "write-key", "write-key.new",
         "clickhouse-users.json", "clickhouse-users.json.new", "clickhouse-users.json.lock", "security",
         "imports", "growing", "restoring")
"""What a stack keeps in its home; `imports` with it, or what was sent to a stack that is gone would not be sent again.
`onethread.toml` and whatever else lies there are the user's."""


SETTINGS = "onethread.toml"
GROWING = "growing"
RESTORING = "restoring"


def use_settings(home: Path, file: Path) -> None:
    """Make `file` the home's settings, by a link, so that every command on this home reads the same ones.

    Errors: UsageError where there is no such file, a setting in it cannot be, or the home has a file of its own.
    """
    link = home / SETTINGS
    if not file.is_file():
        raise UsageError(f"--config: no such file: {file}")
    if link.exists() and not link.is_symlink():
        raise UsageError(f"--config: {link} is there already: remove it, or put the settings into it")
    load(home, file=file)
    home.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(file.resolve())


def check(home: Path, settings: Settings) -> None:
    """Errors: OneThreadError where the home is of a newer version, or its facts were shaped by other settings."""
    known = _read(home)
    if not known:
        return
    if known["layout"] > LAYOUT:
        raise OneThreadError(
            f"{home} was written by a newer onethread (layout {known['layout']}, this one knows {LAYOUT}): "
            "upgrade onethread, or set ONETHREAD_HOME to another folder"
        )
    differ = [f"{written(name, before)} at the last start, now {written(name, now)}"
              for name, (before, now) in changed(home, settings).items()
              if not (name == "partitions" and growing_from(home) is not None)]
    if differ:
        raise OneThreadError(
            "settings that shape facts already made have changed since the last start; set them back, run "
            "`onethread config apply`, or start in an empty home:\n  " + "\n  ".join(differ)
        )


def changed(home: Path, settings: Settings) -> dict[str, tuple[Any, Any]]:
    """Settings that shape facts and are not what the home's facts were made under: name -> (then, now)."""
    now = shaping(settings)
    before = shaped(home)
    return {name: (value, now[name]) for name, value in before.items() if name in now and now[name] != value}


def shaped(home: Path) -> dict[str, Any]:
    """The settings under which the home's facts are made; empty where there are none."""
    return dict(_read(home).get("shaping", {}))


def remember(home: Path, settings: Settings) -> None:
    """Note under which settings the home's facts are made."""
    text = json.dumps({"layout": LAYOUT, "shaping": shaping(settings)}, indent=1)
    (home / "home.json").write_text(text + "\n")


def growing_from(home: Path) -> int | None:
    """How many partitions there were, where some are being added; None where not."""
    path = home / GROWING
    return int(path.read_text()) if path.exists() else None


def begin_growing(home: Path) -> None:
    """Note that partitions are to be added to those of the last start: the next start does it, whatever happens."""
    whole = home / f"{GROWING}.new"
    whole.write_text(str(shaped(home)["partitions"]))
    whole.replace(home / GROWING)


def end_growing(home: Path, settings: Settings) -> None:
    remember(home, settings)
    (home / GROWING).unlink()


def restoring_from(home: Path) -> tuple[Path, int | None] | None:
    """The backup that is being restored here, and, for a replay, from when on; None where there is none."""
    path = home / RESTORING
    if not path.exists():
        return None
    told = json.loads(path.read_text())
    return Path(told["backup"]), told["replay_since_ms"]


def begin_restoring(home: Path, backup: Path, replay_since_ms: int | None) -> None:
    """Note that the next start fills the topics from a backup, before anything works."""
    told = {"backup": str(backup.absolute()), "replay_since_ms": replay_since_ms}
    (home / RESTORING).write_text(json.dumps(told))


def end_restoring(home: Path) -> None:
    (home / RESTORING).unlink()


def shaping(settings: Settings) -> dict[str, Any]:
    """The values of SHAPING, and the pepper's fingerprint: another pepper makes other persons of the same events."""
    values: dict[str, Any] = {name: getattr(settings, name) for name in sorted(SHAPING)}
    pepper = settings.pepper.get_secret_value()
    return {**values, "pepper": hashlib.blake2b(pepper, digest_size=8).hexdigest()}


def make_pepper(home: Path) -> None:
    """Make the home's own pepper, readable by its owner only, unless there is one."""
    path, whole = home / "pepper", home / "pepper.new"
    if path.exists() and path.read_bytes().strip():
        return
    whole.touch(mode=0o600)
    whole.write_text(secrets.token_hex(32) + "\n")
    whole.replace(path)  # a start that is killed half-way must not leave an empty one, which would key nothing


def exists(home: Path) -> bool:
    """Whether a stack was ever started here."""
    return (home / "home.json").exists() or (home / "run").exists()


def wipe(home: Path) -> None:
    """Remove the stack's state, and the folder itself where nothing else is in it."""
    if (home / SETTINGS).is_symlink():
        (home / SETTINGS).unlink()  # ours, by `use_settings`; what it leads to is the user's
    for name in STATE:
        path = home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if home.exists() and not any(home.iterdir()):
        home.rmdir()


def _read(home: Path) -> dict[str, Any]:
    path = home / "home.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}
