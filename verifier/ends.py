"""Tokens that close a response, which some trainers leave in its text. Pure."""

from __future__ import annotations

import re

END_TOKEN = re.compile(r"(?:<\|[^|<>]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</s>|<eos>|<end_of_turn>)\Z")
"""What tokenizers of today put after a response; format checks would take it for text."""

LONGEST_TOKEN = 64
"""Characters in which one of them ends a text."""


def without_ends(text: str) -> str:
    """The text without the tokens that close it, of which there may be several. Takes time in
    proportion to what is cut off, however long the text."""
    end = cut = len(text)
    while True:
        while end and text[end - 1].isspace():
            end -= 1
        found = END_TOKEN.search(text[max(0, end - LONGEST_TOKEN) : end])
        if found is None:
            return text[:cut]
        end -= len(found[0])
        cut = end
