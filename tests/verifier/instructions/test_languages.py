from __future__ import annotations

import random

import pytest

from verifier.instructions import languages

TEXTS = {
    "en": "The quick brown fox jumps over the lazy dog and sleeps in the warm sun.",
    "de": "Der schnelle braune Fuchs springt über den faulen Hund und schläft in der Sonne.",
    "fr": "Le renard brun saute par-dessus le chien paresseux et dort au soleil.",
    "hi": "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर से कूदती है और धूप में सोती है।",
    "ko": "빠른 갈색 여우가 게으른 개를 뛰어넘어 햇볕 아래에서 잠을 잔다.",
    "sw": "Mbweha wa kahawia anaruka juu ya mbwa mvivu na kulala kwenye jua la joto.",
    "zh-cn": "敏捷的棕色狐狸跳过了那只懒惰的狗，然后在温暖的阳光下睡着了。",
}


@pytest.mark.parametrize(("language", "text"), TEXTS.items())
def test_languages_are_told(language: str, text: str) -> None:
    assert languages.detect(text) == language
    assert language in languages.known()


@pytest.mark.parametrize("text", ["", " ", "123 456", "!?", "https://a.example/b"])
def test_nothing_to_go_by(text: str) -> None:
    assert languages.detect(text) is None


def test_the_same_text_always_gets_the_same_answer() -> None:
    mixed = "PRADA OR NIKE?\n" * 10
    first = languages.detect(mixed)
    for seed in range(5):
        random.seed(seed)
        languages._detect.cache_clear()
        assert languages.detect(mixed) == first


def test_all_profiles_are_there() -> None:
    assert len(languages.known()) == 55
    assert list(languages.known()) == sorted(languages.known())


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert languages.detect(TEXTS["en"] * 1_000 + TEXTS["ko"] * 10_000) == "en"
