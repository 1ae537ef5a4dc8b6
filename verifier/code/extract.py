"""Finds the program in a response. Pure, linear time.

The rule: after the last `</think>`, the last closed fenced block whose tag is
the language asked for; failing that, the last closed block without a tag;
failing that, when nothing is fenced at all, the whole text if it parses as the
language (Python only). A fence that is never closed holds what follows it (a response cut
off at its length limit), and counts as the last block.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

TAGS: dict[str, frozenset[str]] = {
    "python": frozenset({"python", "python3", "py"}),
    "cpp": frozenset({"cpp", "c++", "cxx", "cc"}),
    "cpp17": frozenset({"cpp", "c++", "cxx", "cc"}),
    "c": frozenset({"c"}),
    "java": frozenset({"java"}),
    "javascript": frozenset({"javascript", "js", "node"}),
    "typescript": frozenset({"typescript", "ts"}),
    "csharp": frozenset({"csharp", "c#", "cs"}),
    "php": frozenset({"php"}),
    "bash": frozenset({"bash", "sh", "shell"}),
}
"""Fence tags that mean each language."""

PARSED_CHARS = 65_536
"""Longest text without a fence that is tried as a program: parsing it takes up
to 40 ms, in which the server answers nobody else."""

# Possessive throughout: a line has one way to match, so hostile lines cost linear time.
_FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)[ \t]*+([^\s`]*+)[^\n`]*+$", re.MULTILINE)
_INK = re.compile(r"\S")


@dataclass(frozen=True)
class Block:
    tag: str
    text: str


def blocks(text: str) -> list[Block]:
    """All fenced blocks in order; a fence closes only with its own mark, as long or longer.

    A tagged fence straight after an opening one opens anew: some models wrap
    the program's own fence into another.
    """
    found: list[Block] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        wrapper = opened is not None and not _INK.search(text, opened.end(), fence.start())
        if opened is None or (fence.group(2) and wrapper):
            opened = fence
        elif (
            fence.group(1)[0] == opened.group(1)[0]
            and len(fence.group(1)) >= len(opened.group(1))
            and not fence.group(2)
        ):
            found.append(Block(opened.group(2).lower(), text[opened.end() + 1 : fence.start()]))
            opened = None
    if opened is not None:
        found.append(Block(opened.group(2).lower(), text[opened.end() + 1 :]))
    return found


def program(response: str, language: str) -> str | None:
    """The program a response offers, or None when it offers none.

    A response that opens `<think>` and never closes it is still thinking and
    offers nothing.
    """
    end = response.rfind("</think>")
    if end < 0 and "<think>" in response:
        return None
    text = response if end < 0 else response[end + len("</think>") :]
    fenced = blocks(text)
    for accepted in (TAGS.get(language, frozenset({language})), frozenset({""})):
        for block in reversed(fenced):
            if block.tag in accepted and block.text.strip():
                return block.text
    return text if language == "python" and not fenced and _parses(text) else None


def _parses(text: str) -> bool:
    """Is the text a Python program with at least one statement that does something?

    Parsing is not evaluation. Prose of one word parses as a name, so bare
    names and constants alone do not count.
    """
    if len(text) > PARSED_CHARS:
        return False
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    idle = (ast.Name, ast.Constant, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute)
    return any(
        not (isinstance(statement, ast.Expr) and isinstance(statement.value, idle))
        for statement in body
    )
