"""Compose, image and Kubernetes files: valid by their schemas, and agreeing with the code that they start."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml

from deploy.local import versions
from deploy.local.ports import Addresses
from deploy.prometheus import kubernetes
from sinks.clickhouse.cluster import PROFILE
from streams.settings import Settings, load
from tests.unit.deploy.manifests import CHECKOUT, KUBERNETES, compose, documents, environ, pods, services
from tests.unit.deploy.promql import FILES

RELEASE = "1.31"
OTHERS = {"Kustomization", "PodMonitor", "PrometheusRule", "Kafka", "KafkaNodePool", "ClickHouseInstallation",
          "ClickHouseKeeperInstallation"}
"""Kinds whose schemas come with their operators; of them only YAML is checked."""
OURS = ("prepare", "worker-0", "worker-1", "worker-2", "collector", "exporter", "refitter")
PARTS = {("production", "worker.yaml"), ("production", "collector.yaml"), ("production", "adapter.yaml")}
"""Patches, which are whole once they are built, and the values of another's chart."""
ROOTLESS_BY_IMAGE = {"kafka-1", "kafka-2", "kafka-3", "registry"}
"""Their images say themselves as whom they run; it is not root."""
NOT_SETTINGS = {"HOME", "BIND", "WORKER", "WORKER_PORT", "WORKERS", "KAFKA", "REGISTRY", "CLICKHOUSE", "COLLECTOR",
                "CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD_FILE", "PEPPER_FILE"}


def test_compose_is_valid_by_its_specification() -> None:
    spec = compose_spec.PyCompose.from_yaml(yaml.safe_dump(compose()))
    spec.validate()
    assert set(spec.service_names()) == services().keys()


@pytest.mark.parametrize("folder", ["base", "services", "production"])
def test_kubernetes_documents_are_valid_by_their_schemas(folder: str) -> None:
    for file, document in documents(folder):
        if (folder, file) not in PARTS and document["kind"] not in OTHERS:
            kubernetes_validate.validate(document, RELEASE, strict=True)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl here")
@pytest.mark.parametrize("overlay", ["small", "production"])
def test_overlays_build_and_are_valid(overlay: str) -> None:
    built = subprocess.run(["kubectl", "kustomize", str(KUBERNETES / overlay)], capture_output=True, check=True)
    found = list(yaml.safe_load_all(built.stdout))
    for document in found:
        if document["kind"] not in OTHERS:
            kubernetes_validate.validate(document, RELEASE, strict=True)
    workers = next(d for d in found if (d["kind"], d["metadata"]["name"]) == ("StatefulSet", "onethread-worker"))
    assert workers["spec"]["replicas"] == {"small": 1, "production": 3}[overlay]
    (container,) = workers["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/onethread:0.1.0"


def test_nobody_runs_as_root_or_gains_rights() -> None:
    for name, service in services().items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["cap_drop"] == ["ALL"], name
        assert name in ROOTLESS_BY_IMAGE or not str(service["user"]).startswith(("0", "root")), name
    for name, pod in [*pods(), *pods("services")]:
        assert pod["securityContext"]["runAsNonRoot"], name
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["resources"]["limits"]["memory"], name


def test_ours_write_to_volumes_only() -> None:
    for name in OURS:
        assert services()[name]["read_only"], name
        assert any(volume.endswith(":/var/lib/onethread") for volume in services()[name]["volumes"]), name
    for name, pod in pods():
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        given = {volume["name"] for volume in pod["volumes"]} | {"home"}
        assert {"home", "secrets", "tmp"} <= mounted <= given, name


def test_ports_are_published_on_this_machine_only() -> None:
    for name, service in services().items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def test_everything_that_is_waited_for_has_a_health_check() -> None:
    for name, service in services().items():
        assert "healthcheck" in service or name == "prepare", name
        for other, wait in service.get("depends_on", {}).items():
            assert wait["condition"] == ("service_completed_successfully" if other == "prepare" else "service_healthy")
            assert other in services(), name


def test_every_image_is_pinned() -> None:
    images = [service["image"] for service in services().values()]
    images += [container["image"] for _, pod in pods("services") for container in pod["containers"]]
    assert all(re.search(r":v?\d", image) for image in images), images
    assert f"apache/kafka:{versions.KAFKA}" in images
    assert f"apicurio/apicurio-registry:{versions.REGISTRY}" in images


@pytest.mark.parametrize("where", [*OURS, "kubernetes"])
def test_the_environment_holds_what_the_code_reads(where: str, tmp_path: Path) -> None:
    """A variable that nobody reads is a typing error that nobody is told of."""
    told = _config_map() if where == "kubernetes" else environ(where)
    chosen = {name: value for name, value in told.items() if name.startswith("ONETHREAD_")}
    known = {(field.alias or name).upper() for name, field in Settings.model_fields.items()}
    assert {name.removeprefix("ONETHREAD_") for name in chosen} <= known | NOT_SETTINGS
    settings = load(tmp_path, {name: value for name, value in chosen.items() if name != "ONETHREAD_PEPPER_FILE"})
    addresses = Addresses.from_environ(chosen)
    assert (addresses.bind, addresses.worker_metrics(7)) == ("0.0.0.0", 19010)
    assert settings.partitions >= 3 * settings.brokers - 3
    assert settings.clickhouse_cluster == "onethread"


@pytest.mark.parametrize("command", [
    *(tuple(service["command"]) for name, service in services().items() if name in OURS),
    *(tuple(container["command"]) for _, pod in pods() for container in pod["containers"]),
])
def test_commands_start_modules_that_exist(command: tuple[str, ...]) -> None:
    assert command[:2] == ("python", "-m")
    assert importlib.util.find_spec(command[2])


def test_workers_differ_by_their_number_and_volume() -> None:
    numbers = {environ(f"worker-{i}")["ONETHREAD_WORKER"] for i in range(3)}
    volumes = {services()[f"worker-{i}"]["volumes"][0] for i in range(3)}
    assert numbers == {"0", "1", "2"}
    assert len(volumes) == 3


def test_probes_ask_what_answers() -> None:
    asked = {probe["httpGet"]["path"] for _, pod in pods() for container in pod["containers"]
             for name, probe in container.items() if name.endswith("Probe")}
    assert asked == {"/healthz", "/readyz"}
    for name in ("worker-0", "collector"):
        port = 19010 if name == "worker-0" else 19000
        assert f"127.0.0.1:{port}/readyz" in services()[name]["healthcheck"]["test"][-1]


def test_selectors_find_their_pods() -> None:
    labels = {json.dumps(document["spec"]["template"]["metadata"]["labels"])
              for _, document in documents("base") if document["kind"] in ("StatefulSet", "Deployment", "Job")}
    for _, document in documents("base"):
        spec = document.get("spec", {})
        if document["kind"] == "Service":
            assert json.dumps(spec["selector"]) in labels
        if document["kind"] in ("StatefulSet", "Deployment", "PodDisruptionBudget"):
            assert json.dumps(spec["selector"]["matchLabels"]) in labels


def test_workers_are_never_more_than_partitions() -> None:
    (scaler,) = (d for _, d in documents("production") if d.get("kind") == "HorizontalPodAutoscaler")
    assert scaler["spec"]["maxReplicas"] <= int(_config_map()["ONETHREAD_PARTITIONS"])


def test_the_profile_of_clickhouse_is_what_the_code_asks_for() -> None:
    users = (CHECKOUT / "deploy/clickhouse/users.d/onethread.xml").read_text()
    (operated,) = (d for _, d in documents("services") if d["kind"] == "ClickHouseInstallation")
    profiles = operated["spec"]["configuration"]["profiles"]
    for name, value in PROFILE.items():
        assert f"<{name}>{value}</{name}>" in users
        assert str(profiles[f"default/{name}"]) == value


def test_the_image_runs_as_nobody_of_the_system() -> None:
    text = (CHECKOUT / "deploy/images/Dockerfile").read_text()
    *_, final = re.split(r"^FROM ", text, flags=re.MULTILINE)
    instructions = re.findall(r"^([A-Z]+) (.*)$", final, re.MULTILINE)
    assert ("USER", "10001:10001") in instructions
    assert not re.search(r"^FROM [^:\s]+(:latest)?(\s|$)", text, re.MULTILINE)
    packages = re.search(r"include = \[(.*)\]", (CHECKOUT / "pyproject.toml").read_text())
    assert packages
    for package in re.findall(r'"(\w+)\*"', packages[1]):
        assert f"COPY {package} {package}\n" in text, package


def test_secrets_are_made_once_and_the_pepper_stays(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_text((CHECKOUT / "deploy/secrets.sh").read_text())
    texts: list[dict[str, Any]] = []
    for _ in range(2):
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        texts.append({path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()})
    assert texts[0] == texts[1]
    assert {Path(secret["file"]).name for secret in compose()["secrets"].values()} == texts[0].keys()
    assert len(texts[0]["pepper"]) == 64
    assert f"<onethread_password>{texts[0]['clickhouse-password']}<" in texts[0]["clickhouse.xml"]
    assert os.stat(tmp_path / "secrets").st_mode & 0o077 == 0


def _config_map() -> dict[str, str]:
    return next(dict(d["data"]) for _, d in documents("base") if d["kind"] == "ConfigMap")


def test_prometheus_finds_whom_it_asks_among_the_containers() -> None:
    """Without the exporter nobody would see a loss, without Alertmanager nobody would be called."""
    config = yaml.safe_load((CHECKOUT / "deploy/prometheus/prometheus.yml").read_text())
    asked = {name for job in [*config["scrape_configs"], *config["alerting"]["alertmanagers"]]
             for found in job.get("dns_sd_configs", ()) for name in found["names"]}
    aliases = {alias for service in services().values() if isinstance(service.get("networks"), dict)
               for alias in (service["networks"].get("default") or {}).get("aliases", ())}
    assert asked >= {"worker", "collector", "exporter", "alertmanager"}
    assert asked <= services().keys() | aliases


@pytest.mark.parametrize("whom", ["nobody", "webhook"])
def test_alertmanager_knows_whom_its_routes_name(whom: str) -> None:
    config = yaml.safe_load((CHECKOUT / f"deploy/alertmanager/{whom}.yml").read_text())
    routes = [config["route"], *config["route"].get("routes", ())]
    assert {route["receiver"] for route in routes} == {receiver["name"] for receiver in config["receivers"]} == {whom}
    assert f"whom={whom}" in services()["alertmanager"]["entrypoint"][-1]


def test_whom_alertmanager_calls_is_a_secret() -> None:
    config = yaml.safe_load((CHECKOUT / "deploy/alertmanager/webhook.yml").read_text())
    (hook,) = config["receivers"][0]["webhook_configs"]
    (secret,) = services()["alertmanager"]["secrets"]
    assert hook["url_file"] == f"/run/secrets/{secret}"
    assert f"[ -s /run/secrets/{secret} ]" in services()["alertmanager"]["entrypoint"][-1]


def test_the_operator_gets_the_rules_that_prometheus_reads() -> None:
    """Otherwise: make docs."""
    assert kubernetes.FILE.read_text() == kubernetes.text()
    found = {d["metadata"]["name"]: d["spec"] for f, d in documents("production") if f == kubernetes.FILE.name}
    assert found == {f"onethread-{file.stem}": yaml.safe_load(file.read_text()) for file in FILES}


def test_whoever_asks_workers_is_let_in() -> None:
    (policy,) = (d for f, d in documents("base") if f == "network.yaml" and d["metadata"]["name"] == "onethread-worker")
    (names,) = policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"]
    assert set(names["values"]) == {"onethread-collector", "onethread-exporter", "onethread-prepare"}
