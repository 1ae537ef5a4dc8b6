"""demo.jsonl: that every line is an item with a well-formed known verdict.

Not covered: that the known verdicts are right, which `make demo` shows.
"""

from __future__ import annotations

import json
from collections import Counter

import demo
import pytest
from google.protobuf import json_format
from known import Known, expectation

from verifier.v1 import verifier_pb2 as pb

FAMILIES = {
    "answer_line", "answer_only_in_thinking", "bad_item", "base", "big_integer", "calculus",
    "chinese", "choice", "choice_letter", "code_call", "code_hostile", "code_limits", "code_recipe",
    "code_scoring", "code_source", "code_stdin", "combinatorics", "complex", "decimal", "degrees",
    "equation", "format", "fraction", "free_text", "inequality", "instructions", "integer", "interval", "language",
    "list", "logarithm", "long_reasoning", "matrix", "mixed_number", "no_answer", "percent", "pi",
    "polynomial", "r1_zero", "radical", "ratio", "repeating_decimal", "rounding", "scientific",
    "set", "several_golds", "sum", "text", "tiny_number", "trigonometry", "tuple", "two_boxes",
    "unclosed_box", "units",
}  # fmt: skip

SLOW = {"cpu_limit", "wall_limit"}


@pytest.fixture(scope="module")
def own() -> list[Known]:
    return demo.own_items().items


def test_every_line_is_an_item_with_fields_the_contract_knows() -> None:
    for line in demo.OWN_ITEMS.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        item = json_format.ParseDict(value, pb.Item(), ignore_unknown_fields=False)
        again = json_format.MessageToDict(item, preserving_proto_field_name=True)
        assert again.keys() <= value.keys(), item.id  # field names in snake_case


def test_there_are_enough_items_and_their_ids_differ(own: list[Known]) -> None:
    assert len(own) >= 260
    assert len({known.item.id for known in own}) == len(own)


def test_all_families_are_there(own: list[Known]) -> None:
    assert {known.item.meta["family"] for known in own} == FAMILIES


def test_right_and_wrong_answers_are_both_plenty(own: list[Known]) -> None:
    for task in ("math", "code"):
        scores = Counter(
            known.expected.accuracy for known in own if known.item.WhichOneof("task") == task
        )
        assert scores[1.0] >= 30, task
        assert scores[0.0] >= 30, task


def test_both_recipes_and_both_languages_are_there(own: list[Known]) -> None:
    used = Counter((known.item.recipe, known.item.language) for known in own)
    assert used["r1_zero", ""] >= 20
    assert used["r1_reasoning", "en"] >= 5
    assert used["r1_reasoning", "zh"] >= 5


def test_items_that_cost_real_time_are_few(own: list[Known]) -> None:
    slow = [known for known in own if known.expected.reason in SLOW]
    assert 2 <= len(slow) <= 4
    assert all(known.item.code.limits.cpu_seconds == 1 for known in slow)


def test_responses_differ_within_a_task(own: list[Known]) -> None:
    texts = Counter(
        known.item.SerializeToString(deterministic=True)
        for known in (_without_name(known) for known in own)
    )
    assert max(texts.values()) == 1


def _without_name(known: Known) -> Known:
    item = pb.Item()
    item.CopyFrom(known.item)
    item.id = ""
    return Known(item, known.expected)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"expected_status": "FINE"}, "expected_status"),
        ({"expected_status": "OK"}, "expected_accuracy"),
        ({"expected_status": "INVALID", "expected_accuracy": "0"}, "expected_accuracy"),
        ({"expected_status": "OK", "expected_accuracy": "2"}, "from 0 to 1"),
        ({"expected_status": "OK", "expected_accuracy": "1", "expected_reason": "x"}, "reason"),
        ({"expected_status": "INVALID", "expected_language_min": "0"}, "both ends"),
        ({"expected_status": "INVALID", "remark": ""}, "unknown keys remark"),
    ],
)
def test_a_bad_expectation_is_refused(meta: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expectation(meta)
