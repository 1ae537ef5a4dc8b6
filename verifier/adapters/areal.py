"""AReaL: the `reward_fn` of an RLVRWorkflow.

    workflow = RLVRWorkflow(reward_fn=RewardFn("127.0.0.1:50051"), ...)

The call is that of areal/workflow/rlvr.py, 1.0, through `AsyncRewardWrapper`
(areal/api/reward_api.py): in a worker process, with 15 seconds for it. A call that takes longer,
or raises TimeoutError, is made three times more and then counts as a reward of 0, so this one ends
before, with another error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from verifier.adapters.core import Options, Rewarder, Sample
from verifier.ends import without_ends

LIMIT_S = 13.0
"""Of waiting and of verifying together: the 15 seconds of AReaL, less some for its own work."""


class RewardFn:
    """One sample's reward. The row is what the dataset has beside the messages.

    There is no way to leave a sample out: the policies are `raise` and `zero`. A workflow that
    wraps this with other `timeout_seconds` gives some less as `limit_s`.
    """

    def __init__(
        self, address: str, *, limit_s: float = LIMIT_S, **options: Unpack[Options]
    ) -> None:
        told: Options = {"wait_seconds": limit_s / 4, "timeout_s": limit_s * 3 / 4, **options}
        longest = told["wait_seconds"] + told["timeout_s"]
        if longest > limit_s:
            raise ValueError(
                f"wait_seconds and timeout_s: at most limit_s = {limit_s:g} together, as AReaL "
                f"makes a longer call a reward of 0; got {longest:g}"
            )
        self._rewarder = Rewarder(address, trainer="AReaL", policies=("raise", "zero"), **told)

    def __call__(
        self,
        prompt: str,
        completions: str,
        prompt_ids: Sequence[int],
        completion_ids: Sequence[int],
        **row: Any,
    ) -> float:
        """Raises NoReward, ColumnMissing."""
        sample = Sample(row, without_ends(completions), name="sample", prompt=prompt)
        return self._rewarder.score([sample]).numbers()[0]
