from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.adapters.core import accuracy, scores_of
from verifier.adapters.rows import (
    BadRow,
    ColumnMissing,
    Columns,
    Sample,
    item_of,
    plain,
    prompt_text,
    response_text,
)
from verifier.client import Item, Verdict
from verifier.ends import without_ends
from verifier.v1.verifier_pb2 import CodeTask, Part, Recipe


def item(row: Mapping[str, Any], columns: dict[str, str] | None = None, **told: Any) -> Item:
    sample = Sample(row, told.pop("response", "r"), "row 3", **told)
    return item_of(sample, Columns(columns or {}, {}), None)


@pytest.mark.parametrize(
    ("row", "columns", "golds"),
    [
        ({"math": "4"}, {}, ["4"]),
        ({"math": 4}, {}, ["4"]),
        ({"math": 0.5}, {}, ["0.5"]),
        ({"math": ["4", r"\frac{8}{2}"]}, {}, ["4", r"\frac{8}{2}"]),
        ({"math": np.array(["4", "5"])}, {}, ["4", "5"]),
        ({"math": np.int64(7)}, {}, ["7"]),
        ({"math": {"gold": ["4"], "policy": None}}, {}, ["4"]),
        ({"math": '{"gold": ["4"]}'}, {}, ["4"]),
        ({"math": "{1,2}"}, {}, ["{1,2}"]),
        ({"math": r"{\frac{1}{2}}"}, {}, [r"{\frac{1}{2}}"]),
        ({"math": "{}"}, {}, ["{}"]),
        ({"solution": "4"}, {"math": "solution"}, ["4"]),
        ({"truth": "4"}, {}, ["4"]),
        ({"truth": 4}, {}, ["4"]),
        ({"truth": '{"math": {"gold": ["4"]}}'}, {}, ["4"]),
        ({"truth": {"math": "4"}}, {}, ["4"]),
        ({"answer": {"math": ["4", "5"]}}, {"truth": "answer"}, ["4", "5"]),
        ({"math": "4", "code": None, "choice": math.nan}, {}, ["4"]),
    ],
)
def test_math_in_its_forms(row: dict[str, Any], columns: dict[str, str], golds: list[str]) -> None:
    assert list(item(row, columns).math.gold) == golds


def test_rows_of_other_kinds() -> None:
    assert item({"choice": " B ", "math": None}).choice.gold == "B"
    assert item({"choice": '{"gold": "B", "options": ["x", "y"]}'}).choice.options == ["x", "y"]
    code = {"language": "python", "tests": [{"stdin": "1", "stdout": "2", "args_json": None}]}
    made = item({"code": code}).code
    assert (made.language, made.tests[0].stdout) == ("python", "2")
    assert item({"code": {**code, "scoring": "FRACTION"}}).code.scoring == CodeTask.FRACTION
    constraints = [{"id": "punctuation:no_comma"}]
    assert item({"truth": {"instructions": {"constraints": constraints}}}).HasField("instructions")
    assert item({"judge": {"mode": "REFERENCE", "reference": "x"}}).judge.reference == "x"
    assert item({"preference": {"rival": "x", "mode": "HELPFUL"}}).preference.rival == "x"


def test_the_other_fields() -> None:
    row = {"math": "4", "id": 17, "language": "zh", "deadline_ms": 500, "lang": "fr"}
    made = item({**row, "recipe": "r1_zero"}, truncated=True, prompt="What?")
    assert (made.id, made.language, made.deadline_ms, made.prompt) == ("17", "zh", 500, "What?")
    assert made.meta["finish"] == "length"
    assert made.recipe == "r1_zero"
    assert item(row, {"language": "lang"}).language == "fr"
    assert item(row, {"language": ""}).language == ""
    assert item({"math": "4"}).id == "row 3"
    sample = Sample({"math": "4", "recipe": "r1_zero"}, "r", "row")
    assert item_of(sample, Columns({}, {}), "r1_reasoning").recipe == "r1_reasoning"
    recipe = Recipe(name="mine")
    assert item_of(sample, Columns({}, {}), recipe).inline_recipe == recipe


def test_a_column_is_read_once() -> None:
    row = {"answer": "B", "math": "x"}
    columns = Columns({"choice": "answer", "math": ""}, {"truth": "answer"})
    made = item_of(Sample(row, "r", "row"), columns, None)
    assert (made.choice.gold, made.WhichOneof("task")) == ("B", "choice")
    assert item({"truth": "B"}, {"choice": "truth"}).choice.gold == "B"


def test_a_column_of_its_own_stands_before_the_truths() -> None:
    truth = {"math": "4", "recipe": "r1_zero", "prompt": "What?", "meta": {"a": "b"}}
    made = item({"truth": truth, "recipe": "r1_reasoning"})
    assert (made.recipe, made.prompt, made.meta["a"]) == ("r1_reasoning", "What?", "b")


@pytest.mark.parametrize(
    ("row", "columns", "message"),
    [
        ({"math": None}, {}, "task: exactly one of .* got none, the columns math have no value"),
        ({"math": "4", "choice": "B"}, {}, "exactly one of .* got math and choice"),
        (
            {"math": "4", "truth": {"math": "5"}},
            {},
            "math: given by both columns 'math' and 'truth'",
        ),
        ({"math": {"gold": "4"}}, {}, "column 'math': .*gold"),
        ({"math": {"golds": ["4"]}}, {}, "column 'math': .*golds"),
        ({"s": True}, {"math": "s"}, "column 's': an answer is a text or a number, got True"),
        ({"math": [["4"]]}, {}, r"column 'math': .* got \['4'\]"),
        ({"code": "print(1)"}, {}, r"column 'code': an object or its JSON text, got 'print\(1\)'"),
        ({"truth": {"maths": 1}}, {}, "column 'truth': an object has the fields .* got 'maths'"),
        ({"math": "4", "deadline_ms": "soon"}, {}, "column 'deadline_ms': .*soon"),
    ],
)
def test_a_bad_row_is_told_by_its_column(
    row: dict[str, Any], columns: dict[str, str], message: str
) -> None:
    with pytest.raises(BadRow, match=message):
        item(row, columns)


def test_a_missing_column_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(
        ColumnMissing, match=r"columns\['math'\]: .* no column 'solution', .* problem, answer"
    ):
        item({"problem": "p", "answer": "4"}, {"math": "solution"})
    with pytest.raises(
        ColumnMissing, match=r"one of the columns math, code, .*truth; the rows have answer"
    ):
        item({"answer": "4"})
    with pytest.raises(ValueError, match=r"the fields are math, .* got 'answer'"):
        Columns({"answer": "math"}, {})
    with pytest.raises(ValueError, match=r"columns\['math'\]: a column's name, got 3"):
        Columns({"math": 3}, {})  # type: ignore[dict-item]


def test_responses() -> None:
    said = {"role": "assistant", "content": "yes"}
    assert response_text("yes") == "yes"
    assert response_text([said]) == "yes"
    assert (
        response_text([said, {"role": "tool", "content": "5"}, {**said, "content": "no"}]) == "no"
    )
    assert (
        response_text([{**said, "content": [{"type": "text", "text": "a"}, {"text": "b"}]}]) == "ab"
    )
    assert response_text([{**said, "content": None, "tool_calls": [{}]}]) == ""
    assert response_text([{"role": "user", "content": "?"}]) == ""
    assert response_text(np.array([said], dtype=object)) == "yes"
    for name in ("reasoning_content", "reasoning", "thinking"):
        assert response_text([{**said, name: "hm"}]) == "<think>hm</think>yes"
    with pytest.raises(BadRow, match="got None: no completion came"):
        response_text(None)
    with pytest.raises(BadRow, match="a text or a list of chat messages, got 5"):
        response_text(5)
    with pytest.raises(BadRow, match="a text or a list of parts, got 5"):
        response_text([{**said, "content": 5}])
    with pytest.raises(BadRow, match="response: no text that UTF-8 has"):
        item({"math": "4"}, response="\ud800")


def test_prompts() -> None:
    turns = [
        {"role": "system", "content": "Be good."},
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": [{"type": "text", "text": "3+3?"}]},
    ]
    assert prompt_text(turns) == "2+2?\n\n3+3?"
    assert prompt_text("2+2?") == "2+2?"
    assert prompt_text(None) == ""


ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>", "<eos>", "<end_of_turn>",
        "<｜end▁of▁sentence｜>")  # fmt: skip


@settings(deadline=None)
@given(st.text(), st.lists(st.sampled_from(ENDS)))
def test_only_closing_tokens_are_taken_away(text: str, ends: list[str]) -> None:
    bare = without_ends(text + "".join(ends))
    assert text.startswith(bare) or bare == text
    if without_ends(text) == text:
        assert bare == text
        assert without_ends(text + "<|im_end|>\n") == text


def test_values_of_other_libraries() -> None:
    told = {"a": np.float64(0.5), "b": np.array([1, 2]), "c": np.int64(3), "d": np.nan}
    assert plain({**told, "e": {"f": None, "g": np.str_("x")}}) == {
        "a": 0.5,
        "b": [1, 2],
        "c": 3,
        "e": {"g": "x"},
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["math", "code", "choice", "instructions", "judge", "preference", "truth", "id", "recipe",
     "inline_recipe", "language", "deadline_ms", "other"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(FIELDS, VALUES), VALUES, VALUES)
def test_any_row_is_an_item_or_a_named_error(
    row: dict[str, Any], response: object, prompt: object
) -> None:
    try:
        made = item(row, response=response, prompt=prompt)
    except (BadRow, ColumnMissing):
        return
    made.SerializeToString()
    assert made.WhichOneof("task")


def test_a_part_without_a_score_is_none_and_not_0() -> None:
    verdict = Verdict(parts=[Part(name="accuracy", score=0.0), Part(name="format")])
    assert scores_of(verdict) == {"accuracy": 0.0}
    assert accuracy(verdict) == 0.0
    assert accuracy(Verdict(parts=[Part(name="accuracy")])) is None
