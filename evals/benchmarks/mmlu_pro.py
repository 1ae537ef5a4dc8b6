r"""MMLU-Pro: 12,032 questions, up to ten options; zero-shot as R1's report, and official (5-shot).

The choice verifier's accuracy stands beside the official one. The benchmark's script
(TIGER-AI-Lab/MMLU-Pro, compute_accuracy.py) takes the first `answer is (X)`; without one, the last
`Answer: X` of the first line that has one; without one, the last letter A to J that stands alone;
without one, a random letter, seeded anew for every response, so that the guess is always the same
letter. Guesses count as answers: their share is told apart.

Invariant: the same letters as the script's patterns give, in linear time; two of its patterns take
quadratic time on long texts.

Not covered: the script's first level, which guesses whenever the first pattern fails.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from evals.benchmark import Benchmark, Protocol, Question, Sample, r1, user
from evals.benchmarks.mmlu import choice_question
from evals.data import Data
from evals.hub import Table
from evals.scoring import final_part

_REVISION = "b189ec765aa7ed75c8acfea42df31fdae71f97be"

TEST = Table(
    "mmlu_pro/test.jsonl.gz",
    "TIGER-Lab/MMLU-Pro, split test, as JSON Lines with question_id, question, options, answer, "
    "category (MIT)",
    "TIGER-Lab/MMLU-Pro",
    _REVISION,
)
SHOTS = Table(
    "mmlu_pro/validation.jsonl",
    "TIGER-Lab/MMLU-Pro, split validation, as JSON Lines with question, options, cot_content, "
    "category (MIT)",
    "TIGER-Lab/MMLU-Pro",
    _REVISION,
    split="validation",
)

INSTRUCTION = (
    "The following are multiple choice questions (with answers) about {category}. Think step by"
    ' step and then output the answer in the format of "The answer is (X)" at the end.\n\n'
)
"""TIGER-AI-Lab/MMLU-Pro@007ab5c2, evaluate_from_api.py, `single_request`."""

LETTERS = "ABCDEFGHIJ"
SEED = 12345

OFFICIAL = Protocol("official", temperature=0.0, top_p=1.0, max_tokens=4000, k=1)
"""TIGER-AI-Lab/MMLU-Pro@007ab5c2, evaluate_from_api.py, `call_api`."""


def example(question: str, options: Sequence[str], thought: str = "") -> str:
    """`format_example` of the same file: a question, with what is thought of it or without."""
    thought = thought.removeprefix("A: ") or "Let's think step by step."
    listed = "".join(f"{letter}. {text}\n" for letter, text in zip(LETTERS, options, strict=False))
    return f"Question: {question}\nOptions: {listed}Answer: {thought}\n\n"


def _load(data: Data) -> list[Question]:
    return _questions(data, {})


def _load_shots(data: Data) -> list[Question]:
    shots: dict[str, str] = defaultdict(str)
    for row in SHOTS.rows(data):
        shots[row["category"]] += example(row["question"], row["options"], row["cot_content"])
    return _questions(data, shots)


def _questions(data: Data, shots: Mapping[str, str]) -> list[Question]:
    questions = []
    for row in TEST.rows(data):
        category = row["category"]
        # Rows are filled up to ten options.
        options = [option for option in row["options"] if option != "N/A"]
        prompt = INSTRUCTION.format(category=category) + shots.get(category, "")
        questions.append(
            choice_question(
                str(row["question_id"]),
                user(prompt + example(row["question"], options)),
                options,
                # Not answer_index, which differs in question 3983: the script reads the letter.
                LETTERS.find(row["answer"]),
                slices={"subject": category},
            )
        )
    return questions


# ---------------------------------------------------------------- the official extraction


class Rule(Enum):
    """What the letter rests on."""

    ANSWER_IS = "answer_is"
    ANSWER_LINE = "answer_line"
    LAST_LETTER = "last_letter"
    GUESS = "guess"


@dataclass(frozen=True, slots=True)
class Official:
    letter: str
    rule: Rule


_ANSWER_IS = re.compile(r"answer is \(?([A-J])\)?")
# Looked ahead, since the letter may be the A of another "Answer:".
_ANSWER_LINE = re.compile(r"[aA]nswer:(?=\s*([A-J]))")
_ALONE = re.compile(r"\b[A-J]\b")
_GUESS = Official(random.Random(SEED).choice(LETTERS), Rule.GUESS)


@lru_cache(maxsize=1 << 17)
def extract(response: str) -> Official:
    """The letter that the official script counts as the answer of a response."""
    stated = _ANSWER_IS.search(response)
    if stated:
        return Official(stated.group(1), Rule.ANSWER_IS)
    line = _ANSWER_LINE.search(response)
    if line:
        end = response.find("\n", line.start())
        for later in _ANSWER_LINE.finditer(response, line.end()):
            if 0 <= end <= later.start():
                break
            line = later
        return Official(line.group(1), Rule.ANSWER_LINE)
    letter = ""
    for alone in _ALONE.finditer(response):
        letter = alone.group()
    return Official(letter, Rule.LAST_LETTER) if letter else _GUESS


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """`official`: accuracy as the script reports it, guesses included; `guessed`: the share of
    responses whose letter is a guess; `official_without_guesses`: those counted as wrong."""
    if not samples:
        return {}
    right = guessed = lucky = 0
    for sample in samples:
        found = extract(final_part(sample.response))
        right += (hit := found.letter == sample.question.gold)
        guessed += found.rule is Rule.GUESS
        lucky += hit and found.rule is Rule.GUESS
    return {
        "official": right / len(samples),
        "official_without_guesses": (right - lucky) / len(samples),
        "guessed": guessed / len(samples),
    }


_SOURCE = "Wang et al., arXiv 2406.01574 (MIT); its own prompt and extraction"
BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark(
        name="mmlu_pro",
        title="MMLU-Pro, zero-shot",
        source=f"{_SOURCE}, without examples as in R1's report",
        load=_load,
        protocols=(r1(4),),
        aggregate=aggregate,
    ),
    Benchmark(
        name="mmlu_pro_5shot",
        title="MMLU-Pro, 5-shot",
        source=_SOURCE,
        load=_load_shots,
        protocols=(OFFICIAL,),
        aggregate=aggregate,
        headline="official",
    ),
)
