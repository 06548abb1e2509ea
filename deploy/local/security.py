"""What a secured local stack needs in its home: an authority of its own, certificates, users with passwords.

Rules kept: everything is made at the first `up` with the setting `security`, lies in `security/`, is readable by its
owner alone, and goes with `down --wipe`; passwords have 192 random bits and are in no argument of a process. For each
component there is a file `<component>.env` with what `streams.connections` wants to be told; it names the files of
passwords, and holds none.
"""

import datetime
import ipaddress
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.acls import COMPONENTS
from deploy.local.gateway import users
from deploy.local.ports import HOST
from sinks.clickhouse.roles import OWNER
from streams import private_file
from streams.connections import FOLDER
from streams.errors import OneThreadError
from streams.settings import Settings

BROKER = "broker"
"""As whom the brokers speak to each other."""

KAFKA_NAME = "onethread-kafka"
"""On the brokers' certificate; the controllers let nobody else in."""

SERVERS = {"kafka": KAFKA_NAME, "http": "onethread-http"}
_VALID = datetime.timedelta(days=3650)
_RENEW_BEFORE = datetime.timedelta(days=30)


def prepare(home: Path, settings: Settings) -> None:
    """Make what the setting asks for. Errors: OneThreadError where the home was made with another one."""
    secured = Secured(home)
    wants, has, is_used = settings.security == "tls", secured.folder.exists(), (home / "kafka").exists()
    if is_used and wants != has:
        raise OneThreadError(
            f"setting security: {home} was made with security = {'tls' if has else 'none'!r}, and its Kafka knows "
            f"users from then on or never; came {settings.security!r}: set it back, or start in an empty home"
        )
    if wants:
        secured.make()


class Secured:
    """The files of one home."""

    def __init__(self, home: Path) -> None:
        self._home, self.folder = home, home / FOLDER

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def pem(self, server: str) -> Path:
        """A server's key with its certificate behind it, in one file, as Kafka reads it."""
        return self.folder / f"{server}.pem"

    def password(self, user: str) -> str:
        """A Kafka user's, or with the name `clickhouse` that of ClickHouse's user default."""
        return self._password_file(user).read_text().strip()

    def make(self) -> None:
        """Make what is missing, and anew what runs out within a month."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = self._authority()
        for server, name in SERVERS.items():
            if not _is_valid(self.pem(server)):
                private_file.write(self.pem(server), _issue(authority, name))
        for user in (*COMPONENTS, BROKER):
            if not self._password_file(user).exists():
                private_file.write(self._password_file(user), secrets.token_urlsafe(24).encode())
        if not self._password_file("clickhouse").exists():
            password = users.add(self._home / users.FILE, users.DEFAULT, OWNER)
            private_file.write(self._password_file("clickhouse"), password.encode())
        for component in COMPONENTS:
            private_file.write(self.folder / f"{component}.env", self._environment(component).encode())

    def _password_file(self, user: str) -> Path:
        return self.folder / f"{user}.password"

    def _environment(self, component: str) -> str:
        told = {
            "KAFKA_SECURITY": "sasl_ssl", "KAFKA_CA": self.ca, "KAFKA_USER": component,
            "KAFKA_PASSWORD_FILE": self._password_file(component), "COLLECTOR_CA": self.ca,
            "CLICKHOUSE_CA": self.ca,
        }
        if component != "reader":
            told |= {"CLICKHOUSE_USER": users.DEFAULT, "CLICKHOUSE_PASSWORD_FILE": self._password_file("clickhouse")}
        return "".join(f"ONETHREAD_{name}={value}\n" for name, value in told.items())

    def _authority(self) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key_file = self.folder / "ca.key"
        if not (key_file.exists() and self.ca.exists()):
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "onethread, this home's own authority")])
            certificate = _builder(name, name, key.public_key()).add_extension(
                x509.BasicConstraints(ca=True, path_length=0), critical=True,
            ).add_extension(_key_usage(signs_certificates=True), critical=True).sign(key, hashes.SHA256())
            private_file.write(key_file, _pem_of(key))
            private_file.write(self.ca, certificate.public_bytes(serialization.Encoding.PEM))
        loaded = serialization.load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey), f"{key_file} holds a key that we did not make"
        return loaded, x509.load_pem_x509_certificate(self.ca.read_bytes())


def _issue(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate], name: str) -> bytes:
    signer, certificate_of_signer = authority
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = _builder(subject, certificate_of_signer.subject, key.public_key()).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")]),
        critical=False,
    ).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False,
    ).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True).add_extension(
        _key_usage(signs_certificates=False), critical=True,
    ).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False,
    ).sign(signer, hashes.SHA256())
    chain = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (certificate, certificate_of_signer))
    return _pem_of(key) + chain


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    )


def _is_valid(pem: Path) -> bool:
    if not pem.exists():
        return False
    certificate = x509.load_pem_x509_certificates(pem.read_bytes())[0]
    return certificate.not_valid_after_utc > datetime.datetime.now(datetime.UTC) + _RENEW_BEFORE
