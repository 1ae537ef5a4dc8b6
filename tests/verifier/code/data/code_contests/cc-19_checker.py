"""Accepts the same numbers however they stand on lines: the tests' answers have them both ways."""

import sys

output, answer = (open(path).read().split() for path in sys.argv[2:4])  # noqa: SIM115
sys.exit(0 if output == answer else 1)
