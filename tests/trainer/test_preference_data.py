"""Rows of rated responses: the tokens are those that the verifier's model meets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.support import TINY
from tests.trainer.test_chat import CHATML, FORGETFUL, WITH_SYSTEM, tokenizer_at
from trainer.data import DataError
from trainer.model import ModelConfig
from trainer.preference_data import Conversations, Kind, Rated, batch, read_rated
from trainer.scorer import Scorer
from trainer.tokens import TokenizerError
from trainer.weights import save_model
from verifier.judge.reward_model import LocalModel

# As DeepSeek-R1's distilled models: no turn shows its reasoning.
SILENT = CHATML.replace("{{ m.content }}", "{{ m.content.split('</think>')[-1] }}")


def reader(folder: Path, kind: Kind = "pairwise", template: str | None = CHATML) -> Conversations:
    return Conversations(tokenizer_at(folder / "model", template, [1, 2]), kind)


def pair(prompt: str = "2 + 2?", chosen: str = "4", rejected: str = "five") -> dict[str, Any]:
    asked = [{"role": "user", "content": prompt}]
    return {"messages": asked, "chosen": chosen, "rejected": rejected}


@pytest.mark.parametrize("template", [CHATML, WITH_SYSTEM, FORGETFUL])
@pytest.mark.parametrize("response", ["4", "<think>\nwell\n</think>\n\nIt is: 4\n", " <|im_end|> "])
def test_tokens_are_those_that_the_verifier_serves(tmp_path, monkeypatch, template, response):
    read = reader(tmp_path, "pointwise", template)
    folder = tmp_path / "model"
    sizes = {"vocab_size": read.tokenizer.size, "eos_token_id": 1}
    save_model(Scorer(ModelConfig.from_hf(TINY | sizes), seed=0), folder)
    served = LocalModel(str(folder))
    met: list[list[int]] = []
    forward = served._model.forward
    monkeypatch.setattr(
        served._model, "forward",
        lambda *args, **told: met.append(told["input_ids"][0].tolist()) or forward(*args, **told),
    )  # fmt: skip
    served._pass("2 + 2 is?", response)
    row = {"messages": [{"role": "user", "content": "2 + 2 is?"}], "response": response, "label": 1}
    (ours,) = read(row).conversations
    assert met == [ours.tolist()]


def test_a_pair_shares_its_beginning(tmp_path):
    read = reader(tmp_path)
    row = read(pair(chosen="4!", rejected="4?"))
    shown = read.tokenizer.decode(row.conversations[0][: row.shared].tolist())
    assert shown == "<|im_start|>user\n2 + 2?<|im_end|>\n<|im_start|>assistant\n4"
    assert row.tokens == row.shared + 2 * len("!..")  # the last two: the end, and a line's


def test_one_that_goes_on_where_the_other_ends(tmp_path):
    bare = "{% for m in messages %}{{ m.role }}:{{ m.content }}{% endfor %}"
    row = reader(tmp_path, template=bare)(pair(chosen="40", rejected="4"))
    assert row.shared == len(row.conversations[1]) - 1, (
        "the token that the score is read at is left"
    )
    packed = batch([row], torch.device("cpu"))
    assert packed.lengths == [row.shared, 2, 1]
    assert packed.prefixes == [None, 0, 0]


@given(
    st.lists(
        st.builds(
            lambda shared, one, other: (shared, one, other),
            st.integers(0, 4), st.integers(1, 5), st.integers(1, 5),
        ),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_a_batch_holds_every_conversation_whole(sizes):
    rated, count = [], 0
    for shared, one, other in sizes:
        head = torch.arange(count, count + shared)
        tails = [torch.arange(n) + 1000 * k + count for k, n in ((1, one), (2, other))]
        both = tuple(torch.cat([head, tail]).int() for tail in tails)
        rated.append(Rated((both[0], both[1]), shared=shared))
        count += shared
    packed = batch(rated, torch.device("cpu"))
    starts = [sum(packed.lengths[:n]) for n in range(len(packed.lengths))]

    def segment(n: int) -> list[int]:
        return packed.ids[starts[n] : starts[n] + packed.lengths[n]].tolist()

    whole = {}
    for n, prefix in enumerate(packed.prefixes):
        ids = ([] if prefix is None else segment(prefix)) + segment(n)
        whole[starts[n] + packed.lengths[n] - 1] = ids
    found = [whole[row] for row in packed.rows.tolist()]
    assert found == [ids.tolist() for row in rated for ids in row.conversations]
    assert sum(packed.lengths) == sum(row.tokens for row in rated)


def test_labels_lie_between_0_and_1(tmp_path):
    read = reader(tmp_path, "pointwise")
    row = {"messages": [{"role": "user", "content": "2 + 2?"}], "response": "4", "label": 0.25}
    assert read(row).label == 0.25
    for bad in (-0.1, 1.5, "1", None):
        with pytest.raises(ValueError, match=r"label, from 0 to 1, are wanted by data.kind = 'poi"):
            read(row | {"label": bad})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "messages, chosen and rejected, texts, are wanted by data.kind = 'pairwise'"),
        (pair() | {"chosen": 4}, "messages, chosen and rejected, texts"),
        (pair(rejected="4"), "chosen and rejected: the same text"),
        (pair() | {"messages": []}, "messages: turns of which the last is not the assistant's"),
        (pair() | {"messages": [{"role": "assistant", "content": "4"}]}, "messages: turns of which"),
        (pair() | {"messages": [{"role": "user"}]}, r"messages\[0\]: role and content, strings"),
        (
            {"messages": [{"role": "user", "content": "?"}], "response": "4", "label": 1},
            "messages, chosen and rejected, texts, are wanted",
        ),
    ],
)  # fmt: skip
def test_rows_that_are_no_pairs(tmp_path, row, said):
    with pytest.raises(ValueError, match=said):
        reader(tmp_path)(row)


def test_a_template_that_hides_the_reasoning_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"chosen: the chat template leaves out some of it"):
        reader(tmp_path, template=SILENT)(pair(chosen="<think>four</think>4"))
    with pytest.raises(TokenizerError, match="has no chat template"):
        reader(tmp_path / "none", template=None)(pair())


def test_long_rows_are_left_out_and_bad_ones_named(tmp_path):
    path = tmp_path / "rows.jsonl"

    def write(*rows: object) -> None:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    write(pair(), pair(rejected="5" * 300), pair(prompt="?"))
    read = reader(tmp_path)
    kept = read_rated(path, read, 80)
    assert len(kept) == 2
    with pytest.raises(DataError, match="no rows of at most 10 tokens"):
        read_rated(path, read, 10)
    write(pair(), {"chosen": "4"})
    with pytest.raises(DataError, match="line 2: messages, chosen and rejected"):
        read_rated(path, read, 80)


def test_a_conversation_of_no_tokens_is_refused(tmp_path):
    """Its score would be read at the token of another one."""
    nothing = "{% for m in messages %}{{ m.content }}{% endfor %}"
    row = pair(prompt="", chosen="")
    with pytest.raises(ValueError, match="chosen: no tokens come of the conversation"):
        reader(tmp_path, template=nothing)(row)
