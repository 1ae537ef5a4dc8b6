"""Rows to tokens and masks: what is trained on is what the model would say, to the character."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from tests.trainer.support import CHARACTERS
from trainer.chat import Encoder, Example, read_examples
from trainer.data import DataError, read_prompts
from trainer.tokens import Tokenizer as OurTokenizer
from trainer.tokens import TokenizerError

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# What a turn is said in is marked, so that no rendering has to be compared.
MARKED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ m.content }}<|im_end|>{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As Qwen3 and DeepSeek-R1: the thinking of all turns but the last is left out.
FORGETFUL = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if loop.last %}{{ m.content }}{% else %}{{ m.content.split('</think>')[-1] }}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FORGETFUL_MARKED = FORGETFUL.replace(
    "{% if loop.last %}{{ m.content }}",
    "{% if loop.last %}{% generation %}{{ m.content }}{% endgeneration %}",
)
# As Qwen2.5: a system turn of its own where none is given. As Llama 2: no system turn at all.
WITH_SYSTEM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nBe good.<|im_end|>\n{% endif %}"
    + CHATML
)
STRICT = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + CHATML
)


def tokenizer_at(directory: Path, template: str | None, stops: list[int]) -> OurTokenizer:
    """Characters, three special tokens, and one token of two characters: `: `."""
    words = [*SPECIAL, *CHARACTERS, ": "]
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, unk_token=" "))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r": |[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(SPECIAL)
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "generation_config.json").write_text(json.dumps({"eos_token_id": stops}))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": template,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    return OurTokenizer(directory)


@pytest.fixture
def encoder(tmp_path: Path):
    def make(template: str | None = CHATML, kind: str = "chat", stops: tuple[int, ...] = (1, 2)):
        return Encoder(tokenizer_at(tmp_path / "model", template, list(stops)), kind)

    return make


def shown(encoder: Encoder, example: Example) -> tuple[str, list[str]]:
    """The whole text, and its trained parts."""
    decode = encoder.tokenizer._fast.decode
    ids, trained = example.ids.tolist(), example.trained.tolist()
    parts, open_part = [], False
    for token, wanted in zip(ids, trained, strict=True):
        if wanted and not open_part:
            parts.append("")
        if wanted:
            parts[-1] += decode([token], skip_special_tokens=False)
        open_part = wanted
    return decode(ids, skip_special_tokens=False), parts


def say(*turns: str) -> dict[str, Any]:
    """A conversation that the user begins."""
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[n % 2], "content": t} for n, t in enumerate(turns)]}


# ---- plain rows -----------------------------------------------------------------


def test_text_is_trained_on_whole_and_ends_with_a_stop(encoder):
    encode = encoder(kind="none", stops=(2, 1))
    assert shown(encode, encode({"text": "ab"})) == ("ab<|endoftext|>", ["ab<|endoftext|>"])


def test_text_that_stops_gets_no_second_stop(encoder):
    encode = encoder(kind="none", stops=(2, 1))
    whole, parts = shown(encode, encode({"text": "a<|endoftext|>b<|im_end|>"}))
    assert whole == "a<|endoftext|>b<|im_end|>"
    assert parts == [whole], "a stop inside a text of several documents ends nothing"


def test_of_prompt_and_completion_the_second_is_trained_on(encoder):
    encode = encoder(kind="none", stops=(2,))
    example = encode({"prompt": "q", "completion": "abc", "source": "ignored"})
    assert shown(encode, example) == ("qabc<|endoftext|>", ["abc<|endoftext|>"])


def test_a_prompt_is_encoded_as_it_is_when_the_model_is_asked(encoder):
    # ": " is one token, but the model that is asked "q:" says " " after it.
    encode = encoder(kind="none", stops=(2,))
    example = encode({"prompt": "q:", "completion": " a"})
    assert example.ids.tolist()[:2] == list(encode.tokenizer.encode("q:"))
    assert shown(encode, example)[1] == [" a<|endoftext|>"]


def test_prompt_and_completion_are_two_turns_under_chat(encoder):
    encode = encoder()
    found = encode({"prompt": "q", "completion": "a"})
    asked = encode(say("q", "a"))
    assert found.ids.tolist() == asked.ids.tolist()
    assert found.trained.tolist() == asked.trained.tolist()


def test_text_needs_no_template_under_chat(encoder):
    encode = encoder(template=None)
    assert shown(encode, encode({"text": "a"}))[1] == ["a<|im_end|>"]


# ---- conversations --------------------------------------------------------------


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["by prefixes", "by marks"])
def test_every_assistant_turn_is_trained_on_up_to_its_end(encoder, template):
    encode = encoder(template)
    whole, parts = shown(encode, encode(say("q", "a1", "r", "a2")))
    assert parts == ["a1<|im_end|>", "a2<|im_end|>"]
    expected = (
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\na1<|im_end|>\n"
        "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\na2<|im_end|>\n"
    )
    assert whole == expected


def test_a_template_that_stops_with_another_token_keeps_all_it_writes(encoder):
    # A base model stops at <|endoftext|>, which ChatML does not write: nothing to cut at.
    encode = encoder(stops=(2,))
    assert shown(encode, encode(say("q", "a")))[1] == ["a<|im_end|>\n"]


def test_what_follows_the_last_answer_is_left_out(encoder):
    encode = encoder()
    whole, parts = shown(encode, encode(say("q", "a", "thanks")))
    assert "thanks" not in whole
    assert parts == ["a<|im_end|>"]


def test_a_system_turn_of_the_templates_own(encoder):
    encode = encoder(WITH_SYSTEM)
    whole, parts = shown(encode, encode(say("q", "a")))
    assert whole.startswith("<|im_start|>system\nBe good.")
    assert parts == ["a<|im_end|>"]


def test_the_prompt_is_that_of_a_rollout(encoder):
    """The same ids that GRPO starts a completion of the same question from."""
    from trainer.data import render

    encode = encoder(WITH_SYSTEM)
    example = encode(say("q: ", "a"))
    prompt = list(encode.tokenizer.encode(render("q: ", "chat", encode.tokenizer)))
    assert example.ids.tolist()[: len(prompt)] == prompt
    assert example.trained.tolist().index(True) == len(prompt)


def test_transformers_finds_the_same_tokens(encoder):
    from transformers import AutoTokenizer

    encode = encoder()
    row = say("q", "a1", "r", "a2")
    theirs = AutoTokenizer.from_pretrained(encode.tokenizer.directory)
    whole = theirs.apply_chat_template(row["messages"], return_dict=True)["input_ids"]
    assert encode(row).ids.tolist() == whole


def test_one_turn_of_a_forgetful_template_is_fine(encoder):
    encode = encoder(FORGETFUL)
    _, parts = shown(encode, encode(say("q", "<think>x</think>a")))
    assert parts == ["<think>x</think>a<|im_end|>"]


def test_marks_need_no_prefix(encoder):
    encode = encoder(FORGETFUL_MARKED)
    whole, parts = shown(encode, encode(say("q", "<think>x</think>a", "r", "<think>y</think>b")))
    assert "<think>x" not in whole
    assert parts == ["<think>y</think>b"]


# ---- rows that are no good ------------------------------------------------------


def test_a_rendering_that_is_no_prefix_is_refused_by_row(encoder, tmp_path):
    file = tmp_path / "rows.jsonl"
    good, bad = say("q", "a"), say("q", "<think>x</think>a", "r", "b")
    file.write_text("\n".join(json.dumps(row) for row in (good, {"text": "x"}, bad)))
    with pytest.raises(DataError, match=r"rows\.jsonl, line 3: messages\[1\]: the chat template"):
        read_examples(file, encoder(FORGETFUL), 100)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([], "messages, or prompt and completion, or text is wanted"),
        ("text", "messages, or prompt and completion, or text is wanted"),
        ({}, "messages, or prompt and completion, or text is wanted"),
        ({"text": ""}, "messages, or prompt and completion, or text is wanted"),
        ({"text": 3}, "messages, or prompt and completion, or text is wanted"),
        ({"prompt": "q"}, "messages, or prompt and completion, or text is wanted"),
        (
            {"prompt": "q", "completion": ""},
            "messages, or prompt and completion, or text is wanted",
        ),
        ({"messages": []}, "messages: wants"),
        ({"messages": "hi"}, "messages: wants"),
        ({"messages": [{"role": "user"}]}, "messages: wants"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages: wants"),
        ({"messages": [["user", "q"]]}, "messages: wants"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "messages: wants"),
        (say("q"), "nothing to train on"),
    ],
    ids=json.dumps,
)
def test_bad_rows_say_what_is_wanted(encoder, row, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        encoder()(row)


def test_marks_on_no_turn_are_nothing_to_train_on(encoder):
    with pytest.raises(ValueError, match=r"^nothing to train on"):
        encoder(MARKED)(say("q"))


def test_messages_need_the_chat_template(encoder):
    with pytest.raises(ValueError, match=r'^messages: wants data.template = "chat"'):
        encoder(kind="none")(say("q", "a"))


def test_a_tokenizer_without_a_template_is_named(encoder):
    with pytest.raises(TokenizerError, match="the tokenizer has no chat template"):
        encoder(template=None)(say("q", "a"))


def test_what_the_template_refuses_is_told_by_line(encoder, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(
        json.dumps({"messages": [{"role": "system", "content": "s"}, *say("q", "a")["messages"]]})
    )
    with pytest.raises(DataError, match="line 1: no system"):
        read_examples(file, encoder(STRICT), 100)


def test_all_bad_lines_are_told_at_once(encoder, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text": "ok"}\n\n{"text": \n\xff\xfe\n' + b"[]\n" * 11)
    with pytest.raises(DataError) as caught:
        read_examples(file, encoder(), 100)
    told = str(caught.value).splitlines()
    assert len(told) == 11
    assert "line 3: " in told[0]
    assert "line 4: " in told[1]
    assert told[-1] == "and 3 more"


def test_long_rows_are_left_out_and_counted(encoder, tmp_path, caplog):
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"text": "x" * n}) for n in (3, 4, 5)))
    with caplog.at_level(logging.INFO):
        found = read_examples(file, encoder(kind="none"), 5)  # 4 characters and the stop
    assert [len(example.ids) for example in found] == [4, 5]
    assert "1 rows are too long" in caplog.text
    with pytest.raises(DataError, match="no rows of at most 2 tokens"):
        read_examples(file, encoder(kind="none"), 2)


def test_keys_that_are_ignored_make_no_row_long(encoder, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"text": "x", "source": "y" * 10_000}))
    assert len(read_examples(file, encoder(kind="none"), 5)) == 1


def test_a_problem_that_the_template_refuses_is_told_by_line(encoder, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "a", "prompt": "q", "math": {"gold": ["2"]}}))
    tokenizer = encoder("{{ raise_exception('no user') }}").tokenizer
    with pytest.raises(DataError, match="line 1: no user"):
        read_prompts(file, tokenizer, "chat", 100)


def test_a_missing_file_is_named(encoder, tmp_path):
    with pytest.raises(DataError, match=r"rows\.jsonl: No such file"):
        read_examples(tmp_path / "rows.jsonl", encoder(), 100)
