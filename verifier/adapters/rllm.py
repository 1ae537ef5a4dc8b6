"""rLLM: an evaluator of episodes, and a reward function of its older interface.

The calls are those of rllm/types.py and rllm/eval/types.py (`Evaluator.evaluate`) and of
rllm/rewards/reward_fn.py (`RewardFunction`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from verifier.adapters.core import Options, Rewarder, Sample, Scored, accuracy, scores_of, status_of


class TouchstoneEvaluator:
    """The row is the task, a mapping, or its `metadata`; `ground_truth` is a reference answer, or
    an object of Item fields. There is no way to leave a sample out: the policies are `raise` and
    `zero`.
    """

    def __init__(self, address: str, **options: Unpack[Options]) -> None:
        self._rewarder = Rewarder(
            address,
            trainer="rLLM",
            policies=("raise", "zero"),
            usual={"truth": "ground_truth"},
            **options,
        )

    def evaluate(self, task: Any, episode: Any) -> Any:
        """An EvalOutput with a signal for each part. Raises NoReward, ColumnMissing."""
        from rllm.eval.types import EvalOutput, Signal  # type: ignore[import-not-found]

        row = task if isinstance(task, Mapping) else task.metadata
        asked = getattr(task, "instruction", "")
        prompt = asked if isinstance(asked, str) else [{"role": "user", "content": asked}]
        name = f"task {getattr(task, 'id', '')}".strip()
        scored = self._rewarder.score([Sample(row, _answer(episode), name, prompt)])
        return EvalOutput(
            reward=scored.numbers()[0],
            is_correct=_correct(scored),
            signals=[Signal(*one) for one in scores_of(scored.verdicts[0]).items()],
            metadata={"status": status_of(scored.verdicts[0])},
        )

    def __call__(self, task_info: Mapping[str, Any], action: Any) -> Any:
        """A RewardOutput. Raises NoReward, ColumnMissing."""
        from rllm.rewards.reward_types import RewardOutput  # type: ignore[import-not-found]

        said = getattr(action, "action", action)
        scored = self._rewarder.score([Sample(task_info, said, name="action")])
        return RewardOutput(
            reward=scored.numbers()[0],
            is_correct=_correct(scored),
            metadata={"status": status_of(scored.verdicts[0])},
        )


def _correct(scored: Scored) -> bool:
    return accuracy(scored.verdicts[0]) == 1.0


def _answer(episode: Any) -> object:
    """The answer that the agent named, else what its last step said."""
    if "answer" in episode.artifacts:
        return episode.artifacts["answer"]
    if not episode.trajectories:
        return None
    last = episode.trajectories[-1]
    if last.output or not last.steps:
        return last.output
    return last.steps[-1].output
