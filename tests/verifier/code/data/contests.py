"""CodeContests' problems as items.

Twenty problems come with all their tests and no solutions: right and wrong ones of ours are in
code_contests/, and where several answers are right a checker. Three hundred others come with
ten tests each and a solution.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.verifier.code.data.reading import Row
from verifier.v1 import verifier_pb2 as pb

HERE = Path(__file__).parent / "code_contests"

# Problems without a solution of ours here, and why.
LEFT_OUT = {
    "cc-0": "the tests' inputs break the statement's format (`? 100 No`, `oN`)",
    "cc-1": "the tests' inputs break the statement's limits (row 9 of 4)",
    "cc-7": "several answers, and a checker must replay the moves",
    "cc-11": "interactive; the tests hold no interactor",
    "cc-13": "several answers, and a checker must look at every path of a tree",
    "cc-15": "several answers, and a checker must walk over the platforms",
}

MEMORY = 1 << 30


def full_items(rows: list[Row]) -> Iterator[pb.Item]:
    """Ours, right and wrong, on all the tests of each problem."""
    for row in rows:
        if row["id"] in LEFT_OUT:
            continue
        for name in (row["id"], f"{row['id']}_wrong"):
            task = _task((HERE / f"{name}.py").read_text(), row["tests"], cpu_seconds=4)
            checker = HERE / f"{row['id']}_checker.py"
            if checker.exists():
                task.checker_program.language = "python"
                task.checker_program.source = checker.read_text()
            elif row["id"] == "cc-5":
                task.checker = "floats"
                task.tolerance.absolute = task.tolerance.relative = 1e-4
            yield pb.Item(id=name, code=task)


def given_item(row: Row, checker: str, cpu_seconds: float = 5) -> pb.Item:
    """The data's own solution on its ten tests."""
    task = _task(row["python_solution"], row["tests"], cpu_seconds)
    task.checker = checker
    return pb.Item(id=row["id"], code=task)


def _task(program: str, tests: list[list[str]], cpu_seconds: float) -> pb.CodeTask:
    return pb.CodeTask(
        language="python",
        program=program,
        tests=[pb.CodeTest(stdin=given, stdout=expected) for given, expected in tests],
        limits=pb.CodeLimits(cpu_seconds=cpu_seconds, memory_bytes=MEMORY),
    )
