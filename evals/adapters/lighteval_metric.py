"""Our verifiers as a metric of lighteval, for the `metrics` of a task's configuration.

    LightevalTaskConfig(..., metrics=[touchstone_metric(kind="math")])

A document's figure is the mean over its samples. A sample that cannot be verified is left out; a
document without any verified sample stays out of the mean over documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan, nan
from statistics import fmean

from lighteval.metrics.metrics_sample import SampleLevelComputation
from lighteval.metrics.utils.metric_utils import SampleLevelMetric
from lighteval.models.model_output import ModelResponse
from lighteval.tasks.requests import Doc, SamplingMethod

from evals.adapters import EMBEDDED, Kind, item, verify
from verifier.client import Item

MakeItem = Callable[[Doc, str], Item]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Touchstone(SampleLevelComputation):  # type: ignore[misc]
    """One document's figure, by the service."""

    def __init__(self, kind: Kind, verifier: str, make: MakeItem | None) -> None:
        self._kind, self._verifier, self._make = kind, verifier, make

    def compute(self, model_response: ModelResponse, doc: Doc, **_: object) -> float:
        """NaN: nothing of it could be verified."""
        items = [self._item(doc, text) for text in model_response.final_text]
        scores = [one.score for one in verify(self._verifier, items) if one.score is not None]
        return fmean(scores) if scores else nan

    def _item(self, doc: Doc, text: str) -> Item:
        if self._make is not None:
            return self._make(doc, text)
        if self._kind == "math":
            return item("math", text, doc.get_golds())
        gold = doc.gold_index if isinstance(doc.gold_index, int) else doc.gold_index[0]
        return item("choice", text, [LETTERS[gold]], doc.choices)


def mean_of_verified(figures: Sequence[float]) -> float:
    """NaN where nothing was verified."""
    known = [figure for figure in figures if not isnan(figure)]
    return fmean(known) if known else nan


def touchstone_metric(
    kind: Kind = "math", verifier: str = EMBEDDED, make: MakeItem | None = None
) -> SampleLevelMetric:
    """`math`: the gold choices are equivalent answers. `choice`: the choices are the options.
    `make` builds any other item from a document and a text. `verifier`: host:port of a running
    server, or "embedded"."""
    return SampleLevelMetric(
        metric_name="touchstone",
        sample_level_fn=Touchstone(kind, verifier, make),
        category=SamplingMethod.GENERATIVE,
        corpus_level_fn=mean_of_verified,
        higher_is_better=True,
    )
