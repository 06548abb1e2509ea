"""How we reach Kafka, the schema registry, ClickHouse and our own HTTP pages: protocol, authorities, users, passwords.

Rules kept: addresses are told by whoever calls, everything else is said here, once, from the environment; what the
environment does not say comes from the file that a secured local stack writes for each of its components. A secret is
a SecretStr, comes from a variable or a file, and is in no argument of a process, no log and no error. No other module
names `bootstrap.servers`.

| variable (each begins with ONETHREAD_) | meaning |
|---|---|
| KAFKA_SECURITY | plaintext (default), ssl, sasl_plaintext, sasl_ssl |
| KAFKA_CA, KAFKA_CERT, KAFKA_KEY | PEM files: who signs the brokers' certificates; our own certificate and its key |
| KAFKA_MECHANISM | SCRAM-SHA-512 (default), SCRAM-SHA-256, PLAIN |
| KAFKA_USER, KAFKA_PASSWORD or KAFKA_PASSWORD_FILE | whom we are to the brokers |
| REGISTRY_USER, REGISTRY_PASSWORD or _FILE, REGISTRY_CA | Basic authentication, and who signs its certificate |
| CLICKHOUSE_USER, CLICKHOUSE_PASSWORD or _FILE, CLICKHOUSE_CA | the same for ClickHouse |
| COLLECTOR_CA | who signs the collector's certificate |
| TLS_CERT, TLS_KEY | PEM files with which our own servers, collector and gateway, answer by HTTPS |
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from streams.errors import OneThreadError, UsageError

PROTOCOLS = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SERVICES = ("KAFKA", "REGISTRY", "CLICKHOUSE", "COLLECTOR")

COMPONENT = "ONETHREAD_COMPONENT"
"""Which component a process of a local stack is; the commands are the operator."""
FOLDER = "security"
"""Of the home of a secured local stack."""


@dataclass(frozen=True)
class Login:
    """Who we are to one service, and whose signature on its certificate we take. Empty: nothing of the kind."""

    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    ca: str = ""

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password as HTTP clients take them."""
        return (self.user, self.password.get_secret_value()) if self.user else None

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """What an HTTP client checks certificates with: the given authority alone, else the system's."""
        return tls_context(self.ca) if self.ca else True

    def verify_at(self, url: str) -> ssl.SSLContext | bool:
        """The same for one address: nothing without TLS. To read the system's authorities takes 30 ms, at each poll."""
        return self.verify if url.startswith("https:") else False


NOBODY = Login()


@dataclass(frozen=True)
class Kafka:
    """How brokers are spoken to."""

    protocol: str = "plaintext"
    mechanism: str = MECHANISMS[0]
    login: Login = NOBODY
    cert: str = ""
    key: str = ""

    @property
    def uses_tls(self) -> bool:
        return self.protocol.endswith("ssl")

    @property
    def uses_sasl(self) -> bool:
        return self.protocol.startswith("sasl")


@dataclass(frozen=True)
class Connections:
    """Everything of the table above."""

    kafka: Kafka = Kafka()
    registry: Login = NOBODY
    clickhouse: Login = NOBODY
    collector: Login = NOBODY

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Connections":
        """What the environment says, over what the home's own stack says.

        Errors: UsageError naming the variable, what was expected and, unless it is a secret, what came.
        """
        told = _told(os.environ if environ is None else environ)
        kafka = Kafka(
            _one_of(told, "KAFKA_SECURITY", PROTOCOLS), _one_of(told, "KAFKA_MECHANISM", MECHANISMS),
            _login(told, "KAFKA"), _file(told, "KAFKA_CERT"), _file(told, "KAFKA_KEY"),
        )
        if kafka.uses_sasl and not (kafka.login.user and kafka.login.password.get_secret_value()):
            raise UsageError(f"ONETHREAD_KAFKA_SECURITY is {kafka.protocol}: expected ONETHREAD_KAFKA_USER and "
                             "ONETHREAD_KAFKA_PASSWORD, or ONETHREAD_KAFKA_PASSWORD_FILE; one of them is not set")
        return cls(kafka, _login(told, "REGISTRY"), _login(told, "CLICKHOUSE"), Login(ca=_file(told, "COLLECTOR_CA")))


def kafka_config(bootstrap: str) -> dict[str, Any]:
    """What a librdkafka client is told first: where the brokers are and how they are spoken to."""
    found = Connections.from_environ().kafka
    told: dict[str, Any] = {"bootstrap.servers": bootstrap}
    if found.protocol != "plaintext":
        told["security.protocol"] = found.protocol
    if found.uses_tls:
        files = {"ssl.ca.location": found.login.ca, "ssl.certificate.location": found.cert,
                 "ssl.key.location": found.key}
        told.update({name: file for name, file in files.items() if file})
    if found.uses_sasl:
        told.update({"sasl.mechanism": found.mechanism, "sasl.username": found.login.user,
                     "sasl.password": found.login.password.get_secret_value()})
    return told


def registry() -> Login:
    return Connections.from_environ().registry


def clickhouse() -> Login:
    return Connections.from_environ().clickhouse


def collector() -> Login:
    return Connections.from_environ().collector


def serving(environ: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """Certificate and key of our own HTTP servers; None where they speak without TLS.

    Errors: UsageError where one of the two is not told, or is no file.
    """
    told = os.environ if environ is None else environ
    cert, key = _file(told, "TLS_CERT"), _file(told, "TLS_KEY")
    if bool(cert) != bool(key):
        raise UsageError("ONETHREAD_TLS_CERT and ONETHREAD_TLS_KEY: expected both, or neither")
    return (cert, key) if cert else None


def secret(environ: Mapping[str, str], name: str) -> SecretStr:
    """The secret of the variable `name`, else of the file that `name`_FILE names, else empty.

    Errors: UsageError where both are set; OneThreadError where the file cannot be read. Neither shows the secret.
    """
    text, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if text and file:
        raise UsageError(f"{name} and {name}_FILE are both set: expected one of them")
    if not file:
        return SecretStr(text)
    try:
        return SecretStr(Path(file).read_text().strip())
    except OSError as error:
        raise OneThreadError(f"{name}_FILE: {file} cannot be read ({error.strerror})") from None


def without_password(name: str, url: str) -> str:
    """The address as it came. Errors: UsageError where it carries a password, which every message would show."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UsageError(f"ONETHREAD_{name}: expected an address without user and password: they belong into "
                         f"ONETHREAD_{name}_USER and ONETHREAD_{name}_PASSWORD (or …_PASSWORD_FILE)")
    return url


def _told(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment over the home's file. Of a service that is not the home's own, the file says nothing."""
    home = Path(environ.get("ONETHREAD_HOME") or ".onethread")
    path = home / FOLDER / f"{environ.get(COMPONENT) or 'operator'}.env"
    if not path.exists():
        return environ
    lines = dict(line.split("=", 1) for line in path.read_text().splitlines())
    for service in SERVICES:
        if environ.get(f"ONETHREAD_{service}") or environ.get(f"ONETHREAD_{service}_USER"):
            lines = {name: value for name, value in lines.items() if not name.startswith(f"ONETHREAD_{service}_")}
    return {**lines, **environ}


def _login(told: Mapping[str, str], service: str) -> Login:
    return Login(told.get(f"ONETHREAD_{service}_USER", ""), secret(told, f"ONETHREAD_{service}_PASSWORD"),
                 _file(told, f"{service}_CA"))


def _one_of(told: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    value = told.get(f"ONETHREAD_{name}") or values[0]
    if value not in values:
        raise UsageError(f"ONETHREAD_{name}: expected one of {', '.join(values)}; came {value!r}")
    return value


def _file(told: Mapping[str, str], name: str) -> str:
    path = told.get(f"ONETHREAD_{name}", "")
    if path and not Path(path).is_file():
        raise UsageError(f"ONETHREAD_{name}: no such file: {path}")
    return path


@cache
def tls_context(ca: str, cert: str = "", key: str = "") -> ssl.SSLContext:
    """One for all connections: to make it reads files. Errors: OneThreadError where a file is no PEM."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
        if cert:
            context.load_cert_chain(cert, key or None)
    except ssl.SSLError as error:
        raise OneThreadError(f"expected certificates in PEM in {ca} {cert} {key}: {error.reason}") from None
    return context
