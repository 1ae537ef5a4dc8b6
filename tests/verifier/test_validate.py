from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format

from verifier.limits import Limits
from verifier.v1 import verifier_pb2 as pb
from verifier.validate import problem

LIMITS = Limits(response_bytes=1000, prompt_bytes=100, tests=3, test_bytes=500, answer_chars=50)
MATH = {"gold": ["4"]}
STDIO = {"stdin": "1", "stdout": "2"}


def code(**fields: Any) -> dict[str, Any]:
    return {"code": {"language": "python", "tests": [STDIO]} | fields}


def check(fields: dict[str, Any]) -> str | None:
    return problem(json_format.ParseDict(fields, pb.Item()), LIMITS, ["python"])


@pytest.mark.parametrize(
    "fields",
    [
        {"math": MATH},
        {"math": MATH, "recipe": "r1_zero"},
        {"math": MATH, "recipe": "r1_reasoning", "language": "zh-Hans"},
        {"math": MATH, "response": "é" * 500},
        code(),
        code(tests=[{"stdin": "", "stdout": ""}]),
        code(tests=[{"args_json": ["1"], "expected_json": "2"}], entry_point="f"),
        code(tests=[{"expected_json": "2"}], entry_point="f"),
        code(tests=[{"source": "assert True"}], checker="exact"),
    ],
)
def test_good_items(fields: dict[str, Any]) -> None:
    assert check(fields) is None


def test_unknown_enum_numbers_are_named() -> None:
    item = pb.Item(math=pb.MathTask(gold=["4"], policy=pb.MathPolicy(order=99)))  # type: ignore[arg-type]
    assert problem(item, LIMITS, ["python"]) == (
        "math.policy.order: one of ANY, AS_WRITTEN, KEPT, ORDER_UNSPECIFIED, got the number 99"
    )
    task = pb.CodeTask(language="python", scoring=99, tests=[pb.CodeTest(stdout="")])  # type: ignore[arg-type]
    found = problem(pb.Item(code=task), LIMITS, ["python"])
    assert found is not None
    assert found.startswith("code.scoring: one of ALL, FRACTION, LADDER, UNSPECIFIED")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {},
            "task: exactly one of math, code, choice, instructions, judge, preference is required, got none",
        ),
        ({"choice": {"gold": "B9"}}, "choice.gold: a letter from A to Z, got 'B9'"),
        ({"math": MATH, "response": "x" * 1001}, "response: at most 1000 bytes, got 1001"),
        ({"math": MATH, "response": "é" * 501}, "response: at most 1000 bytes, got 1002"),
        ({"math": MATH, "prompt": "x" * 101}, "prompt: at most 100 bytes, got 101"),
        (
            {"math": MATH, "recipe": "r2"},
            "recipe: one of code_ladder, dapo, judge_only, points, r1_all_scenarios, r1_general, r1_reasoning, r1_zero, got 'r2'",
        ),
        (
            {"math": MATH, "recipe": ""},
            "recipe: one of code_ladder, dapo, judge_only, points, r1_all_scenarios, r1_general, r1_reasoning, r1_zero, got ''",
        ),
        (
            {"math": MATH, "recipe": "r1_reasoning"},
            "language: required by recipe 'r1_reasoning', got none",
        ),
        ({"math": MATH, "language": "tlh"}, "language: one of en, zh"),
        ({"math": MATH, "inline_recipe": {}}, "inline_recipe.parts: at least 1 part, got 0"),
        ({"math": {}}, "math.gold: 1 to 64 references, got 0"),
        (
            {"math": MATH | {"policy": {"rounding": 1001}}},
            "math.policy.rounding: at most 1000, got 1001",
        ),
        ({"math": {"gold": ["4", " "]}}, "math.gold[1]: must not be empty"),
        ({"math": {"gold": ["4" * 51]}}, "math.gold[0]: at most 50 characters, got 51"),
        (code(language="cobol"), "code.language: one of python, got 'cobol'"),
        (code(tests=[]), "code.tests: 1 to 3 tests, got 0"),
        (code(tests=[STDIO] * 4), "code.tests: 1 to 3 tests, got 4"),
        (code(tests=[{"stdin": "x" * 600, "stdout": ""}]), "at most 500 bytes together, got 6"),
        (code(checker="vibes"), "code.checker: one of tokens, words, exact, lines, floats"),
        (code(program=" "), "code.program: must not be empty when given"),
        (code(tests=[{}]), "code.tests[0]: exactly one of"),
        (code(tests=[STDIO | {"source": "assert True"}]), "got stdio and source"),
        (code(tests=[{"stdin": "1"}]), "code.tests[0].stdout: required beside stdin, got none"),
        (
            code(tests=[STDIO | {"weight": 0}]),
            "code.tests[0].weight: above 0 and at most 1e+06, got 0",
        ),
        (code(tests=[{"source": ""}]), "code.tests[0].source: must not be empty"),
        (code(tests=[{"expected_json": "1"}]), "code.entry_point is required"),
        (
            code(tests=[{"args_json": ["1"]}], entry_point="f"),
            "code.tests[0].expected_json: required beside args_json, got none",
        ),
        (
            code(tests=[STDIO, {"args_json": ["(1,)"], "expected_json": "1"}], entry_point="f"),
            "code.tests[1].args_json[0]: not JSON",
        ),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_bad_items_are_named(fields: dict[str, Any], message: str) -> None:
    found = check(fields)
    assert found is not None
    assert message in found
