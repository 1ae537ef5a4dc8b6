"""Programs in responses whose benchmark joins them to more text before they are graded. Pure."""

from __future__ import annotations

import re


def program(response: str, tags: str, function: str) -> str:
    """After the last </think>, the first fenced block with one of the tags (alternatives of a
    regular expression) or none that has the function; the whole text where nothing is fenced and
    it has the function; else nothing."""
    text = response.rpartition("</think>")[2]
    fenced: list[str] = re.findall(
        rf"^[ \t]*```(?:{tags})?[ \t]*\n(.*?)^[ \t]*```[ \t]*$",
        text,
        re.DOTALL | re.IGNORECASE | re.MULTILINE,
    )
    named = re.compile(rf"\b{re.escape(function)}\b")
    candidates = fenced if "```" in text else [text]
    return next((code for code in candidates if named.search(code)), "")
