"""A problem that wants tests, as a line of JSON. Pure.

{"id": "add", "prompt": "Print a + b ...", "language": "python",
 "solutions": ["print(sum(map(int, input().split())))", ...],   correct ones, at least 2
 "wrong": ["..."],              optional: programs that good tests must reject
 "entry_point": "add",          optional: tests are calls of it, not whole programs
 "limits": {"cpu_seconds": 2},  optional: as CodeTask.limits, for each test
 "checker": "tokens"}           optional: as CodeTask.checker; also tolerance, checker_program

Reading is strict: what is not known here is an error that names the line and
the field.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf import json_format

from verifier.code import compare
from verifier.jsonl import BadLine
from verifier.v1 import verifier_pb2 as pb

FIELDS = ("id", "prompt", "language", "solutions", "wrong")
TASK_FIELDS = ("language", "entry_point", "limits", "checker", "tolerance", "checker_program")
"""Those that go into each item's CodeTask as they are."""


@dataclass(frozen=True)
class Problem:
    id: str
    prompt: str
    """The statement, and the prompt of the items."""
    solutions: tuple[str, ...]
    wrong: tuple[str, ...]
    task: pb.CodeTask
    """Everything of the items' task but the tests."""

    @property
    def language(self) -> str:
        return self.task.language

    @property
    def entry_point(self) -> str:
        return self.task.entry_point

    @property
    def calls(self) -> bool:
        """Tests are calls; an input is then the JSON list of the arguments, else standard input."""
        return bool(self.task.entry_point)

    def test(self, text: str, expected: str) -> pb.CodeTest:
        """A test from an input and what the first solution gave for it."""
        if not self.calls:
            return pb.CodeTest(stdin=text, stdout=expected)
        return pb.CodeTest(args_json=arguments(text), expected_json=expected)


def arguments(text: str) -> list[str]:
    """Each argument of a call as a JSON text."""
    return [json.dumps(value) for value in json.loads(text)]


def read_problems(
    lines: Iterable[bytes], least_solutions: int, checker: str = ""
) -> list[Problem | BadLine]:
    """One problem, or what is wrong, for each line that is not blank.

    `checker` is for the problems that have none.
    """
    read: list[Problem | BadLine] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name = ""
        try:
            value = compare.parse(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            if isinstance(value, dict) and isinstance(value.get("id"), str):
                name = value["id"]
            problem = _problem(value, least_solutions, checker)
            if problem.id in seen:
                raise ValueError(f"id: another problem is called {problem.id!r} too")
        except (ValueError, RecursionError) as error:  # UnicodeDecodeError, JSONDecodeError too
            shown = name.encode(errors="replace").decode()
            read.append(BadLine(number, shown, f"line {number}: {error}"))
        else:
            seen.add(problem.id)
            read.append(problem)
    return read


def _problem(value: object, least_solutions: int, checker: str) -> Problem:
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is wanted, got a {type(value).__name__}")
    unknown = [name for name in value if name not in (*FIELDS, *TASK_FIELDS)]
    if unknown:
        raise ValueError(f"no such field: {', '.join(map(repr, unknown))}")
    for field in ("id", "prompt", "language"):
        if not isinstance(value.get(field), str) or not value[field].strip():
            raise ValueError(f"{field}: a text that is not empty is required")
    programs = {}
    for field in ("solutions", "wrong"):
        texts = value.get(field, [])
        if not isinstance(texts, list) or not all(isinstance(t, str) and t.strip() for t in texts):
            raise ValueError(f"{field}: a list of programs is wanted, none of them empty")
        programs[field] = tuple(texts)
    count = len(programs["solutions"])
    if count < least_solutions:
        also = "; one is enough with --allow-one" if count == 1 else ""
        raise ValueError(f"solutions: at least {least_solutions}, got {count}{also}")
    for text in (value["id"], value["prompt"], *programs["solutions"], *programs["wrong"]):
        text.encode()  # half of a surrogate pair is no text
    try:
        given = {name: value[name] for name in TASK_FIELDS if name in value}
        task = json_format.ParseDict(given, pb.CodeTask())
    except json_format.ParseError as error:
        raise ValueError(str(error).partition(" Available Fields")[0].rstrip("\n.")) from None
    if not task.HasField("checker_program"):
        task.checker = task.checker or checker
    return Problem(value["id"], value["prompt"], programs["solutions"], programs["wrong"], task)
