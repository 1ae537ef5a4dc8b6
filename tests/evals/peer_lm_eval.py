"""Stored outputs through lm-eval with our metric, and its own sample files.

python -m tests.evals.peer_lm_eval ADDRESS ROWS FOLDER
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

TASK = """\
task: touchstone_case
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{gold}}}}"
process_results: !function utils.process_results
repeats: {repeats}
filter_list:
  - name: all
    filter: [{{function: {kept}}}]
metric_list:
  - {{metric: touchstone, aggregation: mean, higher_is_better: true}}
  - {{metric: touchstone_unverified, aggregation: mean, higher_is_better: false}}
"""
UTILS = """\
from evals.adapters.lm_eval_metric import results
process_results = results(kind="math", gold="gold", verifier="{address}")
"""


class Stored(LM):  # type: ignore[misc]
    """Answers with what is in the documents."""

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        return [request.doc["response"] for request in requests]

    def loglikelihood(self, requests: Any, disable_tqdm: bool = False) -> Any:
        raise NotImplementedError

    def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> Any:
        raise NotImplementedError


def main(address: str, path: str, folder: str) -> None:
    told: dict[str, Any] = {"version": version("lm-eval")}
    for name, repeats, kept in (("once", 1, "take_first"), ("twice", 2, "take_first_k, k: 2")):
        place = Path(folder) / name
        place.mkdir(parents=True)
        (place / "task.yaml").write_text(TASK.format(rows=path, repeats=repeats, kept=kept))
        (place / "utils.py").write_text(UTILS.format(address=address))
        found = simple_evaluate(
            model=Stored(),
            tasks=["touchstone_case"],
            task_manager=TaskManager(include_path=str(place), include_defaults=False),
            log_samples=True,
            bootstrap_iters=0,
        )
        tracker = EvaluationTracker(output_path=str(place / "out"))
        tracker.save_results_aggregated(results=found, samples=found["samples"])
        tracker.save_results_samples("touchstone_case", found["samples"]["touchstone_case"])
        (samples,) = (place / "out").rglob("samples_*.jsonl")
        told[name] = {
            "results": found["results"]["touchstone_case"],
            "values": {
                sample["doc"]["id"]: sample.get("touchstone")
                for sample in found["samples"]["touchstone_case"]
            },
            "samples": str(samples),
        }
    print(json.dumps(told, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
