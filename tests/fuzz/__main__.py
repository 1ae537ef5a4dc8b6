"""Coverage-guided fuzzing of all that lies between a response and its verdict.

    make fuzz SECONDS=300

Starts from `corpus/`; inputs that reach new code go to `build/fuzz`, and one that breaks
an invariant to the current folder as `crash-...`. To keep what was found:

    python -m tests.fuzz -set_cover_merge=1 -use_counters=0 tests/fuzz/corpus build/fuzz
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["verifier.math"]):
    from tests.fuzz.answers import one_input

SLACK = 10.0
"""Instrumented code is slower."""

CORPUS = Path(__file__).parent / "corpus"

FOUND = Path("build/fuzz")

folders = [] if any(part.startswith("-set_cover_merge") for part in sys.argv) else [FOUND, CORPUS]
FOUND.mkdir(parents=True, exist_ok=True)
atheris.Setup(
    [sys.argv[0], *sys.argv[1:], "-max_len=300", *map(str, folders)],
    lambda data: one_input(data, SLACK),
)
atheris.Fuzz()
