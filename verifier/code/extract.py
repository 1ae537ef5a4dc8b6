"""Finds the program in a response. Pure, linear time.

The rule: after the last `</think>`, the last closed fenced block whose tag is
the language asked for; failing that, the last closed block without a tag;
failing that, when nothing is fenced at all, the whole text if it is a program by
itself: Python that parses, another language that begins like one. A fence that is
never closed holds what follows it (a response cut off at its length limit), and
counts as the last block.

The other rule is LiveCodeBench's own (`extract_code`), for parity with its
official results: see `last_fences`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from verifier.thinking import said_from
from verifier.v1 import verifier_pb2 as pb

TAGS: dict[str, frozenset[str]] = {
    "python": frozenset({"python", "python3", "py", "ipython"}),
    "cpp": frozenset({"cpp", "c++", "cxx", "cc"}),
    "cpp17": frozenset({"cpp", "c++", "cxx", "cc"}),
    "c": frozenset({"c"}),
    "java": frozenset({"java"}),
    "javascript": frozenset({"javascript", "js", "node"}),
    "typescript": frozenset({"typescript", "ts"}),
    "csharp": frozenset({"csharp", "c#", "cs"}),
    "php": frozenset({"php"}),
    "bash": frozenset({"bash", "sh", "shell"}),
    "go": frozenset({"go", "golang"}),
    "rust": frozenset({"rust", "rs"}),
    "ruby": frozenset({"ruby", "rb"}),
}
"""Fence tags that mean each language."""

KNOWN_TAGS = frozenset().union(*TAGS.values())

PARSED_CHARS = 65_536
"""Longest text without a fence that is tried as a program: parsing it takes up
to 40 ms, in which the server answers nobody else."""

# Possessive throughout: a line has one way to match, so hostile lines cost linear time.
_FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)[ \t]*+([^\s`]*+)[^\n`]*+$", re.MULTILINE)
_INK = re.compile(r"\S")
_C_LIKE = r"\s*+(?:#\s*+(?:include|define|pragma|import)\b|//|/\*|using\s|int\s++main\b)"
_JS_LIKE = (
    r"\s*+(?:(?:const|let|var)\s++[\w{\[$]|import\s++[\w{*'\"]|(?:async\s++)?function\b|//|/\*"
    r"|console\.log|process\.stdin|\"use strict\"|'use strict'|require\()"
)
_BARE = {
    language: re.compile(begins)
    for language, begins in {
        **dict.fromkeys(("c", "cpp", "cpp17"), _C_LIKE),
        "java": r"\s*+(?:import\s|package\s|public\s++|(?:final\s++)?class\s|//|/\*|record\s)",
        "csharp": r"\s*+(?:using\s|namespace\s|(?:public\s++|static\s++)*class\s|//|/\*)",
        **dict.fromkeys(("javascript", "typescript"), _JS_LIKE),
        "php": r"\s*+<\?php",
        "bash": r"#!\s*+/\S*+(?:bash|sh)\b|#!/usr/bin/env\s++bash",
        "go": r"\s*+(?:package\s++main\b|//|/\*)",
        "rust": r"\s*+(?:use\s++\w|fn\s++\w|#!?\[|//|/\*|struct\s|impl\s|mod\s)",
    }.items()
}
"""How a bare program of a language begins."""


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
    ink = 0  # where the first text after the opening fence is
    for fence in _FENCE.finditer(text):
        wrapper = opened is not None and ink >= fence.start()
        if opened is None or (fence.group(2) and wrapper):
            opened = fence
            inner = _INK.search(text, opened.end())
            ink = inner.start() if inner else len(text)
        elif (
            fence.group(1)[0] == opened.group(1)[0]
            and len(fence.group(1)) >= len(opened.group(1))
            and not fence.group(2)
        ):
            found.append(_block(opened, text[opened.end() + 1 : fence.start()]))
            opened = None
    if opened is not None:
        found.append(_block(opened, text[opened.end() + 1 :]))
    return found


def _block(opened: re.Match[str], text: str) -> Block:
    """Lines lose as much indentation as the fence has: it stands in a list (CommonMark 4.5)."""
    indent = len(opened.group(0)) - len(opened.group(0).lstrip())
    if indent:
        text = re.sub(rf"^[ \t]{{1,{indent}}}+", "", text, flags=re.MULTILINE)
    return Block(opened.group(2).lower(), text)


@dataclass(frozen=True)
class Found:
    """A program, or why there is none."""

    program: str | None
    other_language: str = ""
    """The tag of a fenced program in another language, where that is all there is."""
    detail: str = ""


def find(
    response: str,
    language: str,
    rule: pb.CodeTask.Extraction.ValueType = pb.CodeTask.LANGUAGE_BLOCK,
) -> Found:
    """The program of a response by the rule asked for."""
    if rule == pb.CodeTask.LAST_FENCES:
        between = last_fences(response)
        if between.strip():
            return Found(between)
        return Found(None, detail="no two fences around a program in the response")
    text = after_thinking(response)
    if text is None:
        return Found(None, detail="the response is still thinking: <think> is never closed")
    if "<answer>" in text:
        # The tags may stand on the fences' own lines, or around a bare program.
        text = text.replace("<answer>", "\n").replace("</answer>", "\n")
    fenced = blocks(text)
    found = _program(text, language, fenced)
    if found is not None:
        return Found(found)
    detail = f"no {language} program in the response"
    others = [block.tag for block in fenced if block.tag in KNOWN_TAGS and block.text.strip()]
    if others:
        return Found(None, others[-1], f"{detail}, but one in {others[-1][:20]}")
    return Found(None, detail=detail)


def program(response: str, language: str) -> str | None:
    """The program a response offers by the first rule, or None when it offers none."""
    return find(response, language).program


def after_thinking(response: str) -> str | None:
    """What follows the last `</think>`; None when one is opened and never closed: a response
    that is still thinking offers nothing."""
    begin = said_from(response)
    return None if begin is None else response[begin:]


def last_fences(response: str) -> str:
    """LiveCodeBench's rule: the lines between the last two that hold ```; empty with fewer."""
    rows = response.split("\n")
    marks = [place for place, row in enumerate(rows) if "```" in row]
    return "\n".join(rows[marks[-2] + 1 : marks[-1]]) if len(marks) >= 2 else ""


def _program(text: str, language: str, fenced: list[Block]) -> str | None:
    for accepted in (TAGS.get(language, frozenset({language})), frozenset({""})):
        for block in reversed(fenced):
            if block.tag in accepted and block.text.strip():
                return block.text
    if fenced:
        return None
    bare = _parses(text) if language == "python" else _begins(text, language)
    return text if bare else None


def _begins(text: str, language: str) -> bool:
    """Does a text without any fence begin as a program does? Prose does not."""
    begins = _BARE.get(language)
    return begins is not None and begins.match(text) is not None


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
