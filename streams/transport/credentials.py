"""What Faust's own client needs to speak to the brokers as `streams.connections` says."""

from faust.auth import Credentials, SASLCredentials, SSLCredentials

from streams.connections import Connections, tls_context


def credentials() -> Credentials | None:
    """For the setting `broker_credentials`; None for plaintext.

    Errors: as `Connections.from_environ`; OneThreadError where a certificate is no PEM.
    """
    kafka = Connections.from_environ().kafka
    context = tls_context(kafka.login.ca, kafka.cert, kafka.key) if kafka.uses_tls else None
    if kafka.uses_sasl:
        return SASLCredentials(
            username=kafka.login.user, password=kafka.login.password.get_secret_value(), ssl_context=context,
            mechanism=kafka.mechanism,
        )
    return SSLCredentials(context) if context else None
