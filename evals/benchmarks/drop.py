"""DROP, reading comprehension with some arithmetic: simple-evals' 3-shot prompt and its F1.

The score is F1, between bags of words, of the text after the first `Answer:` (of the whole response
without one) and the reference that is closest.

Not covered: answers of several spans as DROP's own script aligns them. simple-evals gives that
script one text on either side, so that there is nothing to align.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Sequence
from typing import Any

from evals.benchmark import Benchmark, BenchmarkError, Graded, Question, Sample, Tools, r1, user
from evals.data import Data
from evals.hub import Table

_GET = "https://openaipublic.blob.core.windows.net/simple-evals/{}, as it is"
DEV = Table("drop/drop_v0_dev.jsonl.gz", _GET.format("drop_v0_dev.jsonl.gz"))
TRAIN = Table("drop/drop_v0_train.jsonl.gz", _GET.format("drop_v0_train.jsonl.gz"))

SHOTS = 3
"""Examples of the training set in each prompt. simple-evals draws them in the order in which its
threads come; here each question has its own, by its text."""

HEAD = (
    "You will be asked to read a passage and answer a question. Some examples of passages and Q&A "
    "are provided below.\n\n# Examples"
)
TAIL = (
    '\n\nThink step by step, then write a line of the form "Answer: $ANSWER" at the end of your '
    "response.\n                    "
)
"""openai/simple-evals@ee3b0318, drop_eval.py, `DropEval.__call__`, blanks included."""


def _load(data: Data) -> list[Question]:
    train = TRAIN.rows(data)
    return [_question(place, row, train) for place, row in enumerate(DEV.rows(data))]


def _question(place: int, row: dict[str, Any], train: Sequence[dict[str, Any]]) -> Question:
    golds = [gold for gold in row["ref_text"].split("|") if gold.strip()]
    if not golds:
        raise BenchmarkError(f"{DEV.path}, row {place}: ref_text has no answer")
    shots = [f"\n---\n{shot['context']} {shot['completion']}\n" for shot in drawn(row, train)]
    task = f"\n# Your Task\n\n---\n{row['context']} "
    passage = row["context"].partition("\nQuestion:")[0]
    return Question(
        f"drop-{place}",
        user(HEAD + "".join(shots) + task + TAIL),
        gold=" or ".join(dict.fromkeys(golds)),
        cluster=hashlib.sha256(passage.encode()).hexdigest()[:16],
        data={"golds": golds},
    )


def drawn(row: dict[str, Any], train: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Different examples for a question: the same in every run, whatever the order of questions."""
    places: dict[int, None] = {}
    attempt = 0
    while len(places) < min(SHOTS, len(train)):
        seed = hashlib.sha256(f"{attempt}\0{row['context']}".encode()).digest()
        places[int.from_bytes(seed[:8], "big") % len(train)] = None
        attempt += 1
    return [train[place] for place in places]


_ANSWER = re.compile(r"(?i)Answer\s*:\s*([^\n]+)")
"""openai/simple-evals@ee3b0318, common.py, ANSWER_PATTERN; the first match counts."""


async def grade(question: Question, response: str, tools: Tools) -> Graded:
    """F1 as the score, exact match in the evidence."""
    found = _ANSWER.search(response)
    answer = found[1] if found else response
    pairs = [compared(answer, gold) for gold in question.data["golds"]]
    f1 = max(pair[0] for pair in pairs)
    evidence = {"exact_match": max(pair[1] for pair in pairs)}
    if found is None:
        return Graded("no_answer", f1, evidence=evidence)
    return Graded("ok", f1, answer.strip(), evidence)


def compared(answer: str, gold: str) -> tuple[float, float]:
    """(F1, exact match) in [0, 1]. F1 is 0 where the reference has numbers and the answer none of
    them, and has four decimals, as in DROP's script."""
    left, right = normalised(answer), normalised(gold)
    exact = float(left == right)
    found, wanted = set(left.split()), set(right.split())
    numbers = {word for word in wanted if _is_number(word)}
    if numbers and not numbers & found:
        return 0.0, exact
    common = len(found & wanted)
    precision = common / len(found) if found else 1.0
    recall = common / len(wanted) if wanted else 1.0
    both = precision + recall
    return (round(2 * precision * recall / both, 4) if both else 0.0), exact


_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def normalised(text: str) -> str:
    """Words without case, punctuation and articles; numbers as floats ("1,000" is no number before
    its comma is gone)."""
    words = []
    for token in re.split("[ -]", text):
        word = token.lower()
        if not _is_number(word):
            word = word.translate(_PUNCTUATION)
        if _is_number(word):
            word = str(float(word))
        words += _ARTICLE.sub(" ", word).split()
    return " ".join(words)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """`f1` and `exact_match`, means over graded samples."""
    graded = [sample.graded for sample in samples if sample.graded.score is not None]
    if not graded:
        return {}
    return {
        "f1": sum(each.score or 0.0 for each in graded) / len(graded),
        "exact_match": sum(each.evidence["exact_match"] for each in graded) / len(graded),
    }


BENCHMARKS = (
    Benchmark(
        name="drop",
        title="DROP, 3-shot",
        source="Dua et al., arXiv 1903.00161 (CC BY-SA 4.0); prompt and grading of simple-evals",
        load=_load,
        protocols=(r1(4),),
        grade=grade,
        aggregate=aggregate,
        headline="f1",
    ),
)
