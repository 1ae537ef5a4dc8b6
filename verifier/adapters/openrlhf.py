"""OpenRLHF: the `reward_func` of a file given as `--reward.remote_url file.py`.

    reward_func = for_service("127.0.0.1:50051", on_failure="zero")

The call is that of openrlhf/utils/agent.py (`_fetch_rewards_via_func`), 0.11: one sample at a time,
each in a thread of its own. OpenRLHF logs what a reward function raises, at level INFO, and goes on
with a sample that has no reward until its tensors are joined, where the run ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Unpack

from verifier.adapters.core import NoReward, Options, Rewarder, Sample
from verifier.adapters.rows import BadRow, ColumnMissing
from verifier.ends import without_ends

log = logging.getLogger(__name__)

LEAST_OVERLAP = 16
"""Characters of a prompt that was cut at its start and still counts as found."""


def for_service(address: str, **options: Unpack[Options]) -> Callable[..., dict[str, Any]]:
    """A `reward_func`. A label is a reference answer, or an object of Item fields as JSON text.

    There is no way to leave a sample out: the policies are `raise` and `zero`. For B queries it
    gives tensors of B `rewards` and `scores` (the same), and in `extra_logs` of B `failed`.

    Raises, when called, NoReward and ColumnMissing.
    """
    rewarder = Rewarder(
        address,
        trainer="OpenRLHF",
        policies=("raise", "zero"),
        usual={"truth": "label"},
        **options,
    )

    def reward_func(
        queries: Sequence[str], prompts: Sequence[str], labels: Sequence[object], **_: object
    ) -> dict[str, Any]:
        import torch

        samples = [
            Sample({"label": label}, _response(query, prompt), f"query {place}", prompt)
            for place, (query, prompt, label) in enumerate(
                zip(queries, prompts, labels, strict=True)
            )
        ]
        try:
            scored = rewarder.score(samples)
        except (NoReward, ColumnMissing):
            log.exception("no reward for %d queries", len(queries))  # else it is hardly seen
            raise
        values = torch.tensor(scored.numbers())
        failed = torch.tensor([float(not one.HasField("reward")) for one in scored.verdicts])
        return {"rewards": values, "scores": values, "extra_logs": {"failed": failed}}

    return reward_func


def _response(query: str, prompt: str) -> str | BadRow:
    """What follows the prompt in the query, which may have lost the prompt's beginning."""
    if query.startswith(prompt):
        return without_ends(query[len(prompt) :])
    for start in range(1, len(prompt) - LEAST_OVERLAP + 1):
        if query.startswith(prompt[start:]):
            return without_ends(query[len(prompt) - start :])
    return BadRow("query: begins with neither the prompt nor the end of it")
