"""LiveCodeBench's outputs: `Scenario.codegeneration_*.json`, its `_eval_all.json`, and what its
custom_evaluator takes (lcb_runner at 28fef95): a list of objects with question_id and `output_list`
or `code_list`, one entry for each sample. A program alone becomes a response of one fenced block.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evals.importers.stored import ImportFailed, Stored, an_object, texts, whole


def read(path: Path) -> Iterator[Stored]:
    """Raises ImportFailed."""
    rows = whole(path)
    if not isinstance(rows, list):
        raise ImportFailed(f"{path}: must be a JSON list, one object for each question")
    for number, value in enumerate(rows):
        place = f"entry {number}"
        row = an_object(value, path, place)
        id = row.get("question_id")
        if not isinstance(id, str):
            raise ImportFailed(f"{path}, {place}: question_id must be a text, got {id!r}")
        if isinstance(outputs := row.get("output_list"), list):
            # Some of the official runners write a list of one text for each.
            outputs = [
                one[0] if isinstance(one, list) and len(one) == 1 else one for one in outputs
            ]
        if outputs is not None:
            responses = texts(outputs, "output_list", path, place)
        elif "code_list" in row:
            codes = texts(row["code_list"], "code_list", path, place)
            responses = [f"```python\n{code}\n```" for code in codes]
        else:
            raise ImportFailed(f"{path}, {place}: neither output_list nor code_list")
        for response in responses:
            yield Stored(place, response, ids=(id,))
