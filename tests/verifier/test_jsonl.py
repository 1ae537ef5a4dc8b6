from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import jsonl
from verifier.v1 import verifier_pb2 as pb

MATH = '{"id": "a", "response": "4", "math": {"gold": ["4"]}}'


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b'{"id": "a"', ["line 7", "not JSON"]),
        (b"[1]", ["line 7", "object is wanted, got a list"]),
        (b'{"id": "\xff"}', ["line 7", "not UTF-8 at byte 8"]),
        (b'{"id": "a", "gold": 4}', ["line 7", "gold"]),
        (b'{"math": {"gold": ["4"]}, "choice": {"gold": "B"}}', ["line 7", "task"]),
        (b'{"math": {"gold": ["4"], "extra": 1}}', ["line 7", "extra"]),
        (b'{"deadline_ms": -1}', ["line 7", "-1"]),
        (b'{"id": "a", "inline_recipe": {"gated": 1' + b"0" * 400 + b"}}", ["line 7", "too large"]),
    ],
)
def test_bad_lines_are_named(line: bytes, parts: list[str]) -> None:
    found = jsonl.read_item(7, line)
    assert isinstance(found, jsonl.BadLine)
    for part in parts:
        assert part in found.message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"response": ["a"]}', "response: a text in quotes, got ['a']"),
        ('{"math": "4"}', "math: an object, got '4'"),
        ('{"math": {"gold": "4"}}', "math.gold: a list, got '4'"),
        ('{"math": {"gold": ["4", 5]}}', "math.gold[1]: a text in quotes, got 5"),
        ('{"math": {"gold": [null]}}', "math.gold[0]: a text in quotes, got None"),
        (
            '{"instructions": {"constraints": [{"id": "a"}, {"kwargs": {"n": 1}}]}}',
            "instructions.constraints[1].kwargs: a text in quotes, got {'n': 1}",
        ),
        ('{"judge": {"criteria": ["x"]}}', "judge.criteria[0]: an object, got 'x'"),
        (
            '{"judge": {"mode": "reference"}}',
            "judge.mode: one of HARMLESS, HELPFUL, REFERENCE, RUBRIC, got 'reference'",
        ),
        ('{"code": {"scoring": []}}', "code.scoring: one of ALL, FRACTION, LADDER, got []"),
        ('{"choice": {"golds": "B"}}', "choice.golds: no such field, ChoiceTask has gold, options"),
        ('{"meta": {"seed": 5}}', "meta[seed]: a text in quotes, got 5"),
        ('{"meta": ["seed"]}', "meta: an object, got ['seed']"),
    ],
)
def test_a_value_of_another_kind_is_named_all_the_way_to_its_field(line: str, message: str) -> None:
    found = jsonl.read_item(7, line.encode())
    assert isinstance(found, jsonl.BadLine)
    assert found.message == f"line 7: {message}"


def test_fields_by_their_other_name_and_null_are_no_faults() -> None:
    line = '{"deadlineMs": null, "meta": null, "math": {"gold": null}, "code": 1, "response": "a"}'
    found = jsonl.read_item(7, line.encode())
    assert isinstance(found, jsonl.BadLine)
    assert found.message == "line 7: code: an object, got 1"


def test_bad_line_keeps_its_id() -> None:
    found = jsonl.read_item(1, b'{"id": "mine", "nonsense": 1}')
    assert isinstance(found, jsonl.BadLine)
    assert found.id == "mine"


def test_half_a_surrogate_pair_is_a_bad_line_that_can_be_written() -> None:
    found = jsonl.read_item(3, b'{"id": "a\\ud800", "response": "x", "math": {"gold": ["4"]}}')
    assert isinstance(found, jsonl.BadLine)
    assert found.id == "a?"
    assert found.message.startswith("line 3")
    pb.Verdict(id=found.id, evidence=pb.Evidence(message=found.message)).SerializeToString()


def test_byte_order_mark_is_passed_over() -> None:
    assert isinstance(jsonl.read_item(1, b"\xef\xbb\xbf" + MATH.encode()), pb.Item)


def test_blank_lines_are_passed_over_and_numbers_stay() -> None:
    first, second = jsonl.read_items([b"\n", MATH.encode(), b"  \n", b"{"])
    assert isinstance(first, pb.Item)
    assert isinstance(second, jsonl.BadLine)
    assert second.number == 4


def test_verdict_always_has_its_main_fields() -> None:
    written = json.loads(jsonl.write_verdict(pb.Verdict(id="a", parts=[pb.Part(name="format")])))
    assert written["reward"] is None
    assert written["status"] == "UNSPECIFIED"
    assert written["parts"] == [
        {"name": "format", "score": None, "weight": 0.0, "reason": "UNSPECIFIED"}
    ]
    right = pb.Verdict(
        status=pb.Verdict.OK,
        reward=0.0,
        parts=[pb.Part(name="accuracy", score=0.0, weight=1, reason=pb.Part.no_match)],
    )
    written = json.loads(jsonl.write_verdict(right))
    assert (written["id"], written["status"], written["reward"]) == ("", "OK", 0.0)
    assert written["parts"][0] == {
        "name": "accuracy", "score": 0.0, "weight": 1.0, "reason": "no_match",
    }  # fmt: skip


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_items_round_trip(name: str, response: str, gold: list[str]) -> None:
    line = json.dumps({"id": name, "response": response, "math": {"gold": gold}})
    item = jsonl.read_item(1, line.encode())
    assert isinstance(item, pb.Item)
    assert (item.id, item.response, list(item.math.gold)) == (name, response, gold)


@given(st.binary(max_size=100))
def test_any_line_is_an_item_or_a_bad_line(line: bytes) -> None:
    assert isinstance(jsonl.read_item(1, line), pb.Item | jsonl.BadLine)


def test_a_name_with_half_of_a_surrogate_pair_is_a_bad_line() -> None:
    line = b'{"id": "a", "response": "a", "preference": "\\ud800"}\n'
    (bad,) = jsonl.read_items(io.BytesIO(line))
    assert isinstance(bad, jsonl.BadLine)
    assert "preference" in bad.message
