"""Python: the interpreter that runs the server, without its virtual environment.

Standard library only (-I -S), but for the packages named in $TOUCHSTONE_PYTHON_PACKAGES (default:
numpy), as far as they are installed beside the server, and not below /tmp, which jails hide: a
program whose text names one is forked from a zygote of its own that has them imported. No
environment, no user site.
"""

from __future__ import annotations

import functools
import importlib.util
import marshal
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import CodeType

from sandbox.languages.base import HIDDEN, SYSTEM, Language

PACKAGES_VARIABLE = "TOUCHSTONE_PYTHON_PACKAGES"
DEFAULT_PACKAGES = "numpy"
# The zygote's own pages; a run's copies of them count as the run's.
ZYGOTE_BYTES = 16 << 20
PACKAGES_BYTES = 64 << 20
# Takes the compiled driver and its options in one packet, and becomes it: compiling driver.py for
# every zygote would take as long as starting the interpreter.
BOOT = """\
import marshal, os
code, OPTIONS = marshal.loads(os.read(3, 1 << 20))
exec(code)
"""


@dataclass(frozen=True, slots=True)
class Packages:
    """Packages that programs may import: names, the directories that hold them, and what of
    these directories is shown."""

    names: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def named_in(self, source: str) -> bool:
        return any(name in source for name in self.names)


def hello(guard: bool, rules: bool, tmp: str, packages: Packages) -> bytes:
    """The zygote's first packet.

    `guard` tells that runs have the zygote's own user, `rules` that they have Landlock rules to
    add to their own, `tmp` is where their files are.
    """
    options = {
        "guard": guard,
        "rules": rules,
        "tmp": tmp,
        "path": list(packages.path),
        "preload": list(packages.names),
        # One thread: a fork takes along the calling one only. The core type is passed on because
        # some hosts set it against wrong results.
        "environment": {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        | {k: os.environ[k] for k in ("OPENBLAS_CORETYPE",) if k in os.environ},
    }
    return marshal.dumps((_driver(), options), 2)


@functools.cache
def _driver() -> CodeType:
    source = (Path(__file__).parent.parent / "driver.py").read_bytes()
    return compile(source, "<driver>", "exec", dont_inherit=True, optimize=2)


def find_packages() -> Packages:
    """The packages asked for that are installed beside the server."""
    names, path, shown = [], [], []
    for name in os.environ.get(PACKAGES_VARIABLE, DEFAULT_PACKAGES).replace(",", " ").split():
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or spec.origin.startswith(HIDDEN):
            continue
        home = Path(spec.origin).parent
        holder = home.parent if home.name == name else home
        names.append(name)
        if str(holder) not in path:
            path.append(str(holder))
        # Wheels put the libraries they bring along into NAME.libs.
        parts = (home if home.name == name else Path(spec.origin), holder / f"{name}.libs")
        shown += [str(part) for part in parts if part.exists()]
    return Packages(tuple(names), tuple(path), tuple(shown))


def _prefixes() -> tuple[str, ...]:
    """The interpreter's own directories, where /usr does not hold them."""
    prefixes = {os.path.realpath(prefix) for prefix in (sys.base_prefix, sys.base_exec_prefix)}
    return tuple(sorted(p for p in prefixes if not f"{p}/".startswith("/usr/")))


def _interpreter() -> str:
    base: str = getattr(sys, "_base_executable", sys.executable)
    return os.path.realpath(base)


_VERSION = f"{platform.python_implementation()} {platform.python_version()}"


def _with_version(package: str) -> str:
    """A package as a person calls it: "numpy 2.3.1"."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:  # it comes with a distribution of another name
        holders = packages_distributions().get(package, ())
        return " ".join((package, *(f"({name} {version(name)})" for name in holders)))


def find() -> Language:
    return Language(
        name="python",
        toolchain=", ".join((_VERSION, *map(_with_version, find_packages().names))),
        source_name="main.py",
        run=(),
        shown=(*SYSTEM, *_prefixes()),
        zygote=(_interpreter(), "-I", "-S", "-X", "utf8", "-c", BOOT),
        memory_bytes=ZYGOTE_BYTES,
    )
