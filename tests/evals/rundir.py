"""Directories of runs, as the stages leave them, of choice questions whose grades are given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evals.benchmark import Benchmark, Protocol, Question, Status, r1, user
from evals.generate import params_hash
from evals.records import Finish, Generation, Records, Score, digest, prompt_hash
from evals.run import write_questions


@dataclass(frozen=True)
class Got:
    """One sample: what came, and its grade."""

    score: float | None = 1.0
    answer: str = "A"
    finish: Finish = "stop"
    status: Status = "ok"
    scored: bool = True
    parts: tuple[tuple[str, float], ...] = ()
    kind: str = "choice"


RIGHT, WRONG = Got(), Got(0.0, "B")
OTHER = Got(0.0, "C")
BLANK = Got(0.0, "", status="no_answer")
CUT = Got(0.0, "", finish="length", status="no_answer")
API_ERROR = Got(None, "", finish="error", scored=False)
GRADER_ERROR = Got(None, "", status="grader_error")
UNGRADED = Got(None, "", scored=False)


def question(name: str, **rest: Any) -> Question:
    return Question(name, user(f"What is {name}?"), gold="A", **rest)


def benchmark(questions: Sequence[Question], k: int, **rest: Any) -> Benchmark:
    return Benchmark("b", "B", "ours", lambda data: questions, protocols=(r1(k),), **rest)


def write(
    out: Path,
    held: Sequence[tuple[Question, Sequence[Got]]],
    k: int,
    *,
    model: str = "m",
    name: str = "b",
    temperature: float = 0.6,
) -> tuple[Protocol, str]:
    """Adds a benchmark to a directory; gives its protocol and the hash of its parameters."""
    protocol = Protocol("r1", temperature, 0.95, 32_768, k)
    params = params_hash(model, protocol, 0)
    folder = out / name
    write_questions(folder / "questions.jsonl", [one for one, _ in held])
    with (
        Records(folder / "generations.jsonl", Generation) as generations,
        Records(folder / "scores.jsonl", Score) as scores,
    ):
        for one, all_got in held:
            for sample, got in enumerate(all_got):
                made, score = records(name, one, sample, params, got)
                generations.append(made)
                if score is not None:
                    scores.append(score)
    path = out / "run.json"
    noted = json.loads(path.read_text()) if path.is_file() else {"model": model, "benchmarks": {}}
    noted["benchmarks"][name] = {"protocol": asdict(protocol), "params_hash": params}
    path.write_text(json.dumps(noted))
    return protocol, params


def records(
    name: str, one: Question, sample: int, params: str, got: Got
) -> tuple[Generation, Score | None]:
    """What generation and scoring write of a sample."""
    key = (name, one.id, sample, prompt_hash(one.messages), params)
    text = "" if got.finish == "error" else f"sample {sample}: the answer is {got.answer}"
    made = Generation(
        *key, text, got.finish, prompt_tokens=10, completion_tokens=5, seconds=1.5, cost=0.25
    )
    if not got.scored:
        return made, None
    parts = [{"name": part, "score": value} for part, value in got.parts]
    evidence = {"parts": parts, "evidence": {got.kind: {}}}
    return made, Score(*key, "g", digest(made.text), got.status, got.score, got.answer, evidence)
