#!/usr/bin/env python3
"""Audits what the installed distribution needs at run time; exit status 1 if anything is wrong.

    python scripts/audit_dependencies.py [--constraints constraints.txt] [--root touchstone-rl]

1. `pip check`: the installed versions agree with each other's requirements.
2. pins: every run-time dependency is pinned in the constraints, at the installed version.
3. licences: each run-time dependency's is on the list below, or the package is named there with
   the reason why it may stay. What cannot be told is a failure too.
4. vulnerabilities: pip-audit over all that the constraints pin, development's included. Where no
   database of advisories can be reached, this part alone is not run, and says so. pip-audit's own
   variables hold: PIP_AUDIT_OSV_URL names a mirror of OSV.

The first three need no network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from license_expression import ExpressionError, get_spdx_licensing
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

NOT_RUN_TIME = {"dev", "bench", "fuzz"}
"""Extras that only those who work on the source install; all others are run-time."""

ALLOWED = {
    "0BSD",
    "AFL-2.1",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    "Unlicense",
    "Zlib",
}
"""Licences under which a service may use and ship a package unchanged, commercial or not.

MPL-2.0 asks for the source of changed files only, and nothing here changes any."""

REASONS = {
    "python-flint": "LGPL-3.0 is of the FLINT library in it, which is linked dynamically",
}
"""Packages with a licence beyond ALLOWED, and why they may stay. Names as in PEP 503."""

NAMES = {
    "2-clause bsd license": "BSD-2-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "academic free license (afl)": "AFL-2.1",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd license": "BSD-3-Clause",
    "psf": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}
"""What packages without an SPDX expression write, in lower case. No copyleft licence is here:
what is not understood fails."""

TROVE = "License :: "

KNOWN_BAD = ("django", "1.2")
"""A pin with many advisories, put beside ours: an audit that says it is fine has seen no database.
(Where an index answers without advisories, pip-audit finds nothing wrong with anything.)"""

SERVICES = ("pypi", "osv")
"""Where pip-audit looks, in this order, until one knows KNOWN_BAD."""

ASKING_SECONDS = 20
"""For the question whether a service answers: a firewall that swallows packets must not hold up."""

AUDIT_SECONDS = 300
"""For the audit itself, which asks once for each pin."""

_licensing = get_spdx_licensing()


@dataclass(frozen=True)
class Dependency:
    """An installed distribution, and what its metadata says of its licence."""

    name: str
    version: str
    expression: str | None
    """License-Expression: SPDX, and authoritative."""

    others: tuple[str, ...]
    """The older License field and classifiers, as written."""

    @classmethod
    def of(cls, found: Distribution) -> Dependency:
        said = found.metadata
        classifiers = [
            one.removeprefix(TROVE).removeprefix("OSI Approved :: ")
            for one in said.get_all("Classifier", [])
            if one.startswith(TROVE)
        ]
        field = (said.get("License") or "").strip()
        # Some put the whole text there; then the classifier is what can be read.
        fields = [field] if field and "\n" not in field else []
        return cls(
            canonicalize_name(said["Name"]),
            found.version,
            said.get("License-Expression"),
            tuple(fields + classifiers),
        )


def run_time(root: str) -> Iterator[Distribution]:
    """The installed distributions that `root` needs, through all extras but NOT_RUN_TIME.

    What a marker rules out, and what is not installed, is left out: pip check and the tests see
    to it that what is needed is there.
    """
    top = distribution(root)
    extras = set(top.metadata.get_all("Provides-Extra", [])) - NOT_RUN_TIME
    todo, seen = [(top, extra) for extra in ("", *sorted(extras))], set[tuple[str, str]]()
    given = set[str]()
    while todo:
        one, extra = todo.pop()
        name = canonicalize_name(one.metadata["Name"])
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        if name != canonicalize_name(root) and name not in given:
            given.add(name)
            yield one
        for line in one.requires or []:
            needed = Requirement(line)
            if needed.marker and not needed.marker.evaluate({"extra": extra}):
                continue
            try:
                found = distribution(needed.name)
            except PackageNotFoundError:
                continue
            todo += [(found, wanted) for wanted in ("", *needed.extras)]


def licence_problem(one: Dependency) -> str | None:
    """Why a dependency's licence does not do; None: it does. Pure."""
    if one.name in REASONS:
        return None
    if one.expression is not None:
        return _expression_problem(one.expression)
    if not one.others:
        return "says nothing of its licence"
    # Without an expression nothing tells "and" from "or": everything said has to do.
    problems = [_expression_problem(NAMES.get(text.lower(), text)) for text in one.others]
    return next((problem for problem in problems if problem), None)


def _expression_problem(text: str) -> str | None:
    try:
        parsed = _licensing.parse(text, validate=True)
    except ExpressionError:
        return f"not understood: {text!r}"
    allowed = {
        symbol: _licensing.TRUE if _allowed(symbol) else _licensing.FALSE
        for symbol in parsed.symbols
    }
    return None if parsed.subs(allowed).simplify() == _licensing.TRUE else f"not allowed: {text}"


def _allowed(symbol: object) -> bool:
    """An exception ("... WITH LLVM-exception") only ever permits more."""
    return getattr(symbol, "license_symbol", symbol).key in ALLOWED  # type: ignore[attr-defined]


def pins(constraints: str) -> dict[str, str]:
    """Version by name of a file of `name==version` lines. Pure; raises ValueError."""
    found = {}
    for number, line in enumerate(constraints.splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        pinned = Requirement(text)
        exact = [one.version for one in pinned.specifier if one.operator == "=="]
        if len(exact) != 1 or len(pinned.specifier) != 1:
            raise ValueError(f"line {number}: name==version, got {text!r}")
        found[canonicalize_name(pinned.name)] = exact[0]
    return found


def pin_problem(one: Dependency, pinned: dict[str, str]) -> str | None:
    """Why a dependency is not what the constraints pin; None: it is. Pure."""
    if one.name not in pinned:
        return "is not pinned in the constraints"
    installed = Version(one.version)
    # A build of the same version ("2.13.0+cpu") is what a pin without a build allows.
    if Version(pinned[one.name]) not in (installed, Version(installed.public)):
        return f"is pinned at {pinned[one.name]}"
    return None


class NoDatabase(Exception):
    """No advisories can be had; the message says what was tried."""


def reachable_service() -> str:
    """The first service that knows KNOWN_BAD's advisories. Raises NoDatabase."""
    tried = []
    for service in SERVICES:
        try:
            found = _pip_audit(service, dict([KNOWN_BAD]), ASKING_SECONDS)
        except NoDatabase as error:
            tried.append(f"{service}: {error}")
            continue
        if any(one.get("vulns") for one in found):
            return service
        tried.append(f"{service}: answers, and knows no advisory of {'=='.join(KNOWN_BAD)}")
    raise NoDatabase("; ".join(tried))


def vulnerabilities(service: str, pinned: dict[str, str]) -> tuple[list[str], list[str]]:
    """Lines about pins with advisories, and about pins that could not be looked up."""
    bad, unknown = [], []
    for one in _pip_audit(service, pinned, AUDIT_SECONDS):
        for vuln in one.get("vulns", []):
            fixed = ", ".join(vuln["fix_versions"]) or "no version"
            bad.append(f"{one['name']} {one['version']}: {vuln['id']}, fixed in {fixed}")
        if "skip_reason" in one:
            unknown.append(f"{one['name']}: {one['skip_reason']}")
    return bad, unknown


def _pip_audit(service: str, pinned: dict[str, str], seconds: int) -> list[dict[str, object]]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in pinned.items())
        file.flush()
        command = [sys.executable, "-m", "pip_audit", "--requirement", file.name, "--no-deps"]
        command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
        command += ["--vulnerability-service", service, "--timeout", "5"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise NoDatabase(f"no answer within {seconds} s") from None
    try:
        return json.loads(answer.stdout)["dependencies"]  # type: ignore[no-any-return]
    except (json.JSONDecodeError, KeyError):
        last = answer.stderr.strip().splitlines()[-1:] or [f"exit status {answer.returncode}"]
        raise NoDatabase(last[0].partition(":")[0]) from None


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description="Audits the run-time dependencies.")
    options.add_argument("--constraints", type=Path, default=Path("constraints.txt"))
    options.add_argument("--root", default="touchstone-rl")
    given = options.parse_args(arguments)
    failed = False

    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    print(f"pip check: {checked.stdout.strip() or checked.stderr.strip()}")
    failed |= checked.returncode != 0

    pinned = pins(given.constraints.read_text())
    needed = sorted((Dependency.of(one) for one in run_time(given.root)), key=lambda d: d.name)
    problems = {"pins": pin_problem, "licences": lambda one, _: licence_problem(one)}
    for part, problem in problems.items():
        lines = [
            f"  {one.name} {one.version}: {what}"
            for one in needed
            if (what := problem(one, pinned)) is not None
        ]
        print(f"{part}: {len(needed)} run-time dependencies, {len(lines)} wrong")
        print(*lines, sep="\n", end="\n" if lines else "")
        failed |= bool(lines)
    for name, why in REASONS.items():
        print(f"  let stay: {name}: {why}")

    try:
        service = reachable_service()
        bad, unknown = vulnerabilities(service, pinned)
    except NoDatabase as error:
        print(f"vulnerabilities: NOT RUN: no advisory database reachable ({error})")
    else:
        print(
            f"vulnerabilities ({service}): {len(pinned)} pins, {len(bad)} advisories,"
            f" {len(unknown)} not looked up"
        )
        print(*(f"  {line}" for line in bad + unknown), sep="\n", end="\n" if bad + unknown else "")
        failed |= bool(bad)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
