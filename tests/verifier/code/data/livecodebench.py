"""LiveCodeBench's problems and one model's responses as items.

`unverified_tests` are left out: no accepted program confirms them.
"""

from __future__ import annotations

from tests.verifier.code.data.reading import Row
from verifier.v1 import verifier_pb2 as pb


def item(problem: Row, response: Row, mode: str, cpu_seconds: float) -> pb.Item | None:
    """None where the data has no test that may gate. Modes: "default" and "lcb"."""
    tests = problem["public_tests"] + problem["revealed_tests"]
    if not tests:
        return None
    task = pb.CodeTask(language="python", limits=pb.CodeLimits(cpu_seconds=cpu_seconds))
    task.entry_point = problem["func_name"] or ""
    if mode == "lcb":
        task.checker = "lcb"
        task.extraction = pb.CodeTask.LAST_FENCES
    for given, expected in tests:
        if problem["func_name"]:
            task.tests.add(args_json=given.split("\n"), expected_json=expected)
        else:
            task.tests.add(stdin=given, stdout=expected)
    return pb.Item(id=response["id"], response=response["response"], code=task)
