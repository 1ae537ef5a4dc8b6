"""Signs that a program solves the tests and not the problem. Evidence, never the verdict.

Honest programs must not be flagged, or nobody would look: what is searched for are constructs that
a solution has no use for (suspects.py), the tests' own data in the text, and what the runs did.
Python is parsed only after a cheap search for telling words. Programs are read here, never run.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from verifier.code import grading as graded
from verifier.code import suspects
from verifier.code.grading import Grading
from verifier.outcome import TaskOutcome
from verifier.v1 import verifier_pb2 as pb

if TYPE_CHECKING:
    from verifier.code.suspects import KindValue
    from verifier.code.verify import Submission

Kind = pb.Flag

PARSED_HERE = 16_384
"""Characters of a program that are parsed on the event loop: some milliseconds."""

PARSED_CHARS = 262_144
"""Longer programs are not looked into."""

QUOTED_CHARS = 40
"""A line of the statement as long as this is not printed by chance."""

TELLING_LITERAL = 12
"""Characters of input and expected output together from which one hit says something."""

HITS = 3
"""Tests whose input and output both stand in the program, for it to be called hard-coded."""

SMALL_HITS = 5
"""The same where inputs and outputs are short, and small numbers meet by chance."""

DETAIL_CHARS = 200

_BLANKS = re.compile(r"\s+")


async def of_program(task: pb.CodeTask, program: str, grading: Grading) -> list[pb.Flag]:
    """The flags of a program and its runs, one of each kind at most."""
    if len(program) > PARSED_CHARS:
        return []
    if len(program) > PARSED_HERE:
        found = await asyncio.to_thread(lambda: list(_all(task, program, grading)))
    else:
        found = list(_all(task, program, grading))
    seen: dict[KindValue, str] = {}
    for kind, detail in found:
        seen.setdefault(kind, detail)
    return [pb.Flag(kind=kind, detail=detail[:DETAIL_CHARS]) for kind, detail in seen.items()]


def _all(task: pb.CodeTask, program: str, grading: Grading) -> Iterator[tuple[KindValue, str]]:
    if grading.left_early:
        tests = ", ".join(grading.left_early[:3])
        yield Kind.early_exit, f"the process ended by itself before the result of test {tests}"
    if task.language == "python":
        yield from _python(task, program)
    else:
        for kind, pattern in suspects.PATTERNS.get(task.language, ()):
            hit = pattern.search(program)
            if hit:
                yield kind, f"line {_line(program, hit.start())}: {hit.group()}"
        for name in task.banned:
            hit = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", program)
            if hit:
                yield Kind.banned_construct, f"line {_line(program, hit.start())}: {name}"
    hits = hard_coded(task, program) or (tabled(task, program) if task.language == "python" else "")
    if hits:
        yield Kind.hard_coded_output, hits


def _line(program: str, at: int) -> int:
    return program.count("\n", 0, at) + 1


def _python(task: pb.CodeTask, program: str) -> Iterator[tuple[KindValue, str]]:
    if not task.banned and not suspects.TELLING.search(program):
        return
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    finder = suspects.Finder(frozenset(task.banned), any(map(_in_process, task.tests)))
    for node in ast.walk(tree):
        for kind, detail in finder.at(node):
            yield kind, f"line {getattr(node, 'lineno', 1)}: {detail}"


def _in_process(test: pb.CodeTest) -> bool:
    return graded.kind(test) != "stdio"


# ---- hard-coded outputs


def hard_coded(task: pb.CodeTask, program: str) -> str:
    """What tells that the text holds the tests' own inputs and outputs; empty when nothing does."""
    squeezed: str | None = None
    hits: list[int] = []
    short = 0
    for place, test in enumerate(task.tests):
        pair = _spellings(test)
        if pair is None:
            continue
        inputs, outputs, size = pair
        if not any(text in program for text in inputs):
            squeezed = squeezed if squeezed is not None else _BLANKS.sub("", program)
            if not any(_BLANKS.sub("", text) in squeezed for text in inputs):
                continue
        squeezed = squeezed if squeezed is not None else _BLANKS.sub("", program)
        if any(_BLANKS.sub("", text) in squeezed for text in outputs):
            hits.append(place)
            short += size < TELLING_LITERAL
    if len(hits) - short >= HITS or len(hits) >= max(SMALL_HITS, len(task.tests) - 1):
        named = ", ".join(task.tests[place].id or str(place) for place in hits[:5])
        return f"input and expected output of {len(hits)} tests stand in the text: {named}"
    return ""


SPELLED_CHARS = 2_000
"""Longer inputs and outputs are not searched for: nobody writes them into a program."""


def _spellings(test: pb.CodeTest) -> tuple[tuple[str, ...], tuple[str, ...], int] | None:
    """How a program could spell a test's input and its output, and how long they are."""
    which = graded.kind(test)
    if which == "source":
        return None
    if which == "call":
        given, wanted = ", ".join(test.args_json), test.expected_json
        if len(given) + len(wanted) > SPELLED_CHARS:
            return None
        inputs, outputs = {given, _as_python(f"[{given}]")[1:-1]}, {wanted, _as_python(wanted)}
    else:
        given, wanted = test.stdin.strip(), test.stdout.strip()
        if len(given) + len(wanted) > SPELLED_CHARS:
            return None
        inputs = {given, repr(given)[1:-1], given.replace("\n", "\\n")}
        outputs = {wanted, repr(wanted)[1:-1], wanted.replace("\n", "\\n")}
    if len(given) < 2 or not wanted:
        return None
    return tuple(inputs), tuple(outputs), len(given) + len(wanted)


TABLED = 4
"""Tests whose input a table of the program maps to their output, for it to be called hard-coded:
the base cases of a recursion are fewer."""


def tabled(task: pb.CodeTask, program: str) -> str:
    """What tells that the program maps the tests' inputs to their outputs; empty otherwise."""
    if len(suspects.PAIRS.findall(program)) < TABLED:
        return ""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    known = {
        (_told(key), _told(value))
        for key, value in suspects.pairs(tree)
        if _told(key) and _told(value)
    }
    hits = [
        test.id or str(place) for place, test in enumerate(task.tests) if _question(test) in known
    ]
    if len(hits) < TABLED or 2 * len(hits) < len(task.tests):
        return ""
    return f"a table holds input and expected output of {len(hits)} tests: {', '.join(hits[:5])}"


def _question(test: pb.CodeTest) -> tuple[str, str] | None:
    """A test as an entry of such a table would tell it."""
    which = graded.kind(test)
    if which == "call":
        given = test.args_json[0] if len(test.args_json) == 1 else f"[{','.join(test.args_json)}]"
        return _squeezed(given), _squeezed(test.expected_json)
    if which == "stdio":
        return _squeezed(test.stdin), _squeezed(test.stdout)
    return None


def _told(value: object) -> str:
    """A literal as JSON tells it, a string as it is; empty for what has no such form."""
    try:
        return _squeezed(value if isinstance(value, str) else json.dumps(value))
    except (ValueError, TypeError, RecursionError):
        return ""


def _squeezed(text: str) -> str:
    return _BLANKS.sub("", text).strip('"')


def _as_python(text: str) -> str:
    try:
        return repr(json.loads(text))
    except (ValueError, RecursionError):
        return text


# ---- what rests on more than the program


def of_statement(outcome: TaskOutcome, submission: Submission) -> None:
    """Adds the flag of an output that quotes the statement."""
    if not submission.prompt or any(
        flag.kind == Kind.quotes_statement for flag in outcome.evidence.code.flags
    ):
        return
    quotable: list[str] | None = None
    for result in outcome.evidence.code.tests:
        if len(result.got) < QUOTED_CHARS:
            continue
        quotable = quotable if quotable is not None else list(_quotable(submission.prompt))
        for line in quotable:
            if line in result.got and line not in result.expected:
                detail = f"test {result.id}: {line[:DETAIL_CHARS]}"
                outcome.evidence.code.flags.add(kind=Kind.quotes_statement, detail=detail)
                return


def _quotable(prompt: str) -> Iterable[str]:
    lines = (line.strip() for line in prompt.splitlines())
    return (line[: 2 * QUOTED_CHARS] for line in lines if len(line) >= QUOTED_CHARS)


def rests_on_chance(program: str) -> bool:
    """Whether the text names a source of chance, or of the clock: then one run does not tell what
    the next would do."""
    return suspects.CHANCE.search(program) is not None
