from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.language import SCRIPTS, primary, share

EN = "First we add the two numbers and then we check the result"
ZH = "首先我们把两个数加起来然后检查结果"
JA = "まず二つの数を足して、その結果を確かめます"
RU = "Сначала сложим два числа и проверим результат"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (EN, "en", 1.0),
        (EN, "zh", 0.0),
        (ZH, "zh", 1.0),
        (ZH, "zh-CN", 1.0),
        (ZH, "en", 0.0),
        (ZH, "ja", 0.0),
        (JA, "ja", 1.0),
        (RU, "ru", 1.0),
        ("그러면 두 수를 더합니다", "ko", 1.0),
        ("हम दो संख्याएँ जोड़ते हैं", "hi", 1.0),
        (EN + ". " + RU, "en", 12 / 18),
        ("Let $\\text{x}$ be 5 und $y = f(x)$", "en", 1.0),
        ("```python\nprint(1)\n```\n" + ZH, "zh", 1.0),
        ("so x and y are `left_sum`, see https://example.org/abc", "en", 1.0),
        (ZH + " \\boxed{\\frac{apple}{pear}} \\[ \\sin alpha \\]", "zh", 1.0),
    ],
)
def test_share(text: str, language: str, expected: float) -> None:
    assert share(text, language).value == pytest.approx(expected)


def test_japanese_does_not_count_as_chinese() -> None:
    counted = share(JA, "zh").value
    assert counted is not None
    assert counted == 0.0


def test_no_words() -> None:
    assert share("$x = 5$ 42 !", "en").value is None
    assert share("", "zh").value is None


def test_unknown_language_is_refused() -> None:
    assert primary("fr") is None
    with pytest.raises(ValueError, match="'fr' is not one of en, zh"):
        share(EN, "fr")


@given(st.text(), st.sampled_from(sorted(SCRIPTS)))
def test_any_text_has_a_share_between_0_and_1(text: str, language: str) -> None:
    counted = share(text, language)
    assert 0 <= counted.target <= counted.total


@given(st.integers(0, 20), st.integers(0, 20))
def test_constructed_mixture(english: int, russian: int) -> None:
    text = " ".join(["word"] * english + ["слово"] * russian)
    counted = share(text, "en")
    assert (counted.target, counted.total) == (english, english + russian)


@pytest.mark.parametrize(
    "unit", ["$", "`", "```", "\\[", "\\(", "\\begin{", "<a", "\\boxed{", "a "]
)
def test_a_megabyte_of_openings_costs_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    share(text, "en")
    assert time.process_time() - started < 5.0
