"""The parts of the benchmark by name."""

from __future__ import annotations

import importlib

from rich.console import Console

DEFAULT = ("mathematics", "service", "programs", "sandbox", "text")
PARTS = (*DEFAULT, "docker", "training", "layouts", "engines", "evals")


def run(part: str) -> dict[str, float]:
    """Prints the part's table and returns its figures."""
    module = importlib.import_module(f"tests.bench.{part}")
    figures: dict[str, float] = module.main(Console(width=120))
    return figures
