"""Names that function-call problems take for granted.

LeetCode-style starter code says `List[int]` and calls `heappush` without
importing anything: the site imports the standard library's usual modules
first. Only the names that a program mentions are imported here, since each
import is paid for by every submission. Builtins are never hidden (math has a
`pow` of its own). Whole programs get nothing: they are programs.
"""

from __future__ import annotations

import builtins
import importlib
import re
from functools import cache

STARRED = (
    "operator", "string", "math", "bisect", "heapq", "itertools", "functools", "collections",
    "typing",
)  # fmt: skip
"""Modules whose public names are there by themselves; a later one wins."""

MODULES = (
    "bisect", "collections", "copy", "datetime", "functools", "heapq", "itertools", "json", "math",
    "operator", "random", "re", "statistics", "string", "sys", "time", "typing",
)  # fmt: skip
"""Modules that are there by their own name."""

_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
_WITH_ATTRIBUTE = re.compile(r"(?<![\w.])([^\W\d]\w*)\s*\.")


@cache
def _origins() -> dict[str, str]:
    """The module that each name comes from."""
    origins: dict[str, str] = {}
    for module in STARRED:
        loaded = importlib.import_module(module)
        names = getattr(loaded, "__all__", None) or dir(loaded)
        origins |= {name: module for name in names if not name.startswith("_")}
    return {name: module for name, module in origins.items() if not hasattr(builtins, name)}


def for_calls(program: str) -> str:
    """The imports that a program of functions needs: text to execute before it."""
    mentioned = set(_NAME.findall(program))
    modules = mentioned.intersection(MODULES)
    # `bisect` is a module and a function of it; how it is used tells which is meant.
    modules = {name for name in modules if name not in _origins() or name in _attributed(program)}
    names = mentioned.intersection(_origins()) - modules
    lines = [f"from {_origins()[name]} import {name}" for name in sorted(names)]
    return "\n".join(lines + [f"import {name}" for name in sorted(modules)])


def _attributed(program: str) -> set[str]:
    return set(_WITH_ATTRIBUTE.findall(program))
