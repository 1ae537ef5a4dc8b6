from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.support import tiny_model
from trainer.data import TEMPLATES, DataError, draw, read_prompts, render
from trainer.tokens import Tokenizer, TokenizerError


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(tiny_model(tmp_path_factory.mktemp("model")))


GOOD = {"id": "a", "prompt": "1+1=", "math": {"gold": ["2"]}}


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


def test_rows_become_prompts_in_order(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = write(tmp_path / "d", GOOD, "", GOOD | {"id": "b", "prompt": "2+2="})
    prompts = read_prompts(path, tokenizer, "Q: {prompt} A:", 32)
    assert [(p.id, p.text) for p in prompts] == [("a", "Q: 1+1= A:"), ("b", "Q: 2+2= A:")]
    assert tokenizer.decode(prompts[0].ids) == "Q: 1+1= A:"
    assert prompts[0].item.math.gold == ["2"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "line 2: Expecting"),
        ("[1]", "line 2: a JSON object is wanted, got a list"),
        (GOOD | {"id": "b", "prompt": ""}, "line 2: prompt: missing or empty"),
        (GOOD | {"id": ""}, "line 2: id: missing"),
        (GOOD, "line 2: id 'a' is that of line 1"),
        ({"id": "b", "prompt": "x"}, "line 2: task: none given"),
        (GOOD | {"id": "b", "response": "x"}, "line 2: response: must be left out"),
        (GOOD | {"id": "b", "promt": "x"}, 'line 2: .*"promt"'),
        (
            GOOD | {"id": "b", "prompt": "x" * 40},
            "line 2: prompt: at most data.max_prompt_tokens = 32 tokens, got 40",
        ),
        (GOOD | {"id": "b", "math": {"gold": "2"}}, "line 2: "),
        ("[" * 100_000, "line 2: nested too deeply"),
        (
            GOOD | {"id": "b", "prompt": "x" * 5000},
            "line 2: prompt: at most data.max_prompt_tokens = 32 tokens, got 5000 characters",
        ),
    ],
)
def test_a_bad_row_is_told_by_its_line(
    tokenizer: Tokenizer, tmp_path: Path, row: object, told: str
) -> None:
    path = write(tmp_path / "d", GOOD, row)
    with pytest.raises(DataError, match=told):
        read_prompts(path, tokenizer, "none", 32)


def test_all_bad_rows_are_told_at_once_up_to_ten(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = write(tmp_path / "d", *["{"] * 15)
    with pytest.raises(DataError, match=r"(?s)line 1:.*line 10:.*and 5 more") as caught:
        read_prompts(path, tokenizer, "none", 32)
    assert "line 11:" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file(tokenizer: Tokenizer, tmp_path: Path, content: str) -> None:
    (tmp_path / "d").write_text(content)
    with pytest.raises(DataError, match="no rows"):
        read_prompts(tmp_path / "d", tokenizer, "none", 32)
    with pytest.raises(DataError, match="No such file"):
        read_prompts(tmp_path / "nowhere", tokenizer, "none", 32)


def test_templates(tokenizer: Tokenizer) -> None:
    assert render("x", "none", tokenizer) == "x"
    assert render("{prompt}", "<{prompt}>", tokenizer) == "<{prompt}>"
    assert render("1+1", "r1_zero", tokenizer).endswith("User: 1+1. Assistant:")
    assert "{prompt}" in TEMPLATES["r1_zero"]
    with pytest.raises(ValueError, match="none, r1_zero, chat, or a text"):
        render("x", "r1zero", tokenizer)
    with pytest.raises(TokenizerError, match="no chat template"):
        render("x", "chat", tokenizer)


@given(
    size=st.integers(1, 20),
    start=st.integers(0, 100),
    count=st.integers(0, 60),
    cut=st.integers(0, 60),
)
def test_draws_depend_on_the_place_alone_and_each_epoch_has_each_once(
    size: int, start: int, count: int, cut: int
) -> None:
    rows: list[int] = list(range(size))
    drawn = draw(rows, start, count, 3, True)  # type: ignore[arg-type]
    cut = min(cut, count)
    apart = draw(rows, start, cut, 3, True) + draw(rows, start + cut, count - cut, 3, True)  # type: ignore[arg-type]
    assert drawn == apart
    epoch = draw(rows, size * 2, size, 3, True)  # type: ignore[arg-type]
    assert Counter(epoch) == Counter(rows)  # type: ignore[comparison-overlap]
    assert draw(rows, 0, size, 3, False) == rows  # type: ignore[arg-type, comparison-overlap]


def test_another_seed_is_another_order() -> None:
    rows = list(range(50))
    assert draw(rows, 0, 50, 1, True) != draw(rows, 0, 50, 2, True)  # type: ignore[arg-type]
    assert draw(rows, 0, 50, 1, True) != draw(rows, 50, 50, 1, True)  # type: ignore[arg-type]


def test_a_tokenizer_that_is_not_the_models(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.check(tokenizer.size)
    with pytest.raises(TokenizerError, match="do not belong together"):
        tokenizer.check(tokenizer.size - 1)
    with pytest.raises(TokenizerError, match="no such file"):
        Tokenizer(tmp_path)


def test_decoding_leaves_out_a_last_stop_token_alone(tokenizer: Tokenizer) -> None:
    (stop,) = tokenizer.stop_token_ids
    ids = tokenizer.encode("ab")
    assert tokenizer.decode((*ids, stop)) == "ab"
    assert tokenizer.decode((*ids, stop, *ids)) == "ab<|end|>ab"
    assert tokenizer.encode("ab<|end|>") == (*ids, stop)
