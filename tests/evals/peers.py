"""Environments of the harnesses that our adapters and importers are for, in build/.

    python -m tests.evals.peers [NAME ...]

makes those that are not there. A case is a module that one of their interpreters runs; it prints
one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENT = ("grpcio>=1.62,<2", "protobuf>=4.25,<8")
PEERS = {
    "inspect": ("inspect-ai==0.3.285", *CLIENT),
    "lm-eval": ("lm-eval==0.4.13", *CLIENT),
    # It hashes texts as they are, which xxhash 4 refuses.
    "lighteval": ("lighteval==0.13.0", "xxhash<4", *CLIENT),
}
SECONDS_AT_MOST = 600.0


def python_of(name: str) -> Path:
    """The interpreter of a harness's environment, whether it is there or not."""
    return ROOT / "build" / "peers" / name / "bin" / "python"


def installed(name: str) -> bool:
    """Whether its environment has the harness's package."""
    python, module = python_of(name), PEERS[name][0].partition("==")[0].replace("-", "_")
    if not python.exists():
        return False
    command = [
        str(python),
        "-c",
        f"import importlib.util as u, sys; sys.exit(not u.find_spec('{module}'))",
    ]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def make(name: str) -> None:
    """Makes an environment. Raises CalledProcessError."""
    python = python_of(name)
    home = python.parents[1]
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)


def run(name: str, module: str, *arguments: str) -> dict[str, Any]:
    """What a case printed last."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
    }
    done = subprocess.run(
        [str(python_of(name)), "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_AT_MOST,
    )
    assert done.returncode == 0, f"{module}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


if __name__ == "__main__":
    for peer in sys.argv[1:] or PEERS:
        if not installed(peer):
            make(peer)
