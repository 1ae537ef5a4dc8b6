"""Python: the interpreter that runs the server, without its virtual environment.

Standard library only (-I -S): no site-packages, no environment, no user site. Hash randomisation
is on, as it is for a script, so the order of a set of strings may differ between two submissions
(not between the runs of one).
"""

from __future__ import annotations

import marshal
import os
import platform
import sys
from pathlib import Path

from sandbox.languages.base import Language

# What a dynamically linked program needs; each is shown as it is on the host, link or directory.
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache")
# Reads the compiled driver, its length first, and becomes it. Compiling driver.py anew for every
# submission would take as long as starting the interpreter.
BOOT = """\
import marshal, os
size, data = int.from_bytes(os.read(3, 4), "little"), b""
while len(data) < size:
    data += os.read(3, size - len(data)) or os._exit(1)
exec(marshal.loads(data))
"""


def _prefixes() -> tuple[str, ...]:
    """The interpreter's own directories, where /usr does not hold them."""
    prefixes = {os.path.realpath(prefix) for prefix in (sys.base_prefix, sys.base_exec_prefix)}
    return tuple(sorted(p for p in prefixes if not f"{p}/".startswith("/usr/")))


def _hello() -> bytes:
    source = (Path(__file__).parent.parent / "driver.py").read_bytes()
    code = marshal.dumps(compile(source, "<driver>", "exec", dont_inherit=True, optimize=2))
    return len(code).to_bytes(4, "little") + code


def _interpreter() -> str:
    base: str = getattr(sys, "_base_executable", sys.executable)
    return os.path.realpath(base)


LANGUAGE = Language(
    name="python",
    toolchain=f"{platform.python_implementation()} {platform.python_version()}",
    argv=(_interpreter(), "-I", "-S", "-X", "utf8", "-c", BOOT),
    shown=(*(path for path in SYSTEM if os.path.lexists(path)), *_prefixes()),
    hello=_hello(),
)
