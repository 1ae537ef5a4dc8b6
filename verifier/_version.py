"""The version of the distribution, for every place that reports it."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("touchstone-rl")
