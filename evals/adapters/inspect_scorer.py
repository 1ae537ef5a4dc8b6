"""Our verifiers as a scorer of inspect_ai.

    Task(dataset=..., solver=generate(), scorer=touchstone_scorer(kind="math"))

or over a log that is there: `inspect score LOG --scorer
evals/adapters/inspect_scorer.py@touchstone_scorer -S kind=math`. A response that cannot be verified
is unscored: it stays in the log and out of the metrics.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState

from evals.adapters import EMBEDDED, Kind, item, verify
from verifier.client import Item

MakeItem = Callable[[TaskState, Target], Item]


@scorer(metrics=[accuracy(), stderr()])  # type: ignore[untyped-decorator]
def touchstone_scorer(
    kind: Kind = "math", verifier: str = EMBEDDED, make: MakeItem | None = None
) -> Scorer:
    """Scores completions in [0, 1].

    `math`: a target's texts are equivalent answers. `choice`: the target is a letter, and the
    sample's choices are the options. `make` builds any other item (code with tests, constraints)
    from the state and the target. `verifier`: host:port of a running server, or "embedded".
    """

    async def score(state: TaskState, target: Target) -> Score:
        output = state.output
        made = (
            make(state, target)
            if make is not None
            else item(
                kind,
                output.completion,
                list(target),
                [choice.value for choice in state.choices] if kind == "choice" else (),
                cut_off=bool(output.choices)
                and output.stop_reason in ("max_tokens", "model_length"),
            )
        )
        (found,) = await anyio.to_thread.run_sync(verify, verifier, [made])
        if found.score is None:
            return Score.unscored(
                reason="scoring_failed", answer=found.answer, explanation=found.explanation
            )
        return Score(value=found.score, answer=found.answer, explanation=found.explanation)

    return score
