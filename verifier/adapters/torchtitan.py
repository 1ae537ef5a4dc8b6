"""torchtitan: a reward function of its RL rubric.

    Rubric.Config(reward_fns=[Touchstone.Config(address="127.0.0.1:50051")])

The base is torchtitan/experiments/rl/rubrics/rubric.py, 0.3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torchtitan.experiments.rl.rubrics import RewardFn  # type: ignore[import-not-found]

from verifier.adapters.core import Rewarder, Sample


class Touchstone(RewardFn):  # type: ignore[misc]
    """The row is the environment's input, a mapping or a dataclass; `answer` is a reference answer,
    or an object of Item fields. There is no way to leave a sample out: the policies are `raise` and
    `zero`.
    """

    @dataclass(kw_only=True, slots=True)
    class Config(RewardFn.Config):  # type: ignore[misc]
        address: str
        options: dict[str, Any] = field(default_factory=dict)
        """Those of every adapter."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._rewarder = Rewarder(
            config.address,
            trainer="torchtitan",
            policies=("raise", "zero"),
            usual={"truth": "answer"},
            **config.options,
        )

    async def __call__(self, rollout: Any, env_input: object) -> float:
        """The reward of the last turn's completion. Raises NoReward, ColumnMissing."""
        last = rollout.turns[-1] if rollout.turns else None
        sample = Sample(
            _row(env_input),
            [last.completion_message] if last and last.completion_message else None,
            name=f"rollout {rollout.rollout_id} of group {rollout.group_id}",
            prompt=rollout.turns[0].prompt_messages if rollout.turns else "",
            truncated=rollout.status.is_truncated(),
        )
        return (await self._rewarder.ascore([sample])).numbers()[0]


def _row(env_input: Any) -> Mapping[str, Any]:
    if isinstance(env_input, Mapping):
        return env_input
    if dataclasses.is_dataclass(env_input):
        return {one.name: getattr(env_input, one.name) for one in dataclasses.fields(env_input)}
    raise TypeError(f"env_input: a mapping or a dataclass, got a {type(env_input).__name__}")
