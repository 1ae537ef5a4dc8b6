"""TRL's GRPOTrainer and those that take its reward functions: Unsloth, open-r1.

    GRPOTrainer(reward_funcs=reward_func("127.0.0.1:50051", columns={"math": "solution"}), ...)

The call is that of trl/trainer/grpo_trainer.py (`_calculate_rewards`), 1.16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from verifier.adapters.core import Options, Rewarder, Sample, status_of

RewardFunc = Callable[..., list[float | None]]

ARGUMENTS = ("trainer_state", "log_extra", "log_metric", "environments")
"""What TRL passes beside the dataset's columns."""


def reward_func(
    address: str, *, name: str = "touchstone", **options: Unpack[Options]
) -> RewardFunc:
    """A reward function for `reward_funcs`, called once a step in each process.

    Of a batch of B completions it gives B rewards. Under the policies `none` and `mask` a sample
    without one is None: TRL leaves it out of its group's mean and standard deviation, and its
    advantage is 0. `name` is that of the metrics (`rewards/<name>/mean`); `<name>/failed` is the
    share of samples without a verdict, `<name>_status` a column of the completions' table.

    Raises, when called, NoReward and ColumnMissing.
    """
    rewarder = Rewarder(address, trainer="TRL", **options)

    def reward(
        prompts: Sequence[object], completions: Sequence[object], **columns: Any
    ) -> list[float | None]:
        told = {argument: columns.pop(argument, None) for argument in ARGUMENTS}
        scored = rewarder.score(_samples(prompts, completions, columns))
        failed = [not verdict.HasField("reward") for verdict in scored.verdicts]
        if told["log_extra"] is not None:
            told["log_extra"](f"{name}_status", [status_of(one) for one in scored.verdicts])
        if told["log_metric"] is not None and failed:
            told["log_metric"](f"{name}/failed", sum(failed) / len(failed))
        return [
            value if counts else None
            for value, counts in zip(scored.values, scored.counts, strict=True)
        ]

    reward.__name__ = name
    return reward


def _samples(
    prompts: Sequence[object], completions: Sequence[object], columns: Mapping[str, Any]
) -> list[Sample]:
    for column, values in columns.items():
        if len(values) != len(completions):
            raise ValueError(
                f"column {column!r}: one value for each of {len(completions)} completions, "
                f"got {len(values)}"
            )
    return [
        Sample(
            {column: values[place] for column, values in columns.items()},
            completion,
            name=f"row {place}",
            prompt=prompt,
        )
        for place, (prompt, completion) in enumerate(zip(prompts, completions, strict=True))
    ]
