from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.test_length import steps
from verifier import readability
from verifier.readability import PARAGRAPH_WORDS, check, problem
from verifier.v1 import verifier_pb2 as pb

EN = "First we add the two numbers and then we check that the result is even."
ZH = "首先我们把两个数加起来然后检查结果是不是偶数。"
PAGE = "word " * PARAGRAPH_WORDS


@pytest.mark.parametrize(
    ("response", "language", "reason"),
    [
        (f"<think>{EN}</think>It is 4.", "en", "readable"),
        (f"<think>{EN}</think>It is 4.", None, "readable"),
        (f"{ZH}</think>四", "zh", "readable"),
        ("", "en", "readable"),
        ("<think>$x = 5$</think>5", "en", "readable"),  # no word in any language
        # Code blocks: in the thought alone, closed or not.
        (f"<think>{EN}\n```python\nprint(4)\n```\n</think>4", "en", "code_in_thinking"),
        (f"<think>{EN}\n```\n</think>4", "en", "code_in_thinking"),
        (f"<think>{EN} like this: ```x = 4```</think>4", "en", "code_in_thinking"),
        (f"<think>{EN}\n  ~~~\nx\n  ~~~\n</think>4", "en", "code_in_thinking"),
        (f"<think>~~~\nx</think>{EN}", "en", "code_in_thinking"),
        (f"{EN}\n```python\nprint(4)\n```", "en", "code_in_thinking"),  # no tag: all is thought
        (f"<think>{EN}</think>```python\nprint(4)\n```", "en", "readable"),
        (f"<think>{EN} with `print(4)` and ``x``</think>4", "en", "readable"),
        (f"<think>{EN} about ~~~ 4 or so</think>4", "en", "readable"),
        # Long paragraphs: of the thought alone, up to a line break.
        (f"<think>{PAGE}</think>4", "en", "readable"),
        (f"<think>{PAGE}more</think>4", "en", "long_paragraph"),
        (f"<think>{EN}\n\n{PAGE}more\n\n{EN}</think>4", "en", "long_paragraph"),
        (f"<think>{PAGE}\n{PAGE}\n\n{PAGE}</think>4", "en", "readable"),
        (f"<think>{EN}</think>{PAGE}{PAGE}", "en", "readable"),
        (f"<think>{'我' * PARAGRAPH_WORDS}</think>4", "zh", "readable"),
        (f"<think>{'我' * PARAGRAPH_WORDS}我</think>4", "zh", "long_paragraph"),
        (f"<think>{'a' * 16 * PARAGRAPH_WORDS}a</think>4", None, "long_paragraph"),
        # Mixed languages: of the thought alone.
        (f"<think>{EN} {ZH}</think>4", "en", "mixed_languages"),
        (f"<think>{EN} {ZH}</think>4", "zh", "mixed_languages"),
        (f"<think>{EN} {ZH}</think>4", None, "readable"),
        (f"<think>{ZH}</think>4", "en", "mixed_languages"),
        (f"<think>{EN}</think>{ZH}", "en", "readable"),
        (f"<think>{EN} {EN} {EN} (数)</think>4", "en", "readable"),  # one quoted word
        # The first reason in this order: code, paragraph, language.
        (f"<think>{ZH}\n{PAGE}more\n```\n</think>", "en", "code_in_thinking"),
        (f"<think>{ZH}\n{PAGE}more</think>", "zh", "long_paragraph"),
    ],
)
def test_check(response: str, language: str | None, reason: str) -> None:
    found = check(response, language, {})
    assert found.reason == reason, found.detail
    assert found.score == (1.0 if reason == "readable" else 0.0)
    assert bool(found.detail) == (reason != "readable")
    assert pb.Part.Reason.Value(reason) > 0


def test_details() -> None:
    assert check("ab\n```", None, {}).detail == "a code block opens at character 3 of the thinking"
    assert check("a b\nc d e", None, {"paragraph": "2"}).detail == "3 words in line 2, at most 2"
    found = check(ZH, "en", {"share": "0.99"})
    assert found.detail == "0.0 % of the words in en, at least 99 %"


def test_options() -> None:
    assert check("a b c", None, {"paragraph": "3"}).reason == "readable"
    assert check("a b c", None, {"paragraph": "2"}).reason == "long_paragraph"
    mixed = f"<think>{EN} {ZH}</think>4"
    assert check(mixed, "en", {"share": "0.1"}).reason == "readable"
    assert check(mixed, "en", {"share": "0"}).reason == "readable"
    mostly = f"<think>{EN * 5} {ZH}</think>4"
    assert check(mostly, "en", {"share": "0.5"}).reason == "readable"
    assert check(EN, "en", {"share": "1"}).reason == "readable"
    assert check(mostly, "en", {"share": "1"}).reason == "mixed_languages"


def test_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="xx"):
        check(EN, "xx", {})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"paragraph": "0"}, "options[paragraph]: a whole number from 1 to 1000000000, got '0'"),
        ({"paragraph": "many"}, "options[paragraph]"),
        ({"share": "1.5"}, "options[share]: a number from 0 to 1, got '1.5'"),
        ({"share": "90 %"}, "options[share]"),
    ],
)
def test_refused_options(options: dict[str, str], named: str) -> None:
    assert named in (problem(options) or "")


def test_accepted_options() -> None:
    assert problem({}) is None
    assert problem({"paragraph": "1", "share": "0.95"}) is None


@given(
    st.dictionaries(st.sampled_from(sorted(readability.OPTIONS)), st.text(max_size=8)),
    st.text(st.sampled_from("ab \n\r`~我<>\u2028")),
)
def test_any_text_and_options(options: dict[str, str], response: str) -> None:
    if problem(options) is None:
        assert check(response, None, options).score in (0.0, 1.0)


@pytest.mark.parametrize("unit", ["\n", "a\n", "~~", "``a", " ", "a", "\t\n", "<think>", "我\n"])
def test_time_is_linear_on_hostile_text(unit: str) -> None:
    small, large = (steps(check, unit * times, None, {}) for times in (1000, 4000))
    assert large <= 4 * small + 100
    assert check(unit * (2**20 // len(unit.encode())), None, {}).score in (0.0, 1.0)
