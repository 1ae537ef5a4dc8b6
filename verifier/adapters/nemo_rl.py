"""NeMo-RL: an environment, to be registered as an actor (docs/examples/nemo_rl_environment.py).

Its base is nemo_rl/environments/interfaces.py.
"""

from __future__ import annotations

from typing import Any

import torch
from nemo_rl.environments.interfaces import (  # type: ignore[import-not-found]
    EnvironmentInterface,
    EnvironmentReturn,
)

from verifier.adapters.core import Rewarder, Sample
from verifier.adapters.rows import plain


class TouchstoneEnvironment(EnvironmentInterface):  # type: ignore[misc]
    """`config` is `address` and the options.

    A sample's row is its metadata; `ground_truth` is a reference answer, or an object of Item
    fields. An environment cannot leave a sample out: the policies are `raise` and `zero`.
    """

    def __init__(self, config: Any) -> None:
        options = plain(config)
        if "address" not in options:
            got = ", ".join(options) or "nothing"
            raise ValueError(f"env.touchstone.address: host:port of the service, got {got}")
        self._rewarder = Rewarder(
            options.pop("address"),
            trainer="NeMo-RL",
            policies=("raise", "zero"),
            usual={"truth": "ground_truth"},
            **options,
        )

    def step(self, message_log_batch: list[list[dict[str, Any]]], metadata: list[Any]) -> Any:
        """B message logs and their metadata in, B rewards (float32) out; every episode ends.

        Raises NoReward, ColumnMissing.
        """
        scored = self._rewarder.score(
            [
                Sample(row or {}, messages, name=f"sample {place}", prompt=messages)
                for place, (messages, row) in enumerate(
                    zip(message_log_batch, metadata, strict=True)
                )
            ]
        )
        rewards = torch.tensor(scored.numbers(), dtype=torch.float32)
        return EnvironmentReturn(
            observations=[{"role": "environment", "content": ""} for _ in metadata],
            metadata=metadata,
            next_stop_strings=[None] * len(metadata),
            rewards=rewards,
            terminateds=torch.ones_like(rewards),
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
        """The batch as it is, and the mean of its rewards."""
        return batch, {"reward": batch["rewards"].float().mean().item()}
