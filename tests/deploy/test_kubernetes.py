"""The Kubernetes manifests against the schemas of real versions, and against the commands and
names of this project."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from sandbox import container
from tests.deploy.commands import options, protected

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
OLDEST = "1.31"
"""preStop.sleep, sidecars and AppArmor as fields are all on by default from here on."""

Manifests = dict[str, dict[str, Any]]


def by_kind(text: str) -> Manifests:
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def base() -> Manifests:
    (resource,) = yaml.safe_load((FOLDER / "base/kustomization.yaml").read_text())["resources"]
    return by_kind((FOLDER / "base" / resource).read_text())


@pytest.fixture(scope="module")
def tls() -> Manifests:
    """The overlay, put together by kustomize."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl, whose kustomize puts the overlay together")
    command = [kubectl, "kustomize", str(FOLDER / "tls")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return by_kind(answer.stdout)


def pod(manifests: Manifests) -> dict[str, Any]:
    found: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return found


def containers(manifests: Manifests) -> dict[str, dict[str, Any]]:
    both = pod(manifests)["initContainers"] + pod(manifests)["containers"]
    return {one["name"]: one for one in both}


def command(one: dict[str, Any]) -> list[str]:
    return [*one.get("command", ["touchstone"]), *one["args"]]


@pytest.mark.parametrize("which", ["base", "tls"])
@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_valid(which: str, version: str, request: pytest.FixtureRequest) -> None:
    manifests: Manifests = request.getfixturevalue(which)
    assert manifests.keys() == {
        "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler",
    }  # fmt: skip
    for one in manifests.values():
        kubernetes_validate.validate(one, version, strict=True)


def test_a_wrong_field_is_noticed(base: Manifests) -> None:
    wrong = {**base["Service"], "spec": {**base["Service"]["spec"], "clusterIp": "None"}}
    with pytest.raises(kubernetes_validate.ValidationError, match="clusterIp"):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)


@pytest.mark.parametrize("which", ["base", "tls"])
def test_our_commands_take_what_they_are_told(which: str, request: pytest.FixtureRequest) -> None:
    manifests: Manifests = request.getfixturevalue(which)
    found = containers(manifests)
    for name, one in found.items():
        assert protected(options(command(one))), name
    verifier, sandbox = (options(command(found[name])) for name in ("verifier", "sandbox"))
    assert verifier["sandbox"] == sandbox["listen"]
    # A whole core for each slot.
    assert sandbox["slots"] == int(found["sandbox"]["resources"]["requests"]["cpu"])
    ports = {port["name"]: port["containerPort"] for port in found["verifier"]["ports"]}
    assert verifier["listen"] == f"0.0.0.0:{ports['grpc']}"
    assert verifier["metrics_port"] == ports["metrics"]


def probe_of(one: dict[str, Any], kind: str) -> tuple[str, str]:
    """Port and health service that a probe asks."""
    probe = one[f"{kind}Probe"]
    assert ("grpc" in probe) != ("exec" in probe)
    if "grpc" in probe:
        return str(probe["grpc"]["port"]), probe["grpc"].get("service", "")
    asked = options(probe["exec"]["command"])
    assert asked["timeout"] < probe["timeoutSeconds"]
    return asked["address"].rpartition(":")[2], asked["service"]


@pytest.mark.parametrize("which", ["base", "tls"])
def test_alive_apart_from_ready(which: str, request: pytest.FixtureRequest) -> None:
    found = containers(request.getfixturevalue(which))
    for kind, service in {"startup": "liveness", "liveness": "liveness", "readiness": ""}.items():
        assert probe_of(found["verifier"], kind) == ("50051", service)
    for kind in ("startup", "liveness"):
        assert probe_of(found["sandbox"], kind) == ("7711", "")


@pytest.mark.parametrize("which", ["base", "tls"])
def test_shut_in(which: str, request: pytest.FixtureRequest) -> None:
    manifests: Manifests = request.getfixturevalue(which)
    assert not pod(manifests)["automountServiceAccountToken"]
    for name, one in containers(manifests).items():
        shut = one["securityContext"]
        assert shut["readOnlyRootFilesystem"], name
        assert not shut["allowPrivilegeEscalation"], name
        assert not shut.get("privileged"), name
        assert shut["capabilities"]["drop"] == ["ALL"], name
        assert "memory" in one["resources"]["limits"], name
        assert {"cpu", "memory"} <= one["resources"]["requests"].keys(), name
    verifier, sandbox = (
        containers(manifests)[name]["securityContext"] for name in ("verifier", "sandbox")
    )
    assert verifier["runAsNonRoot"]
    assert verifier["runAsUser"] == 65534
    assert "add" not in verifier["capabilities"]
    assert tuple(sandbox["capabilities"]["add"]) == container.CAPABILITIES
    assert sandbox["seccompProfile"]["type"] == "Localhost"


def test_everything_is_about_the_same_pods(base: Manifests) -> None:
    template = base["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    selectors = [
        base["Deployment"]["spec"]["selector"]["matchLabels"],
        base["Service"]["spec"]["selector"],
        base["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        base["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(one.items() <= labels.items() for one in selectors)
    target = base["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (
        "Deployment",
        base["Deployment"]["metadata"]["name"],
    )
    named = {port["name"] for port in containers(base)["verifier"]["ports"]}
    assert {port["targetPort"] for port in base["Service"]["spec"]["ports"]} <= named
    allowed = [
        p["port"] for rule in base["NetworkPolicy"]["spec"]["ingress"] for p in rule["ports"]
    ]
    assert set(allowed) == named


def test_time_to_drain(base: Manifests) -> None:
    """The kubelet kills only after the pause before SIGTERM and the server's own grace."""
    verifier = containers(base)["verifier"]
    pause = verifier["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = options(command(verifier))["grace"]
    assert pod(base)["terminationGracePeriodSeconds"] >= pause + grace + 5


def test_tls_mounts_what_it_names(tls: Manifests) -> None:
    verifier = containers(tls)["verifier"]
    mounts = {Path(one["mountPath"]): one["name"] for one in verifier["volumeMounts"]}
    volumes = {one["name"]: one for one in pod(tls)["volumes"]}
    serve = options(command(verifier))
    for name in ("tls_cert", "tls_key", "tokens"):
        assert "secret" in volumes[mounts[Path(serve[name]).parent]], name
    assert not {one.partition("=")[0] for one in verifier["args"]} & {"--tls-client-ca"}
