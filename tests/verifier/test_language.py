from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.verifier.language_texts import SENTENCES, plain
from verifier.language import SCRIPTS, Share, detect, primary, prose, share, spans
from verifier.language.words import RIVALS, SCRIPT_MATES, UNIQUE, WORDS

EN = "First we add the two numbers and then we check the result"
ZH = "首先我们把两个数加起来然后检查结果"
JA = "まず二つの数を足して、その結果を確かめます"
RU = "Сначала сложим два числа и проверим результат"
FR = "D'abord nous additionnons les deux nombres et nous vérifions le résultat"


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (EN, "en", 1.0),
        (EN, "zh", 0.0),
        (EN, "fr", 0.0),
        (FR, "fr-CA", 1.0),
        (FR, "en", 0.0),
        (ZH, "zh", 1.0),
        (ZH, "zh-CN", 1.0),
        (ZH, "en", 0.0),
        (ZH, "ja", 0.0),
        (JA, "ja", 1.0),
        (JA, "zh", 0.0),
        (RU, "ru", 1.0),
        (RU, "uk", 0.0),
        (EN + ". " + RU, "en", 12 / 19),
        (EN + ".\n" + FR, "fr", 11 / 23),
        ("Let $\\text{x}$ be 5 und $y = f(x)$", "en", 1.0),
        ("```python\nprint(1)\n```\n" + ZH, "zh", 1.0),
        ("so x and y are `left_sum`, see https://example.org/abc", "en", 1.0),
        (ZH + " \\boxed{\\frac{apple}{pear}} \\[ \\sin alpha \\]", "zh", 1.0),
        ("面积是 5 cm，x1 和 AB 的 sin 值", "zh", 1.0),
        ("根据 Pierre de Fermat 的定理", "zh", 1.0),
        ("根据 Euler 和 Evariste Galois 的定理", "zh", 1.0),
        ("根据 the Euler 的定理", "zh", 4 / 6),
        ("根据 The Theorem Of Evariste Galois 的定理", "zh", 4 / 9),
        ("根据 Euler, Gauss, Galois, Abel 的定理", "zh", 4 / 8),  # more names than words
        ("我们 women 把 ba 两个 liang ge 数", "zh", 4 / 8),  # pinyin is no Chinese
        ("the word Hund means dog in the sentence that we have", "de", 0.0),
        ("Das Wort dog ist nicht deutsch, aber der Satz ist es", "de", 1.0),
        ("𝑥 + ℝ ≤ ∑ αβ, " + ZH, "zh", 11 / 12),  # αβ is a Greek word
        ("α + β, " + ZH, "zh", 1.0),
        ("தமிழில் எழுதப்பட்ட வாக்கியம் " + EN, "en", 12 / 15),
    ],
)
def test_share(text: str, language: str, expected: float) -> None:
    assert share(text, language).value == pytest.approx(expected)


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_a_text_is_in_its_language_and_in_no_other(language: str) -> None:
    text = "\n".join(map(plain, SENTENCES[language]))
    for target in SCRIPTS:
        assert share(text, target).value == pytest.approx(float(target == language), abs=0.03)


NEIGHBOURS = {
    "sv": "Vänta, jag borde titta på det andra fallet en gång till.",
    "da": "Vi ved, at hvert lige tal er summen af to ulige tal.",
    "ro": "Mai întâi adunăm cele două numere și apoi verificăm rezultatul.",
    "ca": "Sabem que tot nombre parell és la suma de dos nombres senars.",
    "id": "Kita tahu bahwa setiap bilangan genap adalah jumlah dua bilangan ganjil.",
    "cs": "Nejprve sečteme obě čísla a pak zkontrolujeme výsledek.",
    "bg": "Знаем, че всяко четно число е сбор от две нечетни числа.",
    "fa": "این درست نیست، چون طرف چپ همیشه مثبت است.",
    "ur": "یہ نہیں چلے گا کیونکہ بایاں طرف ہمیشہ مثبت ہے۔",
    "mr": "आधी आपण दोन्ही संख्या मिळवतो आणि मग उत्तर तपासतो.",
}


@pytest.mark.parametrize("neighbour", sorted(NEIGHBOURS))
def test_a_language_without_support_counts_for_none_of_its_script(neighbour: str) -> None:
    for target in SCRIPTS:
        assert share(NEIGHBOURS[neighbour], target).target == 0


def test_a_japanese_heading_without_kana_is_japanese_and_a_chinese_one_chinese() -> None:
    assert share(JA + "。\n解答\n" + JA, "ja").value == 1.0
    assert share(ZH + "。\n解答\n" + ZH, "zh").value == 1.0
    assert share("解答：" + JA, "zh").value == 0.0


def test_no_words() -> None:
    assert share("$x = 5$ 42 !", "en") == Share(0, 0)
    assert share("", "zh").value is None


def test_unknown_language_is_refused() -> None:
    assert primary("tlh") is None
    assert primary("PT_br") == "pt"
    with pytest.raises(ValueError, match="'tlh' is not one of en, zh"):
        share(EN, "tlh")


def test_open_sentences_are_in_the_language_before_and_else_in_the_target() -> None:
    assert share(FR + ". Bon.", "fr").value == 1.0
    assert share(FR + ". Bon.", "en").value == 0.0
    assert share("Bon.", "en").value == share("Bon.", "fr").value == 1.0


def test_no_layout_hides_a_language() -> None:
    """One word a line, no full stops, or a long sentence around it."""
    french = " ".join(map(plain, SENTENCES["fr"]))
    bare = "".join(letter for letter in french if letter.isalpha() or letter in " '")
    for text in (french.replace(" ", "\n"), bare, french.replace(" ", " . ")):
        assert share(text, "fr").value == pytest.approx(1.0, abs=0.02)
        assert share(text, "en").value == pytest.approx(0.0, abs=0.02)


_CHOICE = {
    "zh": "选项 (A) 是错误的。(B) 不对，B. 也不对；选 C 或 AD，情形 III 和 (ii)，f' > x̄。答案：D，Ａ",
    "ja": "(A) は正しくない。B. も違う。C と AD を選ぶ。場合 III と (ii) と f' を見る。答え：D、（イ）",
    "ko": "(A) 는 틀렸다. B. 도 아니다. C 또는 AD 를 고른다. III 과 (ii) 와 f' 를 본다. 답: D, x",
    "ru": "(A) неверен. B. тоже. Берём C или AD, случаи III и (ii), потом f' и x. Ответ: D, A",
    "uk": "(A) неправильний. B. теж. Беремо C або AD, випадки III і (ii), потім f'. Відповідь: D, A",
    "ar": "الخيار (A) خاطئ. B. أيضا. نختار C أو AD ثم III و (ii) و f'. الجواب: D، A",
    "hi": "(A) गलत है। B. भी नहीं। C या AD चुनते हैं, III और (ii) और f' देखें। उत्तर: D, A",
    "he": "(A) שגויה. B. גם לא. נבחר C או AD, מקרה III וגם (ii) וגם f'. התשובה: D, A",
    "th": "(A) ผิด B. ก็ผิด เลือก C หรือ AD กรณี III และ (ii) และ f' คำตอบ: D, A",
    "el": "Το (A) είναι λάθος. B. επίσης. Το C ή το AD, μετά III και (ii) και f'. Απάντηση: D, A",
}


@pytest.mark.parametrize("language", sorted(_CHOICE))
def test_labels_and_variables_are_foreign_to_no_script(language: str) -> None:
    assert share(_CHOICE[language], language).value == 1.0


@pytest.mark.parametrize("language", sorted(SENTENCES))
@pytest.mark.parametrize("label", ["(A)", "B.", "(c)", "x,", "y'", "‘B’", "'C'", "AC", "(iv)", "(Б)", "(ㄱ)", "(أ)", "（甲）"])  # fmt: skip
def test_labels_leave_a_mixture_as_it_is(language: str, label: str) -> None:
    """Beside two scripts: neither for the language nor against it."""
    foreign = plain(SENTENCES["en" if SCRIPTS[language] != "Latin" else "zh"][1])
    text = "\n".join([*map(plain, SENTENCES[language]), foreign])
    labelled = "\n".join(f"{label} {line}" for line in text.splitlines()[:8])
    labelled += "\n" + "\n".join(text.splitlines()[8:])
    bare, beside = share(text, language).value, share(labelled, language).value
    assert bare is not None
    assert beside == pytest.approx(bare, abs=0.02)


@pytest.mark.parametrize("letters", ["a b c d ", "A B C D ", "(A) (B) ", "a i ", "A. I. ", "A, ", "x' y'' ", "'A' "])  # fmt: skip
@pytest.mark.parametrize("times", [1, 100])
def test_padding_with_letters_raises_no_share(letters: str, times: int) -> None:
    padding = letters * times
    for language in SCRIPTS:
        assert not share(padding, language).target
    for target, text in (("zh", ZH + "。 " + EN), ("en", ZH + "。 " + EN), ("en", ZH), ("zh", EN)):
        bare, padded = share(text, target).value, share(f"{text}. {padding}", target).value
        assert bare is not None
        assert padded is not None
        assert padded <= bare + 0.1 * (bare > 0)


def test_a_language_spelled_in_capitals_is_not_hidden() -> None:
    for between in (" ", ", ", ".", "-"):
        spelled = between.join(plain(EN).replace(" ", "").upper())
        counted = share(ZH + "。 " + spelled, "zh").value
        assert counted is not None
        assert counted < 0.3
    counted = share(ZH + "。 " + "".join(f"({letter})" for letter in "мыполучаемпять"), "zh").value
    assert counted is not None
    assert counted < 0.5


_WORDS = [
    (script, word)
    for language, script in SCRIPTS.items()
    for word in re.findall(r"[^\s.,:;!?|。、，।؟()\"«»]+", " ".join(SENTENCES[language][:3]))
]
_WORDS += [("Latin", word) for word in ("GPU", "T", "x", "kg", "sin", "don't", "Euler", "ABD")]
_WORDS += [("Greek", "α"), ("Georgian", "რიცხვი"), ("Tamil", "வாக்கியம்"), ("Armenian", "թիվ")]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_WORDS), max_size=40), st.sampled_from(sorted(SCRIPTS)))
def test_words_glued_to_another_script_count_as_words_apart(
    words: list[tuple[str, str]], language: str
) -> None:
    glued = "".join(
        " " * (before == script) + word
        for (before, _), (script, word) in pairwise([("", ""), *words])
    )
    assert share(glued, language) == share(" ".join(word for _, word in words), language)


@pytest.mark.parametrize("language", sorted(language for language in SENTENCES if SCRIPTS[language] != "Latin"))  # fmt: skip
def test_words_glued_to_a_language_count_against_it(language: str) -> None:
    own = [word for script, word in _WORDS if script == SCRIPTS[language] and len(word) > 1][:12]
    foreign = ["have", "two", "numbers", "so", "the", "answer"] * 2
    glued = "".join(word for both in zip(own, foreign, strict=True) for word in both)
    value = share(glued, language).value
    assert value is not None
    assert value < 0.75


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我们用5kg苹果，x轴上的T恤，GPU显存和α粒子，10cm长，sinα加cosθ，Δt时间", "zh"),
        ("ΔABC的面积是x1加y_2，变量left_sum等于H2O分子数，第②步得x²和½", "zh"),
        ("長さは5cmで、x軸のGPUを使い、ΔABCのsinαを求める", "ja"),
        ("길이는5cm이고x축의GPU를쓰며sinα를구한다", "ko"),
        ("ось x, длина 5кг, α-частица и ΔABC", "ru"),
        ("น้ำหนัก5kgและแกนxกับGPU", "th"),
        ("वजन 5kg और GPUमें x-अक्ष", "hi"),
    ],
)
def test_units_names_and_formulae_cost_nothing_when_glued(text: str, language: str) -> None:
    assert share(text, language).value == 1.0


@given(st.text(st.characters(exclude_categories=("L", "Cs", "Cn"), exclude_characters="〇")))
@example("'")
@example("' ’ '' '")
@example("² ½ ① Ⅳ ⑵")
@example("\u0301 " * 20)
@example("\u0300'\u0300")
@example("(\u064b) " * 20)
def test_a_text_without_letters_has_no_words(text: str) -> None:
    for language in SCRIPTS:
        assert share(text, language) == Share(0, 0)


def test_english_articles_are_words() -> None:
    assert share("I think that a dog is an animal, and I am a man", "en") == Share(13, 13)
    assert share(ZH + "。 I see that a dog is an animal.", "en") == Share(8, 19)
    assert share("I see", "en") == Share(2, 2)
    assert share("E a mãe é o que eu disse", "pt").value == 1.0


def test_title_case_hides_no_language() -> None:
    text = ZH + "。\n" + ", ".join(plain(SENTENCES["en"][0]).title().split()) + "."
    assert share(text, "zh").value == pytest.approx(11 / 23)


def test_an_emoji_makes_no_text_foreign() -> None:
    assert share("✅ 🙂 Final Answer: " + EN, "en") == Share(14, 14)


@pytest.mark.parametrize("mark", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\ufeff"])  # fmt: skip
def test_marks_that_are_not_seen_hide_no_words(mark: str) -> None:
    for language, text in (("en", EN), ("ru", SENTENCES["ru"][0])):
        assert share(mark.join(plain(text)), language) == share(plain(text), language)
    hidden = share("La réponse est donc cinq. " + mark.join(EN), "fr")
    assert hidden == share("La réponse est donc cinq. " + EN, "fr")


def test_joiners_stay_in_the_words_that_need_them() -> None:
    assert share("می\u200cنویسیم", "ar").total == 1
    assert share("क\u200dष की बात है और यह सही है", "hi") == Share(8, 8)


def test_the_tables_agree_with_each_other() -> None:
    for language, mates in SCRIPT_MATES.items():
        assert language in mates
        assert not WORDS[language] & RIVALS[language]
        assert UNIQUE[language] <= WORDS[language]
        assert len(UNIQUE[language]) >= 20
        assert all(word == word.lower() for word in WORDS[language])
    assert set(SCRIPTS) == set(SENTENCES)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("What is 2 + 2? Answer in French.", "fr"),
        ("Please respond, if you can, using only German", "de"),
        ("Write a poem about the rain in Japanese.", "ja"),
        ("Use English or answer in Dutch", "nl"),
        ("Solve this. Do not answer in French.", "en"),
        ("How do you say dog in Spanish?", "en"),
        ("Explain the French revolution.", "en"),
        ("How do you use French verbs in a sentence?", "en"),
        ("Why do people speak French in Canada?", "en"),
        ("Use Greek letters for the angles. What is their sum?", "en"),
        ("Use French.", "fr"),
        ("Speak German only, please.", "de"),
        ("Explain your reasoning in the Italian language.", "it"),
        ("Never use English, use Dutch.", "nl"),
        ("用中文回答: What is 1 + 1?", "zh"),
        ("请用英文回答下面的问题", "en"),
        ("请不要用英文回答下面的问题", "zh"),
        ("Calcule la somme. Réponds en anglais.", "en"),
        ("What is 3 + 4? Bitte auf Deutsch.", "de"),
        ("What is 3 + 4? 日本語で答えてください。", "ja"),
        ("Solve for x: $3x + 5 = 20$", "en"),
        ("```python\nfor the_number in of_all:\n    pass\n```\nWas tut dieses Programm?", "de"),
        ("Kita tahu bahwa setiap bilangan genap adalah jumlah dua bilangan ganjil.", None),
        ("Ապացուցել, որ բաժանվում է", None),
        ("$x^2$", None),
        ("", None),
    ],
)
def test_detect(prompt: str, expected: str | None) -> None:
    assert detect(prompt) == expected


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_detect_finds_the_language_of_every_sentence(language: str) -> None:
    for sentence in SENTENCES[language]:
        assert detect(plain(sentence)) == language, sentence


_PIECES = [plain(sentences[0]) for sentences in SENTENCES.values()]
_TEXTS = st.text() | st.lists(st.sampled_from([*_PIECES, "$", "`", "\n", "\\[", "<a", "Ab "])).map(
    "".join
)


@given(_TEXTS, st.sampled_from(sorted(SCRIPTS)))
def test_any_text_has_a_share_between_0_and_1_and_always_the_same(text: str, language: str) -> None:
    counted = share(text, language)
    assert 0 <= counted.target <= counted.total
    assert counted == share(text, language)
    assert detect(text) in {None, *SCRIPTS}


@given(st.integers(0, 20), st.integers(0, 20))
def test_constructed_mixture(english: int, russian: int) -> None:
    text = " ".join(["word"] * english + ["слово"] * russian)
    counted = share(text, "en")
    assert (counted.target, counted.total) == (english, english + russian)


HOSTILE = (
    *("$", "`", "```", "\\[", "\\(", "\\[\\", "\\begin{", "<a", "<a b", "\\boxed{", "\\boxed{{}"),
    *("a ", "a. ", "xq zw vk jj. ", "die war. ", "中。", "のa", "Ab ", "A-B C ", "'", "0a", "é"),
    *("ё ", "\u0301", "\U0001f600", "answer ", "answer in ", "用中文", "in het ", "ก", "http://"),
    *("中ab", "тab", "ab中0", "თ中"),
)


def _steps(work: Callable[[], object]) -> int:
    """How many lines of Python and calls out of it the work runs."""
    steps = 0

    def count(*_: object) -> Callable[..., object]:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
    return steps


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_longer_text_takes_steps_in_proportion(unit: str) -> None:
    short, long = unit * 250, unit * 1_000
    for work in (lambda text: share(text, "en"), lambda text: share(text, "zh"), detect):
        work(long)  # what is remembered of letters is remembered now
        assert _steps(lambda: work(long)) <= 4 * _steps(lambda: work(short)) + 100  # noqa: B023


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_long_text_ends(unit: str) -> None:
    """What the step count cannot see: backtracking inside the patterns. Linear
    takes less than a second; one quantifier that gives back takes hours."""
    text = unit * (250_000 // len(unit))
    started = time.process_time()
    share(text, "en")
    share(text, "zh")
    detect(text)
    assert time.process_time() - started < 30


def test_the_identifier_is_asked_a_bounded_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(spans, "identify", lambda words: asked.append(words))
    monkeypatch.setattr(spans, "ASKED", 10)
    share("qq ww rr tt. " * 100, "en")
    assert len(asked) == 10
    asked.clear()
    share(" ".join(map(plain, SENTENCES["en"])), "en")
    assert not asked, "plain English must not pay"


def test_what_is_remembered_of_letters_is_bounded() -> None:
    text = "".join(map(chr, range(0x10000, 0x12000)))
    before = len(prose._FOLDINGS["Latin"])
    prose.sentences(text, "Latin")
    assert len(prose._FOLDINGS["Latin"]) == before
