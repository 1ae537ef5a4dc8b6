"""lm-eval's `samples_<task>_<date>.jsonl` (--log_samples, release 0.4): one line for each document
and filter, with the document, the arguments of the request and the raw responses in `resps`. The
first filter's lines count: the raw responses of the others are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.importers.stored import ImportFailed, Stored, an_object, lines, texts

ID_NAMES = ("id", "question_id", "problem_id", "task_id", "unique_id", "uid", "key")
"""Fields of a document that may hold an id of ours."""


def read(path: Path) -> Iterator[Stored]:
    """Raises ImportFailed."""
    counted: Any = None
    for place, row in lines(path):
        if counted is None:
            counted = row.get("filter")
        if row.get("filter") != counted:
            continue
        doc = an_object(row.get("doc"), path, f"{place}, doc")
        resps = row.get("resps")
        if not isinstance(resps, list) or len(resps) != 1 or not isinstance(resps[0], list):
            raise ImportFailed(
                f"{path}, {place}: resps must hold one request's list of texts (generate_until)"
            )
        for response in texts(resps[0], "resps", path, place):
            yield Stored(
                place,
                response,
                ids=tuple(str(doc[name]) for name in ID_NAMES if name in doc),
                texts=tuple(value for value in doc.values() if isinstance(value, str)),
                prompt=_prompt(row.get("arguments")),
            )


def _prompt(arguments: Any) -> str:
    """The first argument of the first request: a text, or a conversation as JSON."""
    if isinstance(arguments, dict):
        arguments = [[*one.values()] for one in arguments.values() if isinstance(one, dict)]
    while isinstance(arguments, list) and arguments:
        arguments = arguments[0]
    if not isinstance(arguments, str):
        return ""
    try:
        turns = json.loads(arguments)
    except ValueError:
        return arguments
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return arguments
    return "\n".join(str(turn.get("content", "")) for turn in turns)
