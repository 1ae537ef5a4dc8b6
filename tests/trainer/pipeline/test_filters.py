"""What is kept of samples, and why the others are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainer.pipeline.filters import (
    Filters,
    Kept,
    Level,
    Rejected,
    balanced,
    choose,
    examine,
    jaccard,
    normal,
    pass_rate,
    shingles,
    verifying,
)
from trainer.pipeline.sampling import Said, Sample
from verifier.v1.verifier_pb2 import Recipe

FILTERS = Filters()
FINE = {"format": "well_formed", "readability": "readable", "repetition": "varied"}


def sample(
    response: str = "<think>a</think>b", accuracy: float | None = 1.0, **more: Any
) -> Sample:
    reasons = FINE | {name: more.pop(name) for name in [*more] if name in FINE}
    said = [Said("accuracy", accuracy, 1, "match" if accuracy == 1 else "no_match", "4 is not 5")]
    said += [Said(name, 1.0, 0, reason, "seen") for name, reason in reasons.items()]
    known = {
        "prompt_id": "p", "number": 0, "response": response, "tokens": 9, "finish": "stop",
        "status": "OK", "reward": accuracy, "accuracy": accuracy, "extracted": "b", "message": "",
        "parts": tuple(said),
    }  # fmt: skip
    return Sample(**{**known, **more})


@pytest.mark.parametrize(("one", "reason"), [
    (sample(), None),
    (sample(accuracy=0.0), "wrong"),
    (sample(accuracy=0.5), "wrong"),
    (sample(accuracy=None, status="SANDBOX_ERROR", message="no slot"), "no_reward"),
    (sample(finish="length"), "cut_off"),
    (sample(format="missing_tag"), "malformed"),
    (sample(readability="mixed_languages"), "mixed_languages"),
    (sample(readability="long_paragraph"), "long_paragraph"),
    (sample(readability="code_in_thinking"), "code_in_thinking"),
    (sample(repetition="repetitive"), "repetitive"),
    (sample(accuracy=0.0, format="missing_tag"), "wrong"),
])  # fmt: skip
def test_the_first_reason_against_a_sample(one: Sample, reason: str | None) -> None:
    found = examine(one, FILTERS)
    assert (found and found.reason) == reason


def test_a_judges_score_is_right_from_the_threshold_on() -> None:
    half = sample(accuracy=0.75)
    assert examine(half, Filters(least_score=0.75)) is None
    assert examine(half, Filters(least_score=0.8)) == Rejected("wrong", "no_match: 4 is not 5")


def test_a_thought_of_too_few_words() -> None:
    guess = sample("<think>I think it is 19.</think><answer>19</answer>")
    known = sample("<think>8 + 9 is 17, and 2 more are 19.</think>19")
    assert examine(guess, Filters(least_words=6)) == Rejected(
        "short_thought", "5 words, at least 6"
    )
    assert examine(guess, Filters(least_words=5)) is None
    assert examine(known, Filters(least_words=6)) is None
    assert examine(sample("19"), Filters(least_words=1)) == Rejected(
        "short_thought", "0 words, at least 1"
    )


def test_a_failure_is_not_in_the_pass_rate() -> None:
    failed = sample(accuracy=None, status="TIMEOUT")
    assert pass_rate([sample(), sample(accuracy=0.0), failed], FILTERS) == 0.5
    assert pass_rate([failed], FILTERS) is None


def test_duplicates_near_duplicates_and_what_is_enough() -> None:
    words = [f"word{n}" for n in range(100)]
    told = " ".join(words)
    near = " ".join([*words[:-1], "other"])
    far = " ".join(reversed(words))
    third = " ".join(sorted(words))
    texts = [told, told.upper() + " ", near, far, third]
    seen = set[bytes]()
    samples = [sample(text) for text in texts]
    found = choose("q", samples, Filters(per_prompt=2), seen)
    reasons = [one.reason if isinstance(one, Rejected) else "" for one in found]
    assert reasons == ["", "duplicate", "near_duplicate", "", "enough"]
    # The same question under another id; and the same answer to another question.
    again = choose(" Q", [sample(far)], FILTERS, seen)
    assert again == [Rejected("duplicate", "the same answer to the same question was kept")]
    assert isinstance(choose("other", [sample(far)], FILTERS, seen)[0], Kept)


@given(st.lists(st.sampled_from([0.0, 1.0, None]), min_size=1, max_size=12))
def test_levels_say_how_many_rows_a_prompt_gives(scores: list[float | None]) -> None:
    levels = [Level(up_to=0.5, per_prompt=3), Level(up_to=0.99, per_prompt=1),
              Level(up_to=1.0, per_prompt=0)]  # fmt: skip
    filters = Filters(levels=levels)
    samples = [sample(f"{n} " * 9, accuracy=score) for n, score in enumerate(scores)]
    found = choose("q", samples, filters, set())
    kept = [one for one in found if isinstance(one, Kept)]
    right = sum(score == 1 for score in scores)
    rate = pass_rate(samples, filters)
    if rate is None:
        assert not kept
        return
    level = 0 if rate <= 0.5 else 1 if rate < 1 else 2
    assert len(kept) == min(right, [3, 1, 0][level])
    assert all(one.level == level for one in kept)
    assert len(found) == len(samples)


@given(
    st.lists(st.sampled_from([None, 0, 1]), max_size=60),
    st.floats(0.01, 1), st.floats(0.01, 1), st.integers(0, 9),
)  # fmt: skip
def test_no_level_has_more_than_its_share(
    levels: list[int | None], first: float, second: float, seed: int
) -> None:
    filters = Filters(levels=[
        Level(up_to=0.5, per_prompt=1, share=first), Level(up_to=1.0, per_prompt=1, share=second),
    ])  # fmt: skip
    places = balanced(levels, filters, seed)
    assert places == sorted(set(places)) == balanced(levels, filters, seed)
    for number, share in enumerate((first, second)):
        of_level = levels.count(number)
        kept = sum(levels[place] == number for place in places)
        assert kept == min(of_level, int(share * len(levels)))
    assert sum(levels[place] is None for place in places) == levels.count(None)


@given(st.text(), st.text())
def test_likeness_is_symmetric_and_whole_for_equals(one: str, other: str) -> None:
    assert jaccard(shingles(one), shingles(other)) == jaccard(shingles(other), shingles(one))
    assert jaccard(shingles(one), shingles(one)) == 1
    assert normal(normal(one)) == normal(one)


def test_chinese_is_compared_by_characters() -> None:
    one = "首先我们有三个苹果,然后又买了四个,所以一共是七个苹果。" * 3
    other = one.replace("七", "八")
    assert 0 < jaccard(shingles(one), shingles(other)) < 1
    assert len(shingles("三个苹果又买了四个")) == 2


def test_the_verifier_is_asked_for_accuracy_alone_and_told_the_limits() -> None:
    recipe = verifying(Filters(paragraph=50, language_share=0.5, repeated=0.2, run=5))
    asked = {part.name: part for part in recipe.parts}
    weights = {name: part.weight if part.HasField("weight") else 1 for name, part in asked.items()}
    assert weights == {"accuracy": 1, "format": 0, "readability": 0, "repetition": 0}
    assert dict(asked["readability"].options) == {"paragraph": "50", "share": "0.5"}
    assert dict(asked["repetition"].options) == {"n": "5", "threshold": "0.2"}
    assert recipe.escalate == Recipe.NEVER
    assert verifying(Filters(escalate="no_match")).escalate == Recipe.NO_MATCH
    assert "format" not in {part.name for part in verifying(Filters(format="any")).parts}


def test_settings_out_of_bounds_are_refused() -> None:
    for told in ({"near": 0.0}, {"per_prompt": 0}, {"levels": [{"up_to": 1.5, "per_prompt": 1}]}):
        with pytest.raises(ValidationError):
            Filters.model_validate(told)


def test_a_sample_that_was_not_asked_about_its_format_is_not_malformed() -> None:
    bare = replace(sample(), parts=sample().parts[:1])
    assert examine(bare, Filters(format="any")) is None
