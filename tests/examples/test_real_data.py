"""The converters, on rows of the real shape written here, and on the folder where it is at hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import real_data
from known import KnownSet

from verifier.v1 import verifier_pb2 as pb

RHO_ROW: dict[str, Any] = {
    "id": "rho-a",
    "source": "made for this test",
    "task": "gsm8k",
    "gold": "1,200",
    "pred": "1200",
    "response": "40 rows of 30 chairs make 1200 chairs. The answer is 1200.",
    "expected": True,
}
STDIN_PROBLEM: dict[str, Any] = {
    "question_id": "twice",
    "question_content": "Print twice the number.",
    "testtype": "stdin",
    "func_name": None,
    "errata": None,
    "public_tests": [["2\n", "4\n"]],
    "revealed_tests": [["-3\n", "-6\n"]],
    "unverified_tests": [["9\n", "99\n"]],
}
CALL_PROBLEM: dict[str, Any] = STDIN_PROBLEM | {
    "question_id": "join",
    "testtype": "functional",
    "func_name": "join",
    "public_tests": [['["a", "b"]\n"-"', '"a-b"']],
    "revealed_tests": [],
}
PROGRAM_ROW: dict[str, Any] = {
    "id": "lcb-twice",
    "question_id": "twice",
    "errata": None,
    "decidable": True,
    "expected": True,
    "response": "```python\nprint(2 * int(input()))\n```",
}
UNIT_ROW: dict[str, Any] = {
    "id": "hep-0-buggy",
    "language": "python",
    "prompt": "def inc(n):\n    '''Next number.'''\n",
    "declaration": "def inc(n):\n",
    "response": "    return n + 2\n",
    "test_setup": "",
    "gold": "def check(f):\n    assert f(1) == 2\n\ncheck(inc)",
    "expected": False,
}


def test_rho_takes_labels_and_errata() -> None:
    rows = [RHO_ROW | {"id": name} for name in ("rho-a", "rho-b", "rho-c")]
    errata = real_data.read_errata(
        {"note": "", "rows": [["rho-b", False, "why"], ["rho-c", None, "why"]]}
    )
    found = real_data.rho(rows, errata)
    assert [known.item.id for known in found.items] == ["rho-a", "rho-b"]
    assert [known.expected.accuracy for known in found.items] == [1.0, 0.0]
    assert found.left_out == {"undecidable by the errata": 1}
    assert found.items[0].item.math == pb.MathTask(
        gold=["1,200"], policy=pb.MathPolicy(free_text=True)
    )


def test_a_stdin_problem_becomes_stdin_tests() -> None:
    found = real_data.livecodebench([PROGRAM_ROW], [STDIN_PROBLEM])
    task = found.items[0].item.code
    assert task.language == "python"
    assert [(test.stdin, test.stdout) for test in task.tests] == [("2\n", "4\n"), ("-3\n", "-6\n")]
    assert task.entry_point == ""
    assert found.items[0].item.response == PROGRAM_ROW["response"]


def test_a_functional_problem_becomes_calls() -> None:
    row = PROGRAM_ROW | {"question_id": "join", "expected": False}
    known = real_data.livecodebench([row], [CALL_PROBLEM]).items[0]
    test = known.item.code.tests[0]
    assert list(test.args_json) == ['["a", "b"]', '"-"']
    assert test.expected_json == '"a-b"'
    assert known.item.code.entry_point == "join"
    assert known.expected.accuracy == 0.0


def test_what_livecodebench_leaves_out_is_counted() -> None:
    rows = [
        PROGRAM_ROW | {"decidable": False},
        PROGRAM_ROW | {"errata": "multi"},
        PROGRAM_ROW | {"question_id": "unknown"},
    ]
    found = real_data.livecodebench(rows, [STDIN_PROBLEM])
    assert not found.items
    assert sum(found.left_out.values()) == 3


def test_humanevalpack_joins_program_and_asserts() -> None:
    found = real_data.humanevalpack([UNIT_ROW, UNIT_ROW | {"language": "rust"}])
    known = found.items[0]
    assert known.item.response == "```python\ndef inc(n):\n    return n + 2\n```"
    assert known.item.code.tests[0].source.endswith("check(inc)\n")
    assert known.expected.accuracy == 0.0
    assert sum(found.left_out.values()) == 1


def test_a_folder_without_the_files_says_which(tmp_path: Path) -> None:
    found = list(real_data.load(tmp_path))
    assert len(found) == 3
    assert all(
        isinstance(sentence, str) and "not in the data folder" in sentence for sentence in found
    )


def test_a_folder_with_one_set_gives_it(tmp_path: Path) -> None:
    path = tmp_path / real_data.HUMANEVALPACK
    path.parent.mkdir()
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(UNIT_ROW) + "\n")
    sets = [found for found in real_data.load(tmp_path) if isinstance(found, KnownSet)]
    assert [len(found.items) for found in sets] == [1]


def test_the_real_folder_gives_at_least_3000_items(data_folder: Path) -> None:
    sets = [found for found in real_data.load(data_folder) if isinstance(found, KnownSet)]
    if len(sets) < 3:
        pytest.skip("the data folder lacks a set")
    names = [known.item.id for found in sets for known in found.items]
    assert len(names) >= 3000
    assert len(set(names)) == len(names)
    for found in sets:
        scores = {known.expected.accuracy for known in found.items}
        assert scores == {0.0, 1.0}, found.name
        for known in found.items:
            task = known.item.code
            assert known.item.HasField("math") or task.tests, known.item.id
            for test in task.tests:
                for text in (*test.args_json, test.expected_json or "null"):
                    json.loads(text)
