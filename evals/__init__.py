"""Benchmarks: generate, score through the verification service, report."""

from importlib.metadata import version

VERSION = version("touchstone-rl")
