"""Coverage-guided fuzzing of all that lies between a response and its verdict.

    make fuzz SECONDS=300

Starts from `corpus/`, adds inputs that reach new code to it, and writes an input that
breaks an invariant to the current folder as `crash-...`.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["verifier.math"]):
    from tests.fuzz.answers import one_input

SLACK = 10.0
"""Instrumented code is slower."""

CORPUS = Path(__file__).parent / "corpus"

atheris.Setup(
    [sys.argv[0], *sys.argv[1:], "-max_len=300", str(CORPUS)],
    lambda data: one_input(data, SLACK),
)
atheris.Fuzz()
