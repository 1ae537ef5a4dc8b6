"""Stored outputs through inspect_ai with our scorer: as a task, over its log, and by its command.

python -m tests.evals.peer_inspect ADDRESS ROWS FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import inspect_ai
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ModelAPI, ModelOutput, modelapi
from inspect_ai.solver import generate

from evals.adapters import inspect_scorer
from evals.adapters.inspect_scorer import touchstone_scorer

RESPONSES: dict[str, str] = {}


@modelapi(name="stored")
class Stored(ModelAPI):
    """Answers with what is in the rows; inspect's own mock model loads a tokenizer from the web."""

    async def generate(self, input: Any, **_: Any) -> ModelOutput:
        return ModelOutput.from_content(self.model_name, RESPONSES[input[-1].text])


def scores(log: EvalLog) -> dict[str, Any]:
    assert log.status == "success", log.error
    assert log.results is not None
    found = {
        str(sample.id): (sample.scores or {})["touchstone_scorer"] for sample in log.samples or []
    }
    (result,) = log.results.scores
    return {
        "values": {
            id: None if score.value != score.value else score.value for id, score in found.items()
        },
        "reasons": {id: score.reason for id, score in found.items() if score.reason},
        "answers": {id: score.answer for id, score in found.items()},
        "accuracy": result.metrics["accuracy"].value,
        "scored": result.scored_samples,
        "unscored": result.unscored_samples,
    }


def main(address: str, path: str, folder: str) -> None:
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    RESPONSES.update({row["question"]: row["response"] for row in rows})
    task = inspect_ai.Task(
        dataset=MemoryDataset(
            [Sample(id=row["id"], input=row["question"], target=row["gold"]) for row in rows]
        ),
        solver=generate(),
        scorer=touchstone_scorer(kind="math", verifier=address),
    )
    model = "stored/rows"
    (scored,) = inspect_ai.eval(task, model=model, log_dir=folder, display="none")
    (plain,) = inspect_ai.eval(
        task, model=model, log_dir=folder, display="none", score=False, log_format="eval"
    )
    again = inspect_ai.score(
        plain, touchstone_scorer(kind="math", verifier=address), display="none"
    )
    # The command makes the log's model anew, and knows only inspect's own.
    plain.eval.model = "mockllm/model"
    write_eval_log(plain)
    command = Path(sys.executable).with_name("inspect")
    done = subprocess.run(
        [
            *(str(command), "score", plain.location, "--display", "none", "--overwrite"),
            *("--scorer", f"{inspect_scorer.__file__}@touchstone_scorer"),
            *("-S", "kind=math", "-S", f"verifier={address}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = {
        "version": inspect_ai.__version__,
        "task": scores(scored),
        "scored": scores(again),
        "command": scores(read_eval_log(plain.location)),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
