"""SkyRL: an environment of one turn, `verifier.adapters.skyrl:TouchstoneEnv`.

    register(
        id="touchstone",
        entry_point="verifier.adapters.skyrl:TouchstoneEnv",
        kwargs={"address": "127.0.0.1:50051"},
    )

Its base is skyrl_gym/envs/base_text_env.py, 0.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from skyrl_gym.envs.base_text_env import (  # type: ignore[import-not-found]
    BaseTextEnv,
    BaseTextEnvStepOutput,
)

from verifier.adapters.core import Options, Rewarder, Sample, status_of
from verifier.ends import without_ends


class TouchstoneEnv(BaseTextEnv):  # type: ignore[misc]
    """One for each sample; all of a process share a connection.

    The row is `extras` with the entries of its `reward_spec` beside them; `ground_truth` is a
    reference answer, or an object of Item fields. There is no way to leave a sample out: the
    policies are `raise` and `zero`.
    """

    def __init__(
        self,
        env_config: object,
        extras: Mapping[str, Any],
        *,
        address: str,
        **options: Unpack[Options],
    ) -> None:
        super().__init__()
        self._rewarder = Rewarder(
            address,
            trainer="SkyRL",
            policies=("raise", "zero"),
            usual={"truth": "ground_truth"},
            **options,
        )
        self._row = {**extras, **(extras.get("reward_spec") or {})}
        self._prompt: object = ""

    def init(self, prompt: Any) -> tuple[Any, dict[str, Any]]:
        """The prompt as it is."""
        self._prompt = prompt
        return prompt, {}

    def step(self, action: str) -> Any:
        """Ends the episode with the reward of the action. Raises NoReward, ColumnMissing."""
        name = f"sample {self._row.get('index', '')}".strip()
        sample = Sample(self._row, without_ends(action), name, self._prompt)
        scored = self._rewarder.score([sample])
        return BaseTextEnvStepOutput(
            observations=[],
            reward=scored.numbers()[0],
            done=True,
            metadata={"status": status_of(scored.verdicts[0])},
        )
