"""Names of callers: short and printable, since they stand in logs, metrics and messages. Pure."""

from __future__ import annotations

NAME_CHARS = 128
"""Of a name: a host, a job's id and a rank fit."""

WANTED = f"1 to {NAME_CHARS} printable ASCII characters"


def is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_CHARS and text.isascii() and text.isprintable()
