"""What text alone decides, on one core: language, format, the other parts, choice, instructions.

    make bench PARTS=text

Responses of 2 KB, CPU time, medians of several runs. The floor beside them is one pass of a
compiled pattern that finds the words of the same text.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence

import regex
from rich.console import Console
from rich.table import Table

from tests.verifier.language_texts import NOT_WORDS, SENTENCES, plain
from verifier import format, length, readability, repetition
from verifier.choice import verify as choice
from verifier.instructions import verify as instructions
from verifier.language import share
from verifier.v1 import verifier_pb2 as pb

SIZE = 2_048
"""Bytes of a response."""
RESPONSES, RUNS = 200, 5

_WORDS = regex.compile(r"\p{L}+")


def responses(language: str, number: int = RESPONSES) -> list[str]:
    """Different texts of `SIZE` bytes in one language, with LaTeX and code strewn in."""
    rng = random.Random(language)
    texts = []
    for _ in range(number):
        text = ""
        while len(text.encode()) < SIZE:
            text += plain(rng.choice(SENTENCES[language])) + rng.choice((" ", "\n"))
            text += rng.choice(NOT_WORDS) + " " if rng.random() < 0.2 else ""
        texts.append(text.encode()[:SIZE].decode(errors="ignore"))
    return texts


def rate(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """Texts in a second of CPU time."""
    work(texts[0])
    seconds = []
    for _ in range(RUNS):
        began = time.process_time()
        for text in texts:
            work(text)
        seconds.append(time.process_time() - began)
    return len(texts) / statistics.median(seconds)


def main(console: Console) -> dict[str, float]:
    english = responses("en")
    thought = [f"<think>{text}</think> The answer is (C)." for text in english]
    options = pb.ChoiceTask(gold="C", options=["red", "green", "blue", "white"])
    ids = ("punctuation:no_comma", "change_case:english_lowercase", "startend:quotation")
    constraints = pb.InstructionsTask(constraints=[pb.Constraint(id=one) for one in ids])
    rows: dict[str, float] = {"floor: words found": rate(_WORDS.findall, english)}
    for language in SENTENCES:
        texts = responses(language)
        rows[f"language, {language}"] = rate(lambda text, to=language: share(text, to), texts)
    rows |= {
        "format, r1": rate(lambda text: format.check(text, format.Style.R1), thought),
        "length": rate(lambda text: length.check(text, {"max": "4096"}, {}), thought),
        "repetition": rate(lambda text: repetition.check(text, {}), thought),
        "readability": rate(lambda text: readability.check(text, "en", {}), thought),
        "choice": rate(lambda text: choice.verify(options, text), thought),
        "instructions, three": rate(
            lambda text: instructions.verify(constraints, text, ""), english
        ),
    }
    table = Table("responses of 2 KB", "for each second of one core")
    for name, value in rows.items():
        table.add_row(name, f"{value:,.0f}")
    console.print(table)
    return {name: round(value) for name, value in rows.items()}
