"""`touchstone-eval`: the console command of a part that this version does not have."""

from __future__ import annotations

import sys


def main() -> None:
    """Says so, and fails: a script must not take silence for success."""
    sys.exit("touchstone-eval: this version of touchstone-rl has no evals")
