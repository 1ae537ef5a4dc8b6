"""A tokenizer for the demo: numbers, words and whole phrases are one token each, so a response has
20 to 80; whatever else there is comes as characters or, if need be, as bytes.

The preamble of R1-Zero's template is one such phrase. `<|user|>`, `<|assistant|>` and `<|end|>` are
the chat template's marks, of which the base model sees only the last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import facts
import general
from problems import LETTERS
from speech import BOOK
from tokenizers import AddedToken, Tokenizer, decoders, models

from trainer.data import TEMPLATES

END, USER, ASSISTANT = "<|end|>", "<|user|>", "<|assistant|>"

CHAT = (
    "{% for message in messages %}"
    "{{ '<|user|>' if message['role'] == 'user' else '<|assistant|>' }}{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

SUMMARY = {"en": " The answer is", "zh": "答案是"}
CODE = {"en": " Here is the program.\n", "zh": "程序如下。\n"}

_PROBLEMS = (
    "What is", "Make", " from", "请算", " 等于多少?", "请用", " 凑出",
    "Write f(x): x", "请写 f(x):x", ", times", ", plus", ", minus",
    " times", " plus", " minus", "乘", "加", "减",
    "Which is", "Which is the largest?", "Which is the capital of",
    "哪个是", "的首都?", "哪个等于", "哪个最大?",
    "```python\ndef f(x):\n    return", "\n```", " (x", " x", "(x",
    "\\boxed{", "<think>", "</think>", "<answer>", "</answer>", "\n\n",
    " Think aloud and check your work.",
    " +", " -", " *", " =", ",", ".", "。", "?", ":", ")", "}",
)  # fmt: skip
MOST_NUMBER = 99
LEAST_NUMBER = -30


def phrases() -> list[str]:
    """All that is one token, in an order of its own."""
    found = dict.fromkeys(TEMPLATES["r1_zero"].split("{prompt}"))
    found |= dict.fromkeys(_PROBLEMS)
    found |= dict.fromkeys(text for pair in BOOK.values() for text in pair)
    found |= dict.fromkeys((*SUMMARY.values(), *CODE.values()))
    for pairs in (facts.NOUNS, facts.ADJECTIVES, facts.THINGS, facts.KIND_DEEDS, facts.EVIL_DEEDS):
        found |= dict.fromkeys(text for pair in pairs for text in pair)
    for capital in facts.CAPITALS.values():
        for language in ("en", "zh"):
            found |= dict.fromkeys((capital.country(language), capital.capital(language)))
    for table in (general.ASKED, general.GOOD):
        for by_language in table.values():
            for texts in by_language.values():
                found |= dict.fromkeys(piece for text in texts for piece in _pieces(text))
    for texts in (general.POLITE, general.CARELESS, general.HARMFUL):
        found |= dict.fromkeys(piece for text in texts.values() for piece in _pieces(text))
    found |= dict.fromkeys(text for pair in general.CURT.values() for text in pair)
    found |= dict.fromkeys(f" {n}" for n in range(LEAST_NUMBER, MOST_NUMBER + 1))
    found |= dict.fromkeys(form for letter in LETTERS for form in (f" {letter}", f" ${letter}$"))
    return [text for text in found if text and text != " "]


def _pieces(text: str) -> Iterator[str]:
    for piece, *_ in Formatter().parse(text):
        # A stop is a token of its own wherever it stands.
        yield piece.removesuffix(".").removesuffix("。")


def build() -> Tokenizer:
    """Text to ids and back, exactly."""
    characters = [chr(code) for code in range(32, 127)] + ["\n"]
    raw = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = {token: number for number, token in enumerate((*raw, *characters))}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[], byte_fallback=True))
    # Found before anything else, the longest first.
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in phrases()])
    tokenizer.add_special_tokens(
        [AddedToken(text, normalized=False) for text in (END, USER, ASSISTANT)]
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def save(directory: Path) -> Tokenizer:
    """Writes what Hugging Face's libraries, SGLang and vLLM read."""
    tokenizer = build()
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END,
        "chat_template": CHAT,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1024,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(about, indent=2) + "\n")
    return tokenizer
