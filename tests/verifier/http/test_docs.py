"""Every curl line of docs/http.md, run against a server, prints what is shown."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from verifier.embedded import EmbeddedServer
from verifier.http.openapi import DESCRIPTION

PAGE = (Path(__file__).parents[3] / "docs/http.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHOWN = re.findall(r"^\$ (curl .*)\n(.*)\n", "".join(BLOCKS), re.MULTILINE)


def test_they_are_found() -> None:
    assert len(SHOWN) == "".join(BLOCKS).count("\n") / 2 >= 6


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize(("line", "wanted"), SHOWN)
def test_a_line_prints_what_is_shown(
    front: tuple[EmbeddedServer, str], line: str, wanted: str
) -> None:
    there = line.replace("http://127.0.0.1:8080", front[1])
    assert there != line
    done = subprocess.run(["bash", "-c", there], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    pattern = re.escape(wanted).replace(re.escape("..."), ".*")
    assert re.fullmatch(pattern, done.stdout.strip()), done.stdout


def test_every_path_is_documented() -> None:
    for path in DESCRIPTION["paths"]:
        assert f"{path}`" in PAGE, path
