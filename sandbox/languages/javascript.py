"""JavaScript: node, the program as a CommonJS module (`require`).

node 20.19 and later also take a program with `import` statements or top-level await, as a module.
"""

from __future__ import annotations

from sandbox.languages.base import Language, locate, version_of

# KiB of stack that programs may use for recursion: some 2 million calls deep, where node's own
# default allows 11,000. It must lie within the first thread's stack (256 MiB unless the request
# says otherwise), with room for what native code takes at the deepest point.
STACK_KIB = 240_000
# The workers of V8 and libuv.
THREADS = 16
# An empty program takes 40 MiB.
MEMORY_BYTES = 64 << 20


# Where its default may not be read, node does not start.
OPENSSL = "--openssl-config=/dev/null"


def interpreter() -> str:
    """The path of node; raises ToolchainMissing."""
    return locate("node", "nodejs")


def command(node: str) -> tuple[str, ...]:
    """What runs /box/main.js."""
    return (node, OPENSSL, f"--stack-size={STACK_KIB}", "/box/main.js")


def find() -> Language:
    """Raises ToolchainMissing."""
    node = interpreter()
    return Language(
        name="javascript",
        toolchain=f"node {version_of(node, '--version').removeprefix('v')}",
        source_name="main.js",
        run=command(node),
        processes=THREADS,
        memory_bytes=MEMORY_BYTES,
    )
