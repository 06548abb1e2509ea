"""Webhooks by HTTP: signed ones are kept, others leave no trace; what cannot be read is a dead letter."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.collector import keys
from connectors.webhooks.systems import SYSTEMS
from connectors.webhooks.twilio import signature
from streams import metrics
from tests.unit.connectors.collector.conftest import Site

PATH = "/webhooks/viber/bot"
SAID: dict[str, Any] = {
    "event": "message", "timestamp": 1_771_236_000_000, "message_token": 7,
    "sender": {"id": "01234567890A="}, "message": {"type": "text", "text": "Is it open today?"},
}


def secret(site: Site, name: str, text: str) -> str:
    path = site.home / name
    path.write_text(text + "\n")
    return f"file:{path}"


def signed(body: bytes, key: str = "token") -> dict[str, str]:
    return {"X-Viber-Content-Signature": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


def post(site: Site, told: Any, key: str = "token", path: str = PATH) -> Any:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return site.client.post(path, content=body, headers=signed(body, key))


def count(system: str, outcome: str) -> float:
    return float(metrics.WEBHOOKS.labels(system, outcome)._value.get())


@pytest.fixture
def bot(site: Site) -> Site:
    site.add("bot", channels=("viber",), secrets={"viber": secret(site, "viber", "token")})
    return site


def test_a_signed_webhook_is_kept(bot: Site) -> None:
    before = count("viber", "taken")
    answer = post(bot, SAID)
    assert (answer.status_code, answer.content) == (200, b"")
    ((topic, event),) = bot.kept()
    assert topic == "events.viber"
    assert (event["type"], event["source"]) == ("message_received", "bot")
    assert event["message"]["text"] == "Is it open today?"
    assert count("viber", "taken") == before + 1


def test_a_wrong_signature_leaves_nothing_but_a_count(bot: Site) -> None:
    before = count("viber", "unsigned")
    for answer in (post(bot, SAID, key="guess"), bot.client.post(PATH, json=SAID), bot.client.get(PATH)):
        assert (answer.status_code, answer.json()["error"]["reason"]) == (401, "bad_signature")
        assert "token" not in answer.text
    assert bot.kept() == []
    assert count("viber", "unsigned") == before + 3


@pytest.mark.parametrize("path", [
    "/webhooks/viber/other", "/webhooks/none/bot", "/webhooks/shopify/bot", "/webhooks/viber/shop",
])
def test_an_address_that_no_key_names_is_not_there(bot: Site, path: str) -> None:
    answer = post(bot, SAID, path=path)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "no_webhook")


def test_a_key_that_only_reads_opens_no_address(site: Site) -> None:
    site.add("bot", scope="read", secrets={"viber": secret(site, "viber", "token")})
    assert post(site, SAID).status_code == 404


def test_a_secret_that_is_not_there_signs_nothing(site: Site) -> None:
    """An empty secret would let everybody in."""
    site.add("bot", channels=("viber",), secrets={"viber": "env:ONETHREAD_NO_SUCH_VARIABLE"})
    for key in ("", "None"):
        assert post(site, SAID, key=key).status_code == 401


def test_either_secret_is_good_while_one_is_being_changed(bot: Site) -> None:
    bot.add("bot", channels=("viber",), secrets={"viber": secret(bot, "next", "next-token")})
    assert post(bot, SAID).status_code == 200
    assert post(bot, SAID, key="next-token").status_code == 200
    Path(bot.home / "viber").write_text("changed")
    assert post(bot, SAID).status_code == 401


def test_sources_of_one_system_are_told_apart(bot: Site) -> None:
    bot.add("second", channels=("viber",), secrets={"viber": secret(bot, "second", "other")})
    assert post(bot, SAID, path="/webhooks/viber/second").status_code == 401
    assert post(bot, SAID, key="other", path="/webhooks/viber/second").status_code == 200
    ((_, event),) = bot.kept()
    assert event["source"] == "second"


@pytest.mark.parametrize("body", [b"", b"{", b'{"event": "something_new", "timestamp": 1}', b"[" * 50_000, b"\xff"])
def test_what_cannot_be_read_is_a_dead_letter_with_its_bytes(bot: Site, body: bytes) -> None:
    assert post(bot, body).status_code == 200
    ((reason, raw),) = bot.letters()
    assert reason in ("bad_json", "bad_value")
    assert raw == body


def test_one_bad_part_of_a_batch_is_refused_as_a_request_of_its_own(site: Site) -> None:
    site.add("page", channels=("facebook",), secrets={"messenger": secret(site, "meta", "app")})
    good = {"sender": {"id": "1"}, "recipient": {"id": "2"}, "timestamp": 1_771_236_000_000,
            "message": {"mid": "m_1", "text": "hello"}}
    bad = {**good, "message": {"mid": 7}}
    body = json.dumps({"object": "page", "entry": [{"id": "2", "messaging": [good, bad, "x"]}]}).encode()
    headers = {"X-Hub-Signature-256": f"sha256={hmac.new(b'app', body, hashlib.sha256).hexdigest()}"}
    assert site.client.post("/webhooks/messenger/page", content=body, headers=headers).status_code == 200
    letters = [(reason, json.loads(raw or b"")) for reason, raw in site.letters()]
    assert letters == [
        ("bad_value", {"object": "page", "entry": [{"id": "2", "messaging": [part]}]}) for part in (bad, "x")
    ]
    assert [record.get("source") for _, record in site.kept()] == ["page", *["collector:page as messenger"] * 2]


def test_a_fault_in_a_connector_keeps_the_bytes(bot: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(SYSTEMS, "viber", SYSTEMS["viber"].__class__("viber", "", (), SYSTEMS["viber"].verify, fails))
    assert post(bot, SAID).status_code == 200
    ((reason, raw),) = bot.letters()
    assert (reason, raw) == ("bad_value", json.dumps(SAID).encode())


def test_a_handshake_is_answered(site: Site) -> None:
    site.add("wa", channels=("whatsapp",), secrets={
        "whatsapp": secret(site, "meta", "app"), "whatsapp_verify": secret(site, "verify", "agreed"),
    })
    asked = "/webhooks/whatsapp/wa?hub.mode=subscribe&hub.challenge=42&hub.verify_token="
    answer = site.client.get(f"{asked}agreed")
    assert (answer.status_code, answer.text) == (200, "42")
    assert site.client.get(f"{asked}guess").status_code == 401
    assert site.kept() == []


def test_twilio_is_answered_with_empty_twiml_at_the_address_it_calls(site: Site) -> None:
    twilio = SYSTEMS["twilio"]
    site.add("sms", channels=("sms",), secrets={
        "twilio": secret(site, "twilio", "12345"), "twilio_url": secret(site, "url", "https://public.example.com/sms"),
    })
    form = "MessageSid=SM1&SmsStatus=received&Body=Hi&From=%2B14158675310&To=%2B18005551212"
    fields = [("MessageSid", "SM1"), ("SmsStatus", "received"), ("Body", "Hi"), ("From", "+14158675310"),
              ("To", "+18005551212")]
    for url in ("https://public.example.com/sms?a=1", "https://public.example.com:443/sms?a=1"):
        answer = site.client.post("/webhooks/twilio/sms?a=1", content=form, headers={
            "X-Twilio-Signature": signature(url, fields, "12345"), "Content-Type": "application/x-www-form-urlencoded",
        })
        assert (answer.status_code, answer.content) == (200, twilio.answer.body)
        assert answer.headers["content-type"].startswith("text/xml")
    assert [topic for topic, _ in site.kept()] == ["events.sms"] * 2


def test_a_key_taken_back_closes_the_address(bot: Site) -> None:
    for key in bot.collector.keys.of_source("bot"):
        keys.drop(bot.home, key.id)
    bot.collector.keys.look_again()
    assert post(bot, SAID).status_code == 404
