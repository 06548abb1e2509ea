"""Signatures: those that the systems' makers publish are good, and nothing else is."""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from connectors.incoming import Incoming
from connectors.webhooks.system import System
from connectors.webhooks.systems import SYSTEMS

BODY = '{"text": "Привіт"}'.encode()
SECRET = "a-secret"


def _hex(name: str, before: str = "") -> dict[str, str]:
    return {name: before + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()}


def _base64(name: str) -> dict[str, str]:
    return {name: base64.b64encode(hmac.new(SECRET.encode(), BODY, hashlib.sha256).digest()).decode()}


SIGNED = {
    "whatsapp": _hex("x-hub-signature-256", "sha256="),
    "messenger": _hex("x-hub-signature-256", "sha256="),
    "instagram": _hex("x-hub-signature-256", "sha256="),
    "telegram": {"x-telegram-bot-api-secret-token": SECRET},
    "viber": _hex("x-viber-content-signature"),
    "shopify": _base64("x-shopify-hmac-sha256"),
    "woocommerce": _base64("x-wc-webhook-signature"),
}
SHARED = [pytest.param(SYSTEMS[name], headers, id=name) for name, headers in SIGNED.items()]


@pytest.mark.parametrize(("system", "headers"), SHARED)
def test_the_holder_of_the_secret_is_known_and_nobody_else(system: System, headers: dict[str, str]) -> None:
    assert system.verify(Incoming(BODY, headers), SECRET)
    assert not system.verify(Incoming(BODY, headers), SECRET + "x")
    assert not system.verify(Incoming(BODY, {}), SECRET)
    assert not system.verify(Incoming(BODY, {name: value[:-2] for name, value in headers.items()}), SECRET)
    assert not system.verify(Incoming(BODY, dict.fromkeys(headers, "ключ")), SECRET)
    if system.name != "telegram":  # its token says who sends, not what
        assert not system.verify(Incoming(BODY + b" ", headers), SECRET)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))
def test_no_signature_is_never_good(system: System) -> None:
    for secret in ("", SECRET):
        assert not system.verify(Incoming(b"", {}, "https://example.com/"), secret)


TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = urlencode({
    "CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212",
    "Caller": "+14158675309",
}).encode()


@pytest.mark.parametrize(("url", "signature"), [
    (TWILIO_URL, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (TWILIO_URL.replace(".com", ".com:1234"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    (TWILIO_URL.replace(".com", ".com:1234").replace("https", "http"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    (TWILIO_URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
    (TWILIO_URL.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
])
def test_twilio_signs_the_address_with_its_port_or_without(url: str, signature: str) -> None:
    """The values that Twilio's own library is tested with."""
    twilio = SYSTEMS["twilio"]
    assert twilio.verify(Incoming(TWILIO_FORM, {"x-twilio-signature": signature}, url), "12345")
    assert not twilio.verify(Incoming(TWILIO_FORM, {"x-twilio-signature": signature}, url + "3"), "12345")
    assert not twilio.verify(Incoming(TWILIO_FORM + b"&x=", {"x-twilio-signature": signature}, url), "12345")


def test_twilio_signs_every_value_of_a_name() -> None:
    form = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
    headers = {"x-twilio-signature": "IK+Dwps556ElfBT0I3Rgjkr1wJU="}
    assert SYSTEMS["twilio"].verify(Incoming(form, headers, TWILIO_URL), "12345")


def test_twilio_signs_a_json_body_by_its_digest_in_the_address() -> None:
    body = b'{"property": "value", "boolean": true}'
    url = f"{TWILIO_URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    headers = {"x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4="}
    assert SYSTEMS["twilio"].verify(Incoming(body, headers, url), "12345")
    assert not SYSTEMS["twilio"].verify(Incoming(body + b" ", headers, url), "12345")


SENDGRID_KEY = ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaIN"
                "XvVpiglSI8eNEc6wEA3F+g==")
OTHER_KEY = ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7G"
             "jUuFDb/R1NGe1OPzpA==")
SENDGRID_SIGNED = {
    "x-twilio-email-event-webhook-signature":
        "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
    "x-twilio-email-event-webhook-timestamp": "1600112502",
}
SENDGRID_BODY = json.dumps([{
    "email": "hello@world.com", "event": "dropped", "reason": "Bounced Address",
    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
    "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>", "timestamp": 1600112492,
}], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"


def test_sendgrid_signs_time_and_body() -> None:
    """The values that SendGrid's own library is tested with."""
    verify = SYSTEMS["sendgrid"].verify
    assert verify(Incoming(SENDGRID_BODY, SENDGRID_SIGNED), SENDGRID_KEY)
    assert not verify(Incoming(SENDGRID_BODY, SENDGRID_SIGNED), OTHER_KEY)
    assert not verify(Incoming(SENDGRID_BODY.strip(), SENDGRID_SIGNED), SENDGRID_KEY)
    later = {**SENDGRID_SIGNED, "x-twilio-email-event-webhook-timestamp": "1600112503"}
    assert not verify(Incoming(SENDGRID_BODY, later), SENDGRID_KEY)
    broken = {**SENDGRID_SIGNED, "x-twilio-email-event-webhook-signature": "no base64"}
    assert not verify(Incoming(SENDGRID_BODY, broken), SENDGRID_KEY)


@pytest.mark.parametrize("key", ["no key", "", "MFkw", base64.b64encode(b"x" * 91).decode()])
def test_a_wrong_verification_key_verifies_nothing(key: str) -> None:
    assert not SYSTEMS["sendgrid"].verify(Incoming(SENDGRID_BODY, SENDGRID_SIGNED), key)


ASKED = "https://c.example.com/webhooks/whatsapp/wa?hub.mode=subscribe&hub.verify_token=agreed&hub.challenge=1158201444"


@pytest.mark.parametrize("name", ["whatsapp", "messenger", "instagram"])
def test_meta_is_answered_with_its_challenge_when_the_token_is_right(name: str) -> None:
    answer = SYSTEMS[name].handshake(Incoming(b"", {}, ASKED), "agreed")
    assert answer is not None
    assert answer.body == b"1158201444"
    for url, token in (
        (ASKED, "another"), (ASKED, ""), (ASKED.replace("agreed", ""), ""), (ASKED.replace("subscribe", "x"), "agreed"),
        (ASKED.replace("1158201444", "%3Cscript%3E"), "agreed"), ("https://c.example.com/", "agreed"),
    ):
        assert SYSTEMS[name].handshake(Incoming(b"", {}, url), token) is None


def test_woocommerces_unsigned_try_of_an_address_is_answered_and_nothing_else() -> None:
    woocommerce = SYSTEMS["woocommerce"]
    assert woocommerce.handshake(Incoming(b"webhook_id=142"), "") is not None
    for body in (b"webhook_id=142&a=1", b"webhook_id=", b"{}", b""):
        assert woocommerce.handshake(Incoming(body), "") is None
