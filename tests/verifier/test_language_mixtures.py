"""The share against texts whose true share is known, and its speed in steps."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest

from tests.verifier.language_texts import NOT_WORDS, SENTENCES, Mixture, mixture, words
from verifier.language import share

REQUIRED = 0.02
"""Mean absolute error over all languages and levels; see `test_mean_error`."""

LEVELS = [step / 10 for step in range(11)]
SEEDS = (0, 1)
PARTNERS = dict.fromkeys(SENTENCES, ("en",)) | {
    "en": ("zh", "de", "fr", "es", "ru"),
    "de": ("en", "nl"),
    "nl": ("en", "de"),
    "fr": ("en", "it", "es"),
    "es": ("en", "pt", "it"),
    "pt": ("en", "es", "it"),
    "it": ("en", "es", "fr"),
    "ru": ("en", "uk"),
    "uk": ("en", "ru"),
    "zh": ("en", "ja"),
    "ja": ("en", "zh"),
    "th": ("en", "zh"),
}
PAIRS = [(language, other) for language, others in PARTNERS.items() for other in others]


def _value(mixed: Mixture, language: str) -> float:
    value = share(mixed.text, language).value
    assert value is not None
    return value


def _errors(language: str, other: str, sentences: int) -> list[float]:
    return [
        abs(_value(mixed, language) - mixed.share)
        for level in LEVELS
        for seed in SEEDS
        for mixed in [mixture(language, other, level, sentences, seed)]
    ]


@pytest.mark.parametrize("sentences", [10, 30])
def test_mean_error(sentences: int) -> None:
    errors = [error for pair in PAIRS for error in _errors(*pair, sentences)]
    assert sum(errors) / len(errors) <= REQUIRED / 4


@pytest.mark.parametrize(("language", "other"), PAIRS)
def test_error_of_a_pair(language: str, other: str) -> None:
    errors = _errors(language, other, 20)
    assert sum(errors) / len(errors) <= REQUIRED


@pytest.mark.parametrize(("language", "other"), PAIRS)
def test_more_of_a_language_is_a_higher_share(language: str, other: str) -> None:
    for seed in SEEDS:
        values = [_value(mixture(language, other, level, 20, seed), language) for level in LEVELS]
        assert values == sorted(values)
        assert values[0] == pytest.approx(0.0, abs=0.03)
        assert values[-1] == pytest.approx(1.0, abs=0.03)


def test_the_truth_itself() -> None:
    """The hand's count of a few sentences, and that a mixture is what it says."""
    assert words("First we add the two numbers, then (maybe) I stop.") == 10
    assert words("首先|我们|把|两|个|数|加|起来，然后|检查|结果。") == 11
    assert words("ถ้า|เศษ|เป็น|ศูนย์ จำนวน|นั้น") == 6
    mixed = mixture("fr", "en", 0.5, 20, 0)
    assert 0.4 < mixed.share < 0.6
    assert any(part.strip() in mixed.text for part in NOT_WORDS)
    assert mixture("fr", "en", 1.0, 20, 0).share == 1.0
    assert all(len(sentences) >= 12 for sentences in SENTENCES.values())
    assert "|" not in mixed.text


def test_a_models_english_is_english(data_dir: Path) -> None:
    """Three hundred real responses, with names, lists and formulas as a model writes them."""
    with gzip.open(data_dir / "verdicts" / "mmlu_pro_llama3.1-8b-instruct.jsonl.gz", "rt") as rows:
        responses = [json.loads(row)["response"] for row in islice(rows, 300)]
    shares = [share(response, "en") for response in responses]
    assert sum(counted.total for counted in shares) > 10_000
    assert all(counted.value is None or counted.value >= 0.97 for counted in shares)
    assert all(share(response, "de").target == 0 for response in responses)
