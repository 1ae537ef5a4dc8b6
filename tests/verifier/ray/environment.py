"""An environment with Ray, in build/peers/ray: it is too large for the one that tests have.

    python -m tests.verifier.ray.environment

makes it if it is not there (700 MB, a minute or two).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / "build" / "peers" / "ray" / "bin" / "python"
INSTALLED = PYTHON.parents[1] / ".installed"


def ready() -> bool:
    """Whether it has been made to the end."""
    return INSTALLED.exists()


def make() -> None:
    """Makes the environment. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "venv", PYTHON.parents[1]], check=True)
    install = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", ROOT / "constraints.txt", "-e", f"{ROOT}[ray]"], check=True)
    INSTALLED.touch()


if __name__ == "__main__" and not ready():
    make()
