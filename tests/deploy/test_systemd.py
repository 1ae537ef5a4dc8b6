"""deploy/touchstone.service tells a server what it takes, and lets it end in order."""

from __future__ import annotations

import shlex
from configparser import ConfigParser
from pathlib import Path

from tests.deploy.commands import options, protected

UNIT = Path(__file__).parents[2] / "deploy/touchstone.service"


def test_it_starts_a_server_and_waits_for_its_end() -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    program, *rest = shlex.split(service["ExecStart"])
    serve = options([Path(program).name, *rest])
    assert protected(serve)
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > serve["grace"]
    folder = Path("/var/cache") / service["CacheDirectory"]
    assert serve["cache"].parent == folder
