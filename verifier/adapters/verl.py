"""verl: a reward function for one sample (the reward loop) and one for a batch.

    reward.custom_reward_function.path=pkg://verifier.adapters.verl
    +reward.custom_reward_function.reward_kwargs.address=127.0.0.1:50051

The calls are those of verl/experimental/reward_loop/reward_manager/naive.py and of
verl/workers/reward_manager/batch.py, 0.9; verl_manager.py has a reward manager of our own.

A row is `extra_info` with `ground_truth` and `data_source` beside it. `ground_truth` is a
reference answer, or an object of Item fields (rows.py), unless `columns` says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from verifier.adapters.core import Options, Rewarder, Sample, Scored, accuracy, status_of

Result = dict[str, float | str]
"""`score`, and for verl's metrics `acc`, `failed` (1.0 without a verdict) and `status`: the same
keys for every sample, as verl takes those of the first for all."""


def rewarder_of(address: str, options: Mapping[str, Any]) -> Rewarder:
    """verl has no way to leave a sample out, so the policies are `raise` and `zero`."""
    return Rewarder(
        address,
        trainer="verl",
        policies=("raise", "zero"),
        usual={"truth": "ground_truth"},
        **options,
    )


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, Any] | None = None,
    *,
    address: str,
    reward_router_address: str | None = None,
    reward_model_tokenizer: object = None,
    **options: Unpack[Options],
) -> Result:
    """The reward of one sample; many calls at once travel in one batch.

    Raises NoReward, ColumnMissing, and ValueError for options that will not do.
    """
    sample = sample_of(data_source, solution_str, ground_truth, extra_info)
    return results(await rewarder_of(address, options).ascore([sample]))[0]


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[object],
    extra_infos: Sequence[Mapping[str, Any] | None],
    *,
    address: str,
    **options: Unpack[Options],
) -> list[Result]:
    """The rewards of a batch, for the reward manager `batch`. Raises as `compute_score`."""
    rows = zip(data_sources, solution_strs, ground_truths, extra_infos, strict=True)
    samples = [
        sample_of(source, solution, truth, extra, place)
        for place, (source, solution, truth, extra) in enumerate(rows)
    ]
    return results(rewarder_of(address, options).score(samples))


def sample_of(
    data_source: str,
    solution: str,
    ground_truth: object,
    extra_info: Mapping[str, Any] | None,
    place: int | None = None,
    *,
    prompt: object = "",
    truncated: bool = False,
) -> Sample:
    extra = dict(extra_info or {})
    number = extra.get("index", place)
    return Sample(
        extra | {"data_source": data_source, "ground_truth": ground_truth},
        solution,
        name=f"{data_source} {number}" if number is not None else str(data_source),
        prompt=prompt,
        truncated=truncated,
    )


def results(scored: Scored) -> list[Result]:
    """verl's form of what was scored."""
    made = list[Result]()
    for verdict, score in zip(scored.verdicts, scored.numbers(), strict=True):
        right = accuracy(verdict)
        made.append(
            {
                "score": score,
                "acc": score if right is None else right,
                "failed": float(not verdict.HasField("reward")),
                "status": status_of(verdict),
            }
        )
    return made
