"""simple-evals' `*_allresults.json` (at ee3b031): conversations in `convos`, the model's answer
last. A question that is asked more than once has that many samples. Its `htmls` are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evals.importers.stored import ImportFailed, Stored, an_object, whole


def read(path: Path) -> Iterator[Stored]:
    """Raises ImportFailed."""
    convos = an_object(whole(path), path, "the file").get("convos")
    if not isinstance(convos, list):
        raise ImportFailed(f"{path}: no list convos; import the _allresults.json, not the scores")
    for number, convo in enumerate(convos):
        place = f"convos[{number}]"
        turns = [
            (turn.get("role"), turn.get("content"))
            for turn in (convo if isinstance(convo, list) else [])
            if isinstance(turn, dict) and isinstance(turn.get("content"), str)
        ]
        if len(turns) < 2 or turns[-1][0] != "assistant" or turns[-2][0] != "user":
            raise ImportFailed(f"{path}, {place}: must end with a user's and an assistant's text")
        asked = str(turns[-2][1])
        yield Stored(place, str(turns[-1][1]), texts=(asked,), prompt=asked)
