"""Webhooks on a whole stack: the commands of every page of `docs/connectors`, as they stand there, end in the views."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.webhooks.systems import SYSTEMS
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from tests.integration.pipeline import await_rest

PAGES = Path(__file__).parents[2] / "docs" / "connectors"

EXPECTED = {
    ("wa-main", "whatsapp", "message_received"),
    ("fb-page", "facebook", "message_received"),
    ("ig-main", "instagram", "message_received"),
    ("bot", "telegram", "message_received"),
    ("viber-bot", "viber", "message_received"),
    ("sms-main", "sms", "message_received"),
    ("mail", "email", "message_opened"),
    ("shop-eu", "web", "order_placed"),
    ("woo", "web", "order_placed"),
    ("woo", "web", "order_paid"),
}


def commands(system: str) -> list[str]:
    """What stands behind `$` in the page's section to try."""
    _, _, section = (PAGES / f"{system}.md").read_text().partition("## Try it")
    return re.findall(r"^\$ (.+)$", section, re.MULTILINE)


def run(script: str, addresses: Addresses, folder: Path) -> str:
    """The script in a shell with the stack's command; what it printed."""
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    command = binaries / "onethread"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli.main "$@"\n')
    command.chmod(0o700)
    script = script.replace("http://127.0.0.1:19000", f"http://127.0.0.1:{addresses.collector}")
    done = subprocess.run(
        ["bash", "-euc", script.replace("/tmp/", f"{folder}/")], cwd=PAGES.parents[1], capture_output=True, text=True,
        timeout=120, env={**os.environ, **addresses.environ(), "PATH": f"{binaries}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(addresses: Addresses, query: str) -> list[Any]:
    return list(connect(addresses.clickhouse_url).query(query).result_rows)


@pytest.mark.stack
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="the pages sign and send with them")
def test_every_page_is_true_and_a_repeat_changes_nothing(running_stack: Addresses, tmp_path: Path) -> None:
    script = "\n".join(line for system in SYSTEMS for line in commands(system))
    sent = script.count("curl -i")
    assert sent == len(SYSTEMS)
    assert run(script, running_stack, tmp_path).count("HTTP/1.1 200 OK") == sent
    await_rest(running_stack)
    sources = ", ".join(f"'{source}'" for source, _, _ in EXPECTED)
    seen = f"SELECT source, channel, type, event_id, person_id FROM onethread.touchpoints WHERE source IN ({sources})"
    first = rows(running_stack, seen)
    assert {row[:3] for row in first} == EXPECTED
    assert len(first) == len(EXPECTED)
    talk = "SELECT channel, from_customer FROM onethread.conversation_messages WHERE text = 'Is it warm?'"
    assert rows(running_stack, talk) == [("whatsapp", True)]
    again = "\n".join(line for line in script.splitlines() if "keys add" not in line)
    assert run(again, running_stack, tmp_path).count("HTTP/1.1 200 OK") == sent
    await_rest(running_stack)
    assert sorted(rows(running_stack, seen)) == sorted(first)
    orders = ("SELECT order_id, status, toString(total), anonymous FROM onethread.orders"
              " WHERE order_id IN ('shopify:820982911946154508', 'woo:727') ORDER BY order_id")
    assert rows(running_stack, orders) == [
        ("shopify:820982911946154508", "placed", "24", False), ("woo:727", "paid", "29.35", False),
    ]
