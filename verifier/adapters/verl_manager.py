"""verl: a manager for its reward loop, which also knows the prompt and whether the answer was cut.

    reward.reward_manager.source=importlib
    reward.reward_manager.name=TouchstoneRewardManager
    reward.reward_manager.module.path=pkg://verifier.adapters.verl_manager
    +reward.custom_reward_function.reward_kwargs.address=127.0.0.1:50051

Its base is verl/experimental/reward_loop/reward_manager/base.py, 0.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verl.experimental.reward_loop.reward_manager.base import (  # type: ignore[import-not-found]
    RewardManagerBase,
)

from verifier.adapters.verl import results, rewarder_of, sample_of


class TouchstoneRewardManager(RewardManagerBase):  # type: ignore[misc]
    """Options are the `reward_kwargs` of the custom reward function, whose path stays empty."""

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: object,
        reward_router_address: str | None = None,
        reward_model_tokenizer: object = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        told = config.reward.get("custom_reward_function") or {}
        options = dict(told.get("reward_kwargs") or {})
        if "address" not in options:
            raise ValueError(
                "reward.custom_reward_function.reward_kwargs.address: host:port of the service, "
                f"got {', '.join(options) or 'nothing'}"
            )
        self._rewarder = rewarder_of(options.pop("address"), options)

    async def run_single(self, data: Any) -> dict[str, Any]:
        """`data` is a DataProto of one sample, or of a trajectory whose last sequence counts.

        Raises NoReward, ColumnMissing.
        """
        one = data[-1]
        ids = one.batch["responses"]
        length = int(one.batch["attention_mask"][-len(ids) :].sum())
        solution = await self.loop.run_in_executor(
            None, lambda: self.tokenizer.decode(ids[:length], skip_special_tokens=True)
        )
        told: Mapping[str, Any] = one.non_tensor_batch
        ends = self.tokenizer.eos_token_id
        sample = sample_of(
            told["data_source"],
            solution,
            told["reward_model"]["ground_truth"],
            told.get("extra_info"),
            prompt=told.get("raw_prompt", ""),
            truncated=length == len(ids) and int(ids[-1]) != ends,
        )
        result = results(await self._rewarder.ascore([sample]))[0]
        return {"reward_score": result["score"], "reward_extra_info": dict(result)}
