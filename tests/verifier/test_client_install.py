"""The client beside somebody else's trainer: base dependencies only, both ends of protobuf."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from verifier.embedded import EmbeddedServer

ROOT = Path(__file__).parents[2]

PROBE = """
import json, sys, time
before = set(sys.modules)
started = time.perf_counter()
from verifier.client import Item, VerifierClient, rewards
seconds = time.perf_counter() - started
loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
packages = [name for name in loaded if name not in sys.stdlib_module_names]
import google.protobuf
items = [
    Item(id="a", response=r"\\\\boxed{4}", math={"gold": ["4"]}),
    Item(id="b", response=r"\\\\boxed{5}", math={"gold": ["4"]}),
]
with VerifierClient(sys.argv[1]) as client:
    values = rewards(client.verify(items)).values
print(json.dumps({"seconds": seconds, "packages": packages, "values": values,
                  "protobuf": google.protobuf.__version__}))
"""


PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip makes of the source, once for both environments."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT)]
    subprocess.run(build, check=True, cwd=folder)
    (built,) = folder.iterdir()
    return built


@pytest.mark.parametrize("protobuf", ["protobuf==4.25.*", "protobuf<8"])
def test_client_with_base_dependencies_only(
    protobuf: str,
    wheel: Path,
    tmp_path: Path,
    server: EmbeddedServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    python = tmp_path / "env" / "bin" / "python"
    # Our own pip installs into it, and says what is there.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    pip = [*PIP, "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", wheel, protobuf], check=True, cwd=tmp_path)
    run = subprocess.run(
        [python, "-c", PROBE, server.address],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    found = json.loads(run.stdout)
    with capsys.disabled():
        print(
            f"\nimport verifier.client with protobuf {found['protobuf']}: "
            f"{1000 * found['seconds']:.0f} ms, packages {', '.join(found['packages'])}"
        )
    assert found["values"] == [1.0, 0.0]
    allowed = {"grpc", "cython_runtime", "google", "verifier", "typing_extensions"}
    assert {name for name in found["packages"] if not name.startswith("_")} <= allowed
    assert found["protobuf"].startswith("4.25." if "==" in protobuf else "7.")
    frozen = subprocess.run(
        [*pip, "freeze", "--exclude", "touchstone-rl"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = {line.split("==")[0].split(" @")[0] for line in frozen.split("\n") if line}
    assert names <= {"grpcio", "protobuf", "typing_extensions", "typing-extensions"}
