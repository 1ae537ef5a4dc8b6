"""lighteval's `details_<task>_<date>.parquet` (--save-details, release 0.13): one row for each
document, with the structs `doc` (id, query, specific) and `model_response` (input, and one entry
for each sample in text and reasonings).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evals.importers.stored import ImportFailed, Stored, an_object, texts


def read(path: Path) -> Iterator[Stored]:
    """Raises ImportFailed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as missing:
        raise ImportFailed(f'{path}: needs pip install ".[evals]" (from a checkout)') from missing
    try:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise ImportFailed(f"{path}: {error}") from error
    for number, row in enumerate(rows):
        place = f"row {number}"
        doc = an_object(row.get("doc"), path, f"{place}, doc")
        answer = an_object(row.get("model_response"), path, f"{place}, model_response")
        prompt = answer.get("input")
        asked = prompt if isinstance(prompt, str) else _last_turn(prompt)
        responses = texts(answer.get("text"), "model_response.text", path, place)
        thoughts = answer.get("reasonings") or [None] * len(responses)
        if len(thoughts) != len(responses):
            raise ImportFailed(
                f"{path}, {place}: {len(thoughts)} reasonings of {len(responses)} texts"
            )
        query = doc.get("query")
        if not isinstance(query, str):
            raise ImportFailed(f"{path}, {place}: doc.query must be a text, got {query!r:.100}")
        for response, thought in zip(responses, thoughts, strict=True):
            # doc.id is a row's number in a data set that may be ordered otherwise than ours.
            yield Stored(
                place,
                response,
                texts=(query, asked) if asked else (query,),
                prompt=asked or query,
                reasoning=thought or "",
            )


def _last_turn(prompt: object) -> str:
    """What a chat's last turn says."""
    if isinstance(prompt, list) and prompt and isinstance(prompt[-1], dict):
        return str(prompt[-1].get("content", ""))
    return ""
