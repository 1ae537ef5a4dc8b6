"""The languages that the sandbox runs, one file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.languages import (
    bash,
    c,
    cpp,
    csharp,
    go,
    java,
    javascript,
    php,
    python,
    ruby,
    rust,
    typescript,
)
from sandbox.languages.base import Language, ToolchainMissing
from sandbox.languages.python import Packages

# Name, and what finds its toolchain or raises ToolchainMissing.
FINDERS: dict[str, Callable[[], Language]] = {
    "python": python.find,
    "cpp": lambda: cpp.find("cpp"),
    "cpp17": lambda: cpp.find("cpp17"),
    "c": c.find,
    "java": java.find,
    "javascript": javascript.find,
    "typescript": typescript.find,
    "csharp": csharp.find,
    "php": php.find,
    "bash": bash.find,
    "go": go.find,
    "rust": rust.find,
    "ruby": ruby.find,
}
NAMES = tuple(FINDERS)


@dataclass(frozen=True, slots=True)
class Toolchains:
    """What was found on this host."""

    found: dict[str, Language]
    # Language to what it lacks.
    missing: dict[str, str]
    packages: Packages

    def without_proc(self) -> Toolchains:
        """Those that start where /proc is hidden."""
        missing = {
            name: "it does not start without /proc, which this tier hides"
            for name, language in self.found.items()
            if language.needs_proc
        }
        found = {name: one for name, one in self.found.items() if name not in missing}
        return Toolchains(found, self.missing | missing, self.packages)

    @property
    def shown(self) -> tuple[str, ...]:
        """What programs of any of the languages need to see."""
        paths = (path for language in self.found.values() for path in language.shown)
        return tuple(dict.fromkeys(paths))


def find_toolchains() -> Toolchains:
    """Looks for all of them; asks each compiler for its version, so it takes a second or two."""
    found: dict[str, Language] = {}
    missing: dict[str, str] = {}
    for name, find in FINDERS.items():
        try:
            found[name] = find()
        except ToolchainMissing as error:
            missing[name] = str(error)
    return Toolchains(found, missing, python.find_packages())


__all__ = ["FINDERS", "NAMES", "Language", "Toolchains", "find_toolchains"]
