"""A scripted endpoint that streams, and benchmarks of our own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.benchmark import Benchmark, math_question, r1
from tests.verifier.judge.server import Play, Request

NAME = "scripted"


def stream(
    text: str, *, finish: str | None = "stop", reasoning: str = "", tokens: int = 7, **how: Any
) -> Play:
    """A whole streamed answer, a few characters in each event; without `finish` it breaks off."""

    def event(delta: Mapping[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': NAME, 'choices': [choice]})}\n\n"

    events = [event({"role": "assistant", "content": ""})]
    events += [
        event({"reasoning_content": reasoning[n : n + 9]}) for n in range(0, len(reasoning), 9)
    ]
    events += [event({"content": text[n : n + 9]}) for n in range(0, len(text), 9)]
    if finish:
        events.append(event({}, finish))
        usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
        whole = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": NAME}
        events += [
            f"data: {json.dumps(whole | {'choices': [], 'usage': usage})}\n\n",
            "data: [DONE]\n\n",
        ]
    return Play("".join(events).encode(), content_type="text/event-stream", **how)


def draw(request: Request) -> float:
    """In [0, 1), by the request's seed and prompt alone."""
    told = json.dumps([request.body.get("seed"), request.body["messages"]])
    return int(hashlib.sha256(told.encode()).hexdigest()[:8], 16) / 2**32


def sums(count: int = 6) -> Benchmark:
    """Sums of small numbers."""

    def load(data: object) -> list[Any]:
        return [
            math_question(
                f"sum-{n}",
                f"What is {n} + {n}?",
                [str(2 * n)],
                slices={"parity": "odd" if n % 2 else "even"},
            )
            for n in range(count)
        ]

    return Benchmark("sums", "Sums", "ours", load, protocols=(r1(4),))


def adds(request: Request) -> Play:
    """Right three times in four, cut off once in ten."""
    n = int(request.body["messages"][-1]["content"].split()[2])
    chance = draw(request)
    if chance > 0.9:
        return stream("<think>hm, let me", finish="length")
    answer = 2 * n if chance < 0.7 else 2 * n + 1
    return stream(f"<think>adding</think>It is \\boxed{{{answer}}}.")


def data_folder(folder: Path, count: int = 8) -> Path:
    """A data folder with an aime24 of our own."""
    path = folder / "aime_amc" / "aime24.jsonl"
    path.parent.mkdir(parents=True)
    rows = [
        {"id": f"own-{n}", "problem": f"What is {n} + {n}?", "expected_answer": str(2 * n)}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
