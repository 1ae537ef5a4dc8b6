"""Every shape of a judge's answer: the right one is read, all others are refused in our words."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.judge import parse

LABELS = ("correct", "incorrect")
RIGHT = '{"analysis": "both say 4", "correctness": "correct"}'


def read(text: str) -> parse.Verdict:
    return parse.label(text, "correctness", LABELS)


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        f"  \n{RIGHT}\n",
        f"```json\n{RIGHT}\n```",
        f"```\n{RIGHT}\n```",
        '{"correctness": "correct", "analysis": "both say 4"}',
        '{"analysis": "both say \\u0034", "correctness": "c\\u006frrect"}',
    ],
)
def test_an_answer_of_the_right_shape_is_read(text: str) -> None:
    assert read(text) == parse.Verdict(("correct",), "both say 4")


REFUSED = {
    "empty": "",
    "blank": " \n\t",
    "truncated in the analysis": RIGHT[:20],
    "truncated before the brace": RIGHT[:-1],
    "truncated fence": f"```json\n{RIGHT}",
    "text before": f"My verdict: {RIGHT}",
    "text behind": f"{RIGHT}\nThat is my verdict.",
    "text before a fence": f"Here:\n```json\n{RIGHT}\n```",
    "text behind a fence": f"```json\n{RIGHT}\n```\nDone.",
    "two fences": f"```json\n{RIGHT}\n```\n```json\n{RIGHT}\n```",
    "fence of another language": f"```python\n{RIGHT}\n```",
    "fence in one line": f"```json {RIGHT} ```",
    "two objects": RIGHT + RIGHT,
    "a list": f"[{RIGHT}]",
    "a text": '"correct"',
    "the bare label": "correct",
    "a number": "1",
    "null": "null",
    "key missing": '{"correctness": "correct"}',
    "label missing": '{"analysis": "correct"}',
    "key added": RIGHT[:-1] + ', "confidence": 1}',
    "key in capitals": '{"Analysis": "x", "Correctness": "correct"}',
    "key of another mode": '{"analysis": "x", "verdict": "correct"}',
    "label in capitals": '{"analysis": "x", "correctness": "Correct"}',
    "label with a blank": '{"analysis": "x", "correctness": "correct "}',
    "label of another mode": '{"analysis": "x", "correctness": "safe"}',
    "label with more": '{"analysis": "x", "correctness": "not correct"}',
    "label a truth value": '{"analysis": "x", "correctness": true}',
    "label a list": '{"analysis": "x", "correctness": ["correct"]}',
    "label an object": '{"analysis": "x", "correctness": {"correct": 1}}',
    "label null": '{"analysis": "x", "correctness": null}',
    "analysis a list": '{"analysis": ["x"], "correctness": "correct"}',
    "a key twice": '{"analysis": "x", "correctness": "incorrect", "correctness": "correct"}',
    "a key twice below": '{"analysis": {"a": 1, "a": 2}, "correctness": "correct"}',
    "NaN": '{"analysis": NaN, "correctness": "correct"}',
    "Infinity": '{"analysis": -Infinity, "correctness": "correct"}',
    "single quotes": "{'analysis': 'x', 'correctness': 'correct'}",
    "trailing comma": '{"analysis": "x", "correctness": "correct",}',
    "comment": RIGHT + " // sure",
    "raw line end in a text": '{"analysis": "a\nb", "correctness": "correct"}',
    "quotation marks of print": "{“analysis”: “x”, “correctness”: “correct”}",
    "thinking before": f"<think>It says 4.</think>{RIGHT}",
    "byte order mark": "\ufeff" + RIGHT,
    "nested deep": "[" * 60_000,
    "digits without end": '{"analysis": ' + "1" * 60_000 + "}",
    "too long": json.dumps({"analysis": "x" * 70_000, "correctness": "correct"}),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_an_answer_of_any_other_shape_is_refused(text: str) -> None:
    with pytest.raises(parse.NoVerdict) as refused:
        read(text)
    assert str(refused.value)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_refusal_never_repeats_the_answer(text: str) -> None:
    marked = f"@@{text}@@"
    for shape in (
        marked,
        json.dumps({marked: 1}),
        json.dumps({"analysis": "", "correctness": marked}),
    ):
        with pytest.raises(parse.NoVerdict) as refused:
            read(shape)
        assert "@@" not in str(refused.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(LABELS),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["analysis", "correctness", "x"]), inner)
        ),
    )
)
def test_only_the_one_shape_is_a_verdict(value: object) -> None:
    right = (
        isinstance(value, dict)
        and value.keys() == {"analysis", "correctness"}
        and isinstance(value["analysis"], str)
        and value["correctness"] in LABELS
    )
    try:
        read(json.dumps(value))
    except parse.NoVerdict:
        assert not right
    else:
        assert right


def test_a_list_has_as_many_labels_as_were_asked_for() -> None:
    text = '{"analysis": "x", "criteria": ["met", "not_met"]}'
    labels = ("met", "not_met")
    assert parse.label_list(text, "criteria", labels, 2).labels == ("met", "not_met")
    for count, shape in (
        (3, text),
        (1, text),
        (2, text.replace("not_met", "unmet")),
        (2, '{"analysis": "x", "criteria": "met"}'),
        (2, '{"analysis": "x", "criteria": {"1": "met", "2": "met"}}'),
        (2, '{"analysis": "x", "criteria": ["met", ["met"]]}'),
    ):
        with pytest.raises(parse.NoVerdict):
            parse.label_list(shape, "criteria", labels, count)


def test_a_digit_stands_alone() -> None:
    assert parse.digit(" 2\n", 2) == 2
    for text in ("", "0", "3", "12", "1.", "１", "²", "one", "1 2", "The digit is 1", '"1"'):
        with pytest.raises(parse.NoVerdict):
            parse.digit(text, 2)


def test_probabilities_are_those_of_the_digits_among_themselves() -> None:
    logprobs = {"1": math.log(0.6), "2": math.log(0.2), "The": math.log(0.2)}
    assert parse.probabilities(logprobs, 2) == pytest.approx((0.75, 0.25))
    assert parse.probabilities({"2": math.log(0.9)}, 2) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize(
    "logprobs",
    [
        {},
        {"The": 0.0},
        {"1": math.log(0.1), "2": math.log(0.2)},
        {"1": math.nan, "2": 0.0},
        {"1": -math.inf},
    ],
)
def test_digits_that_the_model_hardly_thought_of_tell_nothing(logprobs: dict[str, float]) -> None:
    assert parse.probabilities(logprobs, 2) is None


@given(st.dictionaries(st.sampled_from(["1", "2", "3", "x"]), st.floats()))
def test_probabilities_add_up_to_one(logprobs: dict[str, float]) -> None:
    shares = parse.probabilities(logprobs, 3)
    assert shares is None or sum(shares) == pytest.approx(1.0)
