"""The commands of docs/security.md, run as they stand there, make a server that a client can use."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import grpc
import httpx2
import pytest

from tests.verifier.security.support import bearer, serving, verify
from verifier.security import tokens

PAGE = (Path(__file__).parents[3] / "docs/security.md").read_text()
LINES = re.findall(r"^\$ (.*)", PAGE, re.MULTILINE)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_they_lead_to_a_server_and_a_client(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made = [line for line in LINES if line.startswith(("openssl ", "touchstone token "))]
    assert len(made) == 4
    for line in made:
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60)  # fmt: skip
        assert done.returncode == 0, done.stderr
    (served,) = (line for line in LINES if "--tls-client-ca" in line)
    options = re.findall(r"(--t\S+) (\S+)", served)
    assert {name for name, _ in options} == {
        "--tls-cert",
        "--tls-key",
        "--tls-client-ca",
        "--tokens",
    }
    arguments = [part for name, file in options for part in (name, str(tmp_path / file))]
    token = (tmp_path / "trainer.token").read_text().strip()
    files = {
        name: (tmp_path / name).read_bytes() for name in ("ca.pem", "client.key", "client.pem")
    }
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    context.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    with serving(tmp_path / "log", *arguments) as server:
        with grpc.secure_channel(
            server.address, grpc.ssl_channel_credentials(*files.values())
        ) as channel:
            assert verify(channel, bearer(token)).reward == 1.0
        with httpx2.Client(verify=context, headers=dict(bearer(token))) as http:
            at = server.url.replace("127.0.0.1", "localhost")
            assert http.get(at + "/v1/describe").status_code == 200


def test_the_file_shown_is_one() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert [grant.name for grant in tokens.parse(shown).grants] == ["trainer"]
    for key in tokens.KEYS:
        assert re.search(rf"^{key} = ", shown, re.MULTILINE)
        assert f"| `{key}` |" in PAGE
