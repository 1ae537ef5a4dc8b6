"""verifiers up to 0.2 and what trains on its environments (prime-rl): a Rubric.

    vf.SingleTurnEnv(dataset=..., rubric=TouchstoneRubric("127.0.0.1:50051"))

The base is verifiers/rubrics/rubric.py; verifiers_reward.py is for 0.3 and later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from verifiers import Rubric  # type: ignore[import-not-found]

from verifier.adapters.core import Options, Rewarder, Sample


class TouchstoneRubric(Rubric):  # type: ignore[misc]
    """One reward function, `touchstone`, beside which others may be added.

    The row is a state's `info` with `answer` beside it: a reference answer, or an object of Item
    fields. There is no way to leave a sample out: the policies are `raise` and `zero`.
    """

    def __init__(
        self,
        address: str,
        *,
        weight: float = 1.0,
        parser: object = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(funcs=[self.touchstone], weights=[weight], parser=parser)
        self._rewarder = Rewarder(
            address,
            trainer="verifiers",
            policies=("raise", "zero"),
            usual={"truth": "answer"},
            **options,
        )
        if not hasattr(Rubric, "_call_individual_reward_func"):
            raise RuntimeError(
                "verifiers: this version calls reward functions in another way, which may turn "
                "a failure into a reward of 0; versions 0.1.14 to 0.2.1 are known"
            )

    async def touchstone(self, state: Mapping[str, Any]) -> float:
        """Raises NoReward, ColumnMissing."""
        info = state.get("info")
        row = dict(info) if isinstance(info, Mapping) else {}
        if "answer" in state:
            row["answer"] = state["answer"]
        sample = Sample(
            row,
            state.get("completion"),
            name=f"example {state.get('example_id')}",
            prompt=state["prompt"],
            truncated=bool(state.get("is_truncated")),
        )
        return (await self._rewarder.ascore([sample])).numbers()[0]

    async def _call_individual_reward_func(self, func: Any, state: Any) -> float:
        # The base makes 0.0 of whatever a reward function raises.
        if func == self.touchstone:
            return await self.touchstone(state)
        return float(await super()._call_individual_reward_func(func, state))
