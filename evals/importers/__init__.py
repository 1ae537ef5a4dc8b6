"""Responses that another harness stored, as generations of a benchmark's questions.

A harness names its questions in its own way. What it kept is matched by id where one of its ids is
one of ours, else by text: the stored question in our prompt, or our question in the stored prompt.
Where a response is a letter, the stored prompt must show our options in our order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evals.benchmark import Question
from evals.importers import lighteval, livecodebench, lm_eval, plain, simple_evals
from evals.importers.stored import ImportFailed, Stored
from evals.records import Generation, prompt_hash

FORMATS: dict[str, Callable[[Path], Iterator[Stored]]] = {
    "jsonl": plain.read,
    "lighteval": lighteval.read,
    "livecodebench": livecodebench.read,
    "lm-eval": lm_eval.read,
    "simple-evals": simple_evals.read,
}
SHOWN = 5
"""Ids that a message names."""
LEAST_CHARS = 32
"""Of a text that is part of another, to tell a question; fewer where it is half of the other."""


LEAST_WITH_ID = 8
"""Of a text that confirms a number."""


def imported(
    format: str,
    path: Path,
    benchmark: str,
    questions: Sequence[Question],
    *,
    params_hash: str = "",
    partial: bool = False,
) -> list[Generation]:
    """A file's responses as generations, in the order of the questions and of their samples.

    Samples without a number are numbered as they stand in the file. Unless `partial`, each question
    must have as many samples as any other. Raises ImportFailed.
    """
    if (read := FORMATS.get(format)) is None:
        raise ImportFailed(f"FORMAT: one of {', '.join(sorted(FORMATS))}; got {format!r}")
    if not path.is_file():
        raise ImportFailed(f"{path}: no such file")
    matching = _Matching(questions)
    found: dict[str, dict[int, Stored]] = {question.id: {} for question in questions}
    for stored in read(path):
        samples = found[matching(stored, path).id]
        number = len(samples) if stored.sample is None else stored.sample
        if number in samples:
            raise ImportFailed(
                f"{path}, {stored.place}: sample {number} of this question is at "
                f"{samples[number].place}, too"
            )
        samples[number] = stored
    if not any(found.values()):
        raise ImportFailed(f"{path}: no responses")
    if not partial:
        _check_whole(found, path)
    return [
        _generation(benchmark, question, number, stored, params_hash)
        for question in questions
        for number, stored in sorted(found[question.id].items())
    ]


def _generation(
    benchmark: str, question: Question, number: int, stored: Stored, params_hash: str
) -> Generation:
    return Generation(
        benchmark=benchmark,
        question=question.id,
        sample=number,
        prompt_hash=prompt_hash(question.messages),
        params_hash=params_hash,
        response=stored.response,
        finish=stored.finish,
        reasoning=stored.reasoning,
        prompt_tokens=stored.prompt_tokens,
        completion_tokens=stored.completion_tokens,
    )


def _check_whole(found: dict[str, dict[int, Stored]], path: Path) -> None:
    k = max(max(samples, default=-1) for samples in found.values()) + 1
    short = {id: len(samples) for id, samples in found.items() if len(samples) < k}
    if short:
        shown = ", ".join(f"{id} ({has})" for id, has in list(short.items())[:SHOWN])
        more = f" and {len(short) - SHOWN} more" if len(short) > SHOWN else ""
        raise ImportFailed(
            f"{path}: {len(short)} of {len(found)} questions have fewer than {k} samples: "
            f"{shown}{more} (--partial allows it)"
        )


class _Matching:
    """Which of our questions a stored response answers."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self._by_id = {question.id: question for question in questions}
        texts = [_plain(question.messages[-1].content) for question in questions]
        self._questions, self._texts = questions, texts
        counts = Counter(texts)
        self._by_text = {
            text: question
            for text, question in zip(texts, questions, strict=True)
            if counts[text] == 1
        }
        # What all prompts begin and end with is their template, not the question.
        head = _shared(texts)
        tail = _shared([text[head:][::-1] for text in texts])
        self._cores = [text[head : len(text) - tail] for text in texts]

    def __call__(self, stored: Stored, path: Path) -> Question:
        """Raises ImportFailed."""
        question = self._matched(stored, path)
        if stored.prompt and question.item is not None and question.item.HasField("choice"):
            _check_options(question, stored, path)
        return question

    def _matched(self, stored: Stored, path: Path) -> Question:
        told = sorted(filter(None, map(_plain, stored.texts)), key=len, reverse=True)
        for id in stored.ids:
            if (question := self._by_id.get(id)) and _means(id, question, told):
                return question
        for text in told:
            if text in self._by_text:
                return self._by_text[text]
            inside = [
                n
                for n, ours in enumerate(self._texts)
                if text in ours and _enough(text, self._cores[n])
            ]
            if len(inside) == 1:
                return self._questions[inside[0]]
            around = [n for n, ours in enumerate(self._texts) if ours in text] or [
                n for n, core in enumerate(self._cores) if core in text and _enough(core, text)
            ]
            # The longest: a short question may stand in the text of another.
            longest = max((len(self._cores[n]) for n in around), default=0)
            around = [n for n in around if len(self._cores[n]) == longest]
            if len(around) == 1:
                return self._questions[around[0]]
        what = f"id {stored.ids[0]!r}" if stored.ids else f"text {stored.texts[:1]!r:.200}"
        raise ImportFailed(
            f"{path}, {stored.place}: no one question of the benchmark has its {what}"
        )


def _means(id: str, question: Question, told: Sequence[str]) -> bool:
    """Whether an id of ours means our question. A bare number beside texts may be a row of another
    data set: it counts where our prompt has one of the texts."""
    ours = _plain(question.messages[-1].content)
    return (
        not id.isdigit()
        or not told
        or any(len(text) >= LEAST_WITH_ID and text in ours for text in told)
    )


def _check_options(question: Question, stored: Stored, path: Path) -> None:
    assert question.item is not None
    prompt, at = _plain(stored.prompt), 0
    for option in question.item.choice.options:
        if (place := prompt.find(_plain(option), at)) < 0:
            raise ImportFailed(
                f"{path}, {stored.place}: its prompt does not show the options of question "
                f"{question.id} in their order here; letters would mean others"
            )
        at = place + 1


def _shared(texts: Sequence[str]) -> int:
    """Characters that all begin with; 0 for fewer than two texts."""
    if len(texts) < 2:
        return 0
    pairs = enumerate(zip(min(texts), max(texts), strict=False))
    return next((n for n, (a, b) in pairs if a != b), len(min(texts)))


def _enough(part: str, whole: str) -> bool:
    return bool(part) and (len(part) >= LEAST_CHARS or 2 * len(part) >= len(whole))


def _plain(text: str) -> str:
    return " ".join(text.split())
