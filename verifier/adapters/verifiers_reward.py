"""verifiers from 0.3 on and what trains on its environments (prime-rl): a reward of a task.

    touchstone = for_service("127.0.0.1:50051")       # in my_rewards.py
    [task.rewards.touchstone]                         # in the environment's configuration
    fn = "my_rewards:touchstone"

The call is that of verifiers/v1/task.py (`Task.score`), 0.4, which records what is raised on the
trace as a TaskError.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Unpack

from verifier.adapters.core import Options, Rewarder, Sample


def for_service(
    address: str, **options: Unpack[Options]
) -> Callable[..., Coroutine[Any, Any, float]]:
    """A reward function. The row is the task's data; `answer` is a reference answer, or an object
    of Item fields. There is no way to leave a sample out: the policies are `raise` and `zero`.

    Raises, when called, NoReward and ColumnMissing.
    """
    rewarder = Rewarder(
        address,
        trainer="verifiers",
        policies=("raise", "zero"),
        usual={"truth": "answer"},
        **options,
    )

    async def touchstone(task: Any, trace: Any) -> float:
        said = trace.assistant_messages[-1:]
        sample = Sample(
            task.model_dump(),
            [message.model_dump() for message in said],
            name=f"task {task.idx}",
            prompt=task.prompt_text,
            truncated=trace.is_truncated,
        )
        return (await rewarder.ascore([sample])).numbers()[0]

    return touchstone
