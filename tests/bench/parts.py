"""The parts of the benchmark by name."""

from __future__ import annotations

import importlib

from rich.console import Console

DEFAULT = ("mathematics", "service", "programs", "sandbox", "text")
SERVICE = ("noop", "storm", "overload", "beside", "bad_requests", "chaos")
"""The service under load and faults, for a machine on which nothing else runs."""
PARTS = (*DEFAULT, *SERVICE, "docker", "training", "layouts", "engines", "evals")


def run(part: str) -> dict[str, float]:
    """Prints the part's table and returns its figures."""
    module = importlib.import_module(f"tests.bench.{part}")
    figures: dict[str, float] = module.main(Console(width=120))
    return figures
