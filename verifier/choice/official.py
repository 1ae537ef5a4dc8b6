r"""MMLU-Pro's own extraction, told rule by rule, so that its figures can be had and compared.

The benchmark's script (TIGER-AI-Lab/MMLU-Pro, compute_accuracy.py) takes the first
`answer is (X)`; without one, the last `Answer: X` of the first line that has one; without
one, the last letter A to J that stands alone; without one, a random letter, seeded anew
for every response, so that the guess is always the same letter. Guesses count as answers.

Invariant: the same letters as the script's patterns give, in linear time; two of its
patterns take quadratic time on long texts.

Not covered: the script's first level, which guesses whenever the first pattern fails.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

LETTERS = "ABCDEFGHIJ"
SEED = 12345


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


@dataclass(frozen=True, slots=True)
class Tally:
    """Responses by what their letter rests on."""

    total: int
    right: int
    guesses: int
    right_guesses: int

    @property
    def accuracy(self) -> float:
        """As the official script reports it, guesses included."""
        return self.right / self.total

    @property
    def guess_share(self) -> float:
        """The share of responses whose letter is a guess."""
        return self.guesses / self.total

    @property
    def accuracy_without_guesses(self) -> float:
        """A response that names no letter is wrong."""
        return (self.right - self.right_guesses) / self.total


def tally(answers: Iterable[tuple[str, Official]]) -> Tally:
    """Counts pairs of the right letter and what was extracted. At least one."""
    total = right = guesses = right_guesses = 0
    for gold, found in answers:
        guessed = found.rule is Rule.GUESS
        total += 1
        right += found.letter == gold
        guesses += guessed
        right_guesses += guessed and found.letter == gold
    return Tally(total, right, guesses, right_guesses)
