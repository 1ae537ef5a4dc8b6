"""Builds the sandbox's C jail into the package; everything else is in pyproject.toml."""

from __future__ import annotations

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

JAIL = "sandbox.jail.touchstone-jail"
SOURCES = [
    f"sandbox/jail/{name}.c" for name in ("main", "root", "confine", "spawn", "supervise", "watch")
]
FLAGS = [
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-D_GNU_SOURCE",
    "-fstack-protector-strong",
]


class BuildJail(build_ext):
    """Compiles the jail as an executable; setuptools' own rule makes a shared library."""

    def get_ext_filename(self, fullname: str) -> str:
        return str(Path(*fullname.split(".")))

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        objects = self.compiler.compile(
            ext.sources, output_dir=self.build_temp, extra_postargs=FLAGS
        )
        self.compiler.link_executable(objects, target.name, output_dir=str(target.parent))


# optional: without a C compiler the client still installs; the sandbox then
# refuses to start and says what is missing.
setup(
    ext_modules=[Extension(JAIL, SOURCES, depends=["sandbox/jail/jail.h"], optional=True)],
    cmdclass={"build_ext": BuildJail},
)
