"""slime: what `--custom-rm-path module.custom_rm` names, for one sample and for a group.

    custom_rm = for_service("127.0.0.1:50051", on_failure="zero")

The calls are those of slime/rollout/rm_hub/__init__.py: `async_rm` gives a Sample and takes its
reward, `batched_async_rm` (`--group-rm`, or a rollout of several samples) a list of both.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Unpack

from verifier.adapters.core import Options, Rewarder, Sample, scores_of, status_of

Reward = float | dict[str, float | str]


def for_service(
    address: str, **options: Unpack[Options]
) -> Callable[..., Coroutine[Any, Any, Reward | list[Reward]]]:
    """A `custom_rm`. A sample's row is its `metadata` with `label` beside it: a reference answer,
    or an object of Item fields as JSON text.

    slime normalises the rewards of a whole group, so the policies are `raise` and `zero`. A reward
    is a number; with `--reward-key KEY` an object with it, the parts' scores and the status.

    Raises, when called, NoReward and ColumnMissing.
    """
    rewarder = Rewarder(
        address,
        trainer="slime",
        policies=("raise", "zero"),
        usual={"truth": "label"},
        **options,
    )

    async def custom_rm(args: Any, sample: Any, **_: object) -> Reward | list[Reward]:
        samples = sample if isinstance(sample, list) else [sample]
        scored = await rewarder.ascore([_sample(one) for one in samples])
        made: list[Reward] = list(scored.numbers())
        if key := getattr(args, "reward_key", None):
            made = [
                {
                    **scores_of(verdict),
                    "status": status_of(verdict),
                    key: value,
                }
                for verdict, value in zip(scored.verdicts, scored.numbers(), strict=True)
            ]
        return made if isinstance(sample, list) else made[0]

    return custom_rm


def _sample(told: Any) -> Sample:
    metadata = told.metadata if isinstance(told.metadata, dict) else {}
    return Sample(
        metadata | {"label": told.label},
        told.response,
        name=f"sample {told.index} of group {told.group_index}",
        prompt=told.prompt,
        truncated=told.status.value == "truncated",
    )
