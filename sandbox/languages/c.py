"""C: gcc, as GNU C17; optimised and linked as C++ is."""

from __future__ import annotations

from sandbox.languages.base import Language, locate
from sandbox.languages.cpp import FLAGS, compile_command, link_flags, release


def find() -> Language:
    """Raises ToolchainMissing."""
    compiler = locate("gcc", "gcc")
    flags = ("-std=gnu17", *FLAGS, *link_flags())
    return Language(
        name="c",
        toolchain=f"gcc {release(compiler)}, gnu17",
        source_name="main.c",
        artifact_name="main",
        compile=compile_command(compiler, "main.c", *flags),
        run=("/box/main",),
    )
