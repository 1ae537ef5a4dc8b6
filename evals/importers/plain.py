"""JSON Lines of our own shape: `{"id", "response"}`, and what else is known.

`response` is a text, or a list of them, one for each sample; `sample` numbers one text; `finish` is
"stop" or "length"; `reasoning` is thinking that is no part of the response.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evals.importers.stored import ImportFailed, Stored, lines, texts

MOST_SAMPLES = 10_000
"""Of a question; each has a place in a run, whether there is one or not."""
NAMES = frozenset({"id", "response", "sample", "finish", "reasoning"})


def read(path: Path) -> Iterator[Stored]:
    """Raises ImportFailed."""
    for place, row in lines(path):
        where = f"{path}, {place}"
        if unknown := row.keys() - NAMES:
            raise ImportFailed(
                f"{where}: unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(NAMES))}"
            )
        if not isinstance(row.get("id"), str | int):
            raise ImportFailed(f"{where}: id must be a text or a number, got {row.get('id')!r}")
        response, sample = row.get("response"), row.get("sample")
        several = not isinstance(response, str)
        if sample is not None and (
            several or type(sample) is not int or not 0 <= sample < MOST_SAMPLES
        ):
            raise ImportFailed(
                f"{where}: sample must be the number of one response, from 0 and less than "
                f"{MOST_SAMPLES}, got {sample!r}"
            )
        reasoning = row.get("reasoning") or ""
        if not isinstance(reasoning, str):
            raise ImportFailed(f"{where}: reasoning must be a text, got {reasoning!r:.100}")
        finish = row.get("finish", "stop")
        if finish not in ("stop", "length"):
            raise ImportFailed(f"{where}: finish must be stop or length, got {finish!r}")
        for text in texts(response, "response", path, place) if several else [response]:
            yield Stored(
                place,
                str(text),
                ids=(str(row["id"]),),
                sample=sample,
                finish=finish,
                reasoning=reasoning,
            )
