"""docs/sandbox.md tells of every system call that the filter refuses, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.languages import NAMES

ROOT = Path(__file__).parent.parent.parent
CALL = re.compile(r"(?:SYS|NR)_(\w+)")
# Looked at for their arguments, not refused as such.
BY_ARGUMENT = {"clone", "clone3", "socketpair", "ioctl", "fcntl"}


def test_every_refused_system_call_is_documented() -> None:
    source = (ROOT / "sandbox/jail/confine.c").read_text()
    listed = source[source.index("static const unsigned denied[]") : source.index("#define COUNT")]
    refused = set(CALL.findall(listed)) | {"pidfd_send_signal", "memfd_create"}
    page = (ROOT / "docs/sandbox.md").read_text()
    section = page[page.index("## System calls") : page.index("## Figures")]
    documented = set(re.findall(r"`([a-z_0-9]+)`", section)) - BY_ARGUMENT
    assert documented == refused


def test_every_language_is_documented() -> None:
    page = (ROOT / "docs/sandbox.md").read_text()
    section = page[page.index("## Languages") : page.index("## Limits")]
    assert set(NAMES) <= set(re.findall(r"`([a-z0-9]+)`", section))
