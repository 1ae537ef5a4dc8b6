"""All benchmarks by name; each file of this package has one, or a few of a kind."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from evals.benchmark import Benchmark, BenchmarkError


@cache
def registry() -> dict[str, Benchmark]:
    """Benchmarks by name, from the BENCHMARKS of every file here."""
    found: dict[str, Benchmark] = {}
    for module in pkgutil.iter_modules(__path__):
        for benchmark in importlib.import_module(f"{__name__}.{module.name}").BENCHMARKS:
            if benchmark.name in found:
                raise RuntimeError(f"two benchmarks are called {benchmark.name}")
            found[benchmark.name] = benchmark
    return dict(sorted(found.items()))


def named(name: str) -> Benchmark:
    """Raises BenchmarkError for a name that there is not."""
    if (benchmark := registry().get(name)) is None:
        raise BenchmarkError(f"--benchmarks: one of {', '.join(registry())}; got {name!r}")
    return benchmark
