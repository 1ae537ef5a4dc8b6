"""TypeScript: types stripped by a warm esbuild, run by node as JavaScript.

Both are Debian's: esbuild (MIT) strips, node-typescript (Apache 2.0) checks types where a request
asks for it. The check is that of `tsc` without a tsconfig.json (not strict) for ES2022 and
CommonJS, with decorators; of node's modules it knows the shapes in tools/node.d.ts.
"""

from __future__ import annotations

import os
from glob import glob

from sandbox.languages import built, javascript
from sandbox.languages.base import (
    Language,
    ToolchainMissing,
    WarmCompiler,
    locate,
    version_of,
)

TRANSPILER = "transpile.js"
# Where Debian and npm put modules; the first that exists.
ESBUILD = ("/usr/lib/*/nodejs/esbuild", "/usr/share/nodejs/esbuild")
TYPESCRIPT = ("/usr/share/nodejs/typescript/lib/typescript.js",)
# The threads of node and of esbuild.
THREADS = 32


def find() -> Language:
    """Raises ToolchainMissing."""
    node = javascript.interpreter()
    esbuild = locate("esbuild", "esbuild")
    module = _first(ESBUILD)
    if module is None:
        raise ToolchainMissing("the module esbuild is not installed (Debian package esbuild)")
    shown = built.tools()
    words = (node, javascript.OPENSSL, f"{shown}/{TRANSPILER}", module, esbuild)
    checker = _first(TYPESCRIPT)
    runtime = version_of(node, "--version").removeprefix("v")
    return Language(
        name="typescript",
        toolchain=f"esbuild {version_of(esbuild, '--version')}, node {runtime}",
        source_name="main.ts",
        artifact_name="main.js",
        compile=WarmCompiler(words, (shown,)),
        type_check=WarmCompiler((*words, checker), (shown,)) if checker else None,
        run=javascript.command(node),
        processes=THREADS,
        memory_bytes=javascript.MEMORY_BYTES,
    )


def _first(patterns: tuple[str, ...]) -> str | None:
    found = [path for pattern in patterns for path in sorted(glob(pattern))]
    return next((path for path in found if os.path.exists(path)), None)
