"""The verification service as benchmarks ask it: behind training, where both share one."""

from __future__ import annotations

from evals.benchmark import BenchmarkError
from verifier.client import AsyncVerifierClient, VerifierClient

PROGRAM = "touchstone-eval"


def connect(address: str) -> AsyncVerifierClient:
    """Under asyncio. Token, TLS and the client's own name are the environment's to say
    (verifier/client/reach.py). Raises BenchmarkError for what will not do."""
    try:
        return AsyncVerifierClient(address, program=PROGRAM, priority="low")
    except ValueError as error:
        raise BenchmarkError(f"the verification server (--verifier): {error}") from error


def connect_blocking(address: str) -> VerifierClient:
    """The same for threads. Raises ValueError for what will not do."""
    return VerifierClient(address, program=PROGRAM, priority="low")
