"""Bash, with the commands of the host's /usr/bin."""

from __future__ import annotations

import os
import re

from sandbox.languages.base import SYSTEM, Language, locate, version_of

# awk and a few others are links into it.
ALTERNATIVES = "/etc/alternatives"


def find() -> Language:
    """Raises ToolchainMissing."""
    shell = locate("bash", "bash")
    found = re.search(r"version (\d+\.\d+\.\d+)", version_of(shell, "--version"))
    return Language(
        name="bash",
        toolchain=f"bash {found.group(1)}" if found else "bash",
        source_name="main.sh",
        run=(shell, "/box/main.sh"),
        shown=(*SYSTEM, *filter(os.path.isdir, (ALTERNATIVES,))),
    )
