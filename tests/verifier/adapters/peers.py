"""Environments of trainers' packages that are light enough to be tested with, in build/peers.

    python -m tests.verifier.adapters.peers [NAME ...]

makes those that are not there. `trl`, with torch and transformers, is made only by name; it is the
environment of the benchmark beside TRL too.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PEERS = {
    "skyrl": "skyrl-gym==0.4.0",
    "verifiers": "verifiers==0.4.0",
    "verifiers-rubric": "verifiers==0.1.14",
}


def python_of(name: str) -> Path:
    """The interpreter of an environment, whether it is there or not."""
    return ROOT / "build" / "peers" / name / "bin" / "python"


def ready(name: str) -> bool:
    """Whether it has been made to the end."""
    return (python_of(name).parents[1] / ".installed").exists()


def make(name: str) -> None:
    """Makes an environment. Raises CalledProcessError."""
    python = python_of(name)
    subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, PEERS[name], "grpcio>=1.62,<2", "protobuf>=4.25,<8"], check=True)
    (python.parents[1] / ".installed").touch()


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PEERS:
        if wanted == "trl":
            from tests.bench.training import peer_python

            if peer_python() is None:
                sys.exit("trl: cannot be had; the reason is above")
        elif not ready(wanted):
            make(wanted)
