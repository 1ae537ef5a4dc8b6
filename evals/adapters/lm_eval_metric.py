"""Our verifiers in a task of lm-eval: a `process_results` for its YAML file.

    # utils.py, beside the task
    from evals.adapters.lm_eval_metric import results
    process_results = results(kind="math", gold="answer")

    # task.yaml
    output_type: generate_until
    process_results: !function utils.process_results
    metric_list:
      - {metric: touchstone, aggregation: mean, higher_is_better: true}
      - {metric: touchstone_unverified, aggregation: mean, higher_is_better: false}

A document whose response cannot be verified has no `touchstone`, and lm-eval takes the mean of the
others; its share is `touchstone_unverified`. With `repeats` and a filter that keeps them all, a
document's figure is the mean over its verified responses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from evals.adapters import EMBEDDED, Kind, item, verify

ProcessResults = Callable[[Mapping[str, Any], Sequence[Any]], dict[str, float]]


def results(
    kind: Kind = "math",
    gold: str | Callable[[Mapping[str, Any]], Sequence[str]] = "answer",
    options: str | None = None,
    verifier: str = EMBEDDED,
) -> ProcessResults:
    """`gold`: a column of the documents, or what makes the equivalent answers of one. `options`:
    the column of the options, for `choice`. `verifier`: host:port of a running server, or
    "embedded"."""

    def process(doc: Mapping[str, Any], responses: Sequence[Any]) -> dict[str, float]:
        answers = [str(doc[gold])] if isinstance(gold, str) else list(gold(doc))
        choices = [str(option) for option in doc[options]] if options else ()
        items = [item(kind, text, answers, choices) for text in _texts(responses)]
        found = verify(verifier, items)
        scores = [one.score for one in found if one.score is not None]
        told = {"touchstone_unverified": 1 - len(scores) / len(found)}
        return told | ({"touchstone": fmean(scores)} if scores else {})

    return process


def _texts(responses: Sequence[Any]) -> list[str]:
    """Of one request: its text, or its repeats' texts."""
    flat = [one for part in responses for one in ([part] if isinstance(part, str) else part)]
    if not flat or not all(isinstance(one, str) for one in flat):
        raise ValueError(f"results: texts of a generate_until task, got {responses!r:.100}")
    return flat
