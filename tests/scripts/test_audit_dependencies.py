"""The audit of dependencies lets nothing through that it does not understand, and never takes
silence for an all-clear."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/audit_dependencies.py"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("audit_dependencies", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look
    spec.loader.exec_module(module)
    return module


audit = _load()


def dependency(
    *others: str, expression: str | None = None, name: str = "x", version: str = "1.0"
) -> Any:
    return audit.Dependency(name, version, expression, others)


@pytest.mark.parametrize(
    "fields",
    [
        {"expression": "MIT"},
        {"expression": "Apache-2.0 WITH LLVM-exception AND BSD-3-Clause"},
        {"expression": "GPL-2.0-only OR MIT"},
        {"expression": "MIT", "others": ("GNU General Public License v3 (GPLv3)",)},
        {"others": ("Apache 2.0",)},
        {"others": ("BSD", "BSD License")},
        {"others": ("MPL-2.0 AND MIT",)},
        {"others": ("GPL-3.0",), "name": "python-flint"},
    ],
)
def test_licences_that_do(fields: dict[str, Any]) -> None:
    assert audit.licence_problem(dependency(*fields.pop("others", ()), **fields)) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expression": "GPL-3.0-or-later"}, "not allowed: GPL-3.0-or-later"),
        ({"expression": "AGPL-3.0-only"}, "not allowed"),
        ({"expression": "MIT AND GPL-2.0-only"}, "not allowed"),
        ({"expression": "LGPL-2.1-only"}, "not allowed"),
        ({"expression": "CC-BY-NC-SA-4.0"}, "not allowed"),
        ({"expression": "GPL-2.0-only WITH Classpath-exception-2.0"}, "not allowed"),
        ({"expression": "LicenseRef-Proprietary"}, "not understood"),
        ({"others": ("GNU Affero General Public License v3",)}, "not understood"),
        ({"others": ("MIT License", "GNU General Public License v2 (GPLv2)")}, "not understood"),
        ({"others": ("free for research",)}, "not understood"),
        ({"others": ()}, "says nothing"),
    ],
)
def test_licences_that_do_not(fields: dict[str, Any], said: str) -> None:
    assert said in audit.licence_problem(dependency(*fields.pop("others", ()), **fields))


def test_pins() -> None:
    pinned = audit.pins("# why\nNumPy==1.2  # so\ntorch==2.13.0\nzope_x==3\n")
    assert pinned == {"numpy": "1.2", "torch": "2.13.0", "zope-x": "3"}
    problem = audit.pin_problem
    assert problem(dependency(name="torch", version="2.13.0+cpu"), pinned) is None
    assert problem(dependency(name="numpy", version="1.3"), pinned) == "is pinned at 1.2"
    assert "not pinned" in problem(dependency(name="other"), pinned)
    for bad in ("numpy>=1", "numpy", "numpy==1,!=2"):
        with pytest.raises(ValueError, match="line 1: name==version"):
            audit.pins(bad)


def test_what_is_needed_at_run_time() -> None:
    names = {
        audit.canonicalize_name(one.metadata["Name"]) for one in audit.run_time("touchstone-rl")
    }
    # Of extras, of their extras, and of those packages in turn; nothing of development's.
    assert {"grpcio", "sympy", "mpmath", "uvicorn", "torch"} <= names
    assert not names & {"touchstone-rl", "pytest", "mypy", "hypothesis", "pip-audit"}


class Advisories(BaseHTTPRequestHandler):
    """OSV's query, with the advisories of the server's `known`."""

    server: Osv

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        found = {
            "id": "PYSEC-0000-1",
            "summary": "bad",
            "details": "very",
            "affected": [
                {
                    "package": {"name": name, "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "99.0"}]}],
                }
            ],
        }
        self.server.asked.append((name, asked["version"]))
        body = json.dumps({"vulns": [found]} if name in self.server.known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Osv(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Advisories)
        self.known: set[str] = set()
        self.asked: list[tuple[str, str]] = []


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Osv]:
    """A mirror of OSV that pip-audit is sent to, and to nowhere else."""
    monkeypatch.setattr(audit, "SERVICES", ("osv",))
    with Osv() as server:
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_advisories_are_found(osv: Osv) -> None:
    osv.known = {"django", "jinja2"}
    assert audit.reachable_service() == "osv"
    bad, unknown = audit.vulnerabilities("osv", {"jinja2": "3.1.6", "numpy": "2.4.6"})
    assert bad == ["jinja2 3.1.6: PYSEC-0000-1, fixed in 99.0"]
    assert unknown == []
    assert {("jinja2", "3.1.6"), ("numpy", "2.4.6")} <= set(osv.asked)


def test_a_database_that_knows_nothing_is_none(osv: Osv) -> None:
    with pytest.raises(audit.NoDatabase, match=r"knows no advisory of django==1\.2"):
        audit.reachable_service()
    assert osv.asked == [audit.KNOWN_BAD]


def test_the_whole_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no database in reach the rest gates still."""
    constraints = tmp_path / "constraints.txt"
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    constraints.write_text("\n".join(one for one in pinned if not one.startswith("sympy==")))
    monkeypatch.setattr(audit, "SERVICES", ("osv",))
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:1/v1/query")  # nobody is there
    assert audit.main(["--constraints", str(constraints)]) == 1
    said = capsys.readouterr().out
    assert "pip check: " in said
    assert "  sympy 1.14.0: is not pinned in the constraints" in said
    assert "vulnerabilities: NOT RUN: no advisory database reachable (osv: " in said
