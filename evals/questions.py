"""The questions of benchmarks as plain texts, for who must not train on them.

    {"benchmark": "aime24", "id": "60", "prompt": "Every morning Aya goes for a walk ..."}

A prompt is the last turn that the model is asked with, without the lines that many of the
benchmark's questions have: instructions of how to answer stand in other prompts too, and a
comparison by words would find a benchmark in each of them. Earlier turns, which are worked
examples, are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from evals.benchmark import Benchmark, BenchmarkError, Question
from evals.data import Data, DataMissing

SHARED_BY = 0.02
"""A line that more than this share of a benchmark's questions have is no part of a question. The
smallest subject of MMLU-Pro, whose first lines name it, has 3 % of its questions."""


def prompts(questions: Sequence[Question]) -> list[str]:
    """The text of each, without what they share. Pure."""
    texts = [question.messages[-1].content for question in questions]
    counts = Counter(line for text in texts for line in {one.strip() for one in text.split("\n")})
    most = max(1.0, SHARED_BY * len(texts))
    return ["\n".join(_own(text, counts, most)) or text for text in texts]


def _own(text: str, counts: Counter[str], most: float) -> Iterator[str]:
    yield from (line for line in text.split("\n") if line.strip() and counts[line.strip()] <= most)


def gather(benchmarks: Iterable[Benchmark], data: Data) -> tuple[list[dict[str, str]], list[str]]:
    """The rows of all benchmarks whose data are there, and what the others lack."""
    rows, missing = list[dict[str, str]](), list[str]()
    for benchmark in benchmarks:
        try:
            questions = benchmark.load(data)
        except (BenchmarkError, DataMissing) as error:
            missing.append(f"{benchmark.name}: {error}")
            continue
        rows += [
            {"benchmark": benchmark.name, "id": question.id, "prompt": prompt}
            for question, prompt in zip(questions, prompts(questions), strict=True)
        ]
    return rows, missing
