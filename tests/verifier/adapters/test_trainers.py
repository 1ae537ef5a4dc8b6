"""Each adapter called as its trainer calls it, against a real service.

Where a base class of the trainer is needed, a stand-in with its signature is; test_packages.py has
the trainers that are installed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import importlib
import inspect
import logging
import pickle
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.verifier.adapters.scripted import scripted
from verifier.adapters import (
    areal,
    batching,
    openrlhf,
    rllm,
    slime,
    trl,
    verifiers_reward,
    verl,
)
from verifier.adapters.core import NoReward, Rewarder, Sample
from verifier.adapters.rows import ColumnMissing
from verifier.embedded import EmbeddedServer

torch = pytest.importorskip("torch")

RIGHT, WRONG, NONE = r"<think>hm</think>\boxed{4}", r"\boxed{5}", "no answer"
SUM = "```python\nprint(sum(map(int, input().split())))\n```"
CODE = {"language": "python", "tests": [{"stdin": "1 2", "stdout": "3"}]}
BROKEN = {"language": "python", "tests": []}
"""A task that the service refuses."""


def says(text: str | None) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text}]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Modules that are not installed: name and what is in it."""

    def make(name: str, **content: object) -> None:
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            path = ".".join(parts[:depth])
            if path not in sys.modules:
                monkeypatch.setitem(sys.modules, path, types.ModuleType(path))
        vars(sys.modules[name]).update(content)

    return make


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """An adapter whose base class is a stand-in, forgotten afterwards."""

    def load(name: str) -> Any:
        path = f"verifier.adapters.{name}"
        monkeypatch.delitem(sys.modules, path, raising=False)
        module = importlib.import_module(path)
        monkeypatch.setitem(sys.modules, path, module)
        return module

    return load


# TRL


def trl_call(reward: Any, completions: Sequence[object], **columns: Any) -> list[float | None]:
    """As trl/trainer/grpo_trainer.py does in `_calculate_rewards`."""
    prompts: list[object] = ["What is 2+2?"] * len(completions)
    ids = [[1, 2]] * len(completions)
    found: list[float | None] = reward(
        prompts=prompts,
        completions=completions,
        completion_ids=ids,
        **columns,
        trainer_state=object(),
    )
    return found


def test_trl_rows_of_every_kind(server: EmbeddedServer) -> None:
    logged: dict[str, Any] = {}
    reward = trl.reward_func(server.address, columns={"math": "solution"})
    assert reward.__name__ == "touchstone"
    assert not inspect.iscoroutinefunction(reward)
    found = trl_call(
        reward,
        [RIGHT, WRONG, NONE, SUM, "B", "no comma"],
        solution=["4", "4", ["4", "5"], None, None, None],
        code=[None, None, None, CODE, None, None],
        choice=[None, None, None, None, {"gold": "B", "options": ["x", "y"]}, None],
        instructions=[None] * 5 + [{"constraints": [{"id": "punctuation:no_comma"}]}],
        log_extra=logged.__setitem__,
        log_metric=logged.__setitem__,
    )
    assert found == [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    assert logged == {"touchstone_status": ["OK"] * 6, "touchstone/failed": 0.0}


def test_trl_chats_are_texts(server: EmbeddedServer) -> None:
    reward = trl.reward_func(server.address, columns={"math": "solution"}, recipe="r1_zero")
    form = "<think>hm</think>\n<answer>\\boxed{4}</answer>"
    parsed = [{"role": "assistant", "content": form[18:], "reasoning_content": "hm"}]
    texts = trl_call(reward, [form, WRONG], solution=["4", "4"])
    chats = trl_call(reward, [says(form), says(WRONG)], solution=["4", "4"])
    assert texts == chats
    assert trl_call(reward, [parsed], solution=["4"]) == texts[:1]
    assert texts[0] == 2.0


@pytest.mark.parametrize("policy", ["none", "mask", "zero"])
def test_trl_leaves_out_what_has_no_reward(server: EmbeddedServer, policy: Any) -> None:
    reward = trl.reward_func(server.address, on_failure=policy, name="r")
    logged: dict[str, Any] = {}
    found = trl_call(
        reward,
        [says(RIGHT), says(RIGHT), None, says(RIGHT)],
        math=["4", None, "4", None],
        code=[None, None, None, BROKEN],
        log_extra=logged.__setitem__,
        log_metric=logged.__setitem__,
    )
    missing = 0.0 if policy == "zero" else None
    assert found == [1.0, missing, missing, missing]
    assert logged == {"r_status": ["OK", "INVALID", "INVALID", "INVALID"], "r/failed": 0.75}


def test_trl_errors_name_the_row_and_the_column(server: EmbeddedServer) -> None:
    reward = trl.reward_func(server.address)
    with pytest.raises(
        NoReward, match=r"2 items have no reward; first: 'row 1' INVALID: task: .* math"
    ):
        trl_call(reward, [RIGHT, RIGHT, RIGHT], math=["4", None, None])
    with pytest.raises(NoReward, match=r"first: 'q7' INVALID: code.tests: 1 to"):
        trl_call(reward, [RIGHT], code=[BROKEN], id=["q7"])
    with pytest.raises(ColumnMissing, match="the rows have completion_ids, answer"):
        trl_call(reward, [RIGHT], answer=["4"])
    masking = trl.reward_func(server.address, columns={"math": "solution"}, on_failure="mask")
    with pytest.raises(ColumnMissing, match="no column 'solution'"):
        trl_call(masking, [RIGHT], answer=["4"])
    with pytest.raises(TypeError, match="on_fail"):
        trl.reward_func(server.address, on_fail="zero")  # type: ignore[call-arg]


def test_a_failure_is_logged_under_a_lenient_policy(
    server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    reward = trl.reward_func(server.address, on_failure="zero")
    with caplog.at_level(logging.WARNING, "verifier.adapters"):
        trl_call(reward, [RIGHT], math=[None])
    assert "on_failure = zero: 1 items have no reward; first: 'row 0' INVALID" in caplog.text


# verl


def test_verl_function(server: EmbeddedServer) -> None:
    assert inspect.iscoroutinefunction(verl.compute_score)  # else it runs in a thread
    samples: list[tuple[object, str]] = [
        ("4", RIGHT), (np.str_("4"), WRONG), ({"code": CODE}, SUM),
        ('{"choice": {"gold": "B"}}', "B"), (np.array(["4", "5"], dtype=object), r"\boxed{5}"),
    ]  # fmt: skip

    async def loop() -> list[verl.Result]:
        # As experimental/reward_loop/reward_manager/naive.py does.
        return await asyncio.gather(
            *(
                verl.compute_score(
                    data_source="gsm8k",
                    solution_str=solution,
                    ground_truth=truth,
                    extra_info={"index": place, "num_turns": None, "rollout_reward_scores": {}},
                    address=server.address,
                )
                for place, (truth, solution) in enumerate(samples)
            )
        )

    found = asyncio.run(loop())
    assert [one["score"] for one in found] == [1.0, 0.0, 1.0, 1.0, 1.0]
    assert [tuple(one) for one in found] == [("score", "acc", "failed", "status")] * 5


def test_verl_keys_are_the_same_without_a_verdict(server: EmbeddedServer) -> None:
    # As workers/reward_manager/batch.py does.
    extras = [{"rollout_reward_scores": {}, "index": n} for n in range(3)]
    found = verl.compute_scores(
        data_sources=np.array(["a", "a", "b"], dtype=object),
        solution_strs=[RIGHT, RIGHT, WRONG],
        ground_truths=["4", None, "4"],
        extra_infos=np.array(extras, dtype=object),
        address=server.address,
        on_failure="zero",
    )
    assert found == [
        {"score": 1.0, "acc": 1.0, "failed": 0.0, "status": "OK"},
        {"score": 0.0, "acc": 0.0, "failed": 1.0, "status": "INVALID"},
        {"score": 0.0, "acc": 0.0, "failed": 0.0, "status": "OK"},
    ]
    with pytest.raises(
        NoReward, match=r"first: 'a 1' INVALID: .* columns ground_truth have no value"
    ):
        verl.compute_scores(["a"], [RIGHT], [None], extras[1:2], address=server.address)
    with pytest.raises(ValueError, match="verl takes one of raise, zero, got 'mask'"):
        verl.compute_scores([], [], [], [], address=server.address, on_failure="mask")


class FakeTensorItem(NamedTuple):
    batch: dict[str, Any]
    non_tensor_batch: dict[str, Any]


def test_verl_manager(server: EmbeddedServer, fakes: Any, adapter: Any) -> None:
    class RewardManagerBase:
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any) -> None:
            self.config, self.tokenizer, self.compute_score = config, tokenizer, compute_score
            self.loop = asyncio.get_running_loop()

    fakes("verl.experimental.reward_loop.reward_manager.base", RewardManagerBase=RewardManagerBase)
    manager = adapter("verl_manager").TouchstoneRewardManager

    class Tokenizer:
        eos_token_id = 0

        def decode(self, ids: Any, skip_special_tokens: bool) -> str:
            assert skip_special_tokens
            return "".join(map(chr, ids.tolist()))

    def data(answer: str, pad: int, **told: Any) -> list[FakeTensorItem]:
        ids = torch.tensor([*map(ord, answer), *[0] * pad])
        mask = torch.tensor(
            [0, 1, *[1] * len(answer), *[0] * pad]
        )  # a prompt of two, one of it pad
        batch = {"responses": ids, "attention_mask": mask}
        return [
            FakeTensorItem(
                batch, {"data_source": "m", "reward_model": {"ground_truth": "4"}, **told}
            )
        ]

    async def run(kwargs: dict[str, Any]) -> list[dict[str, Any]]:
        config = types.SimpleNamespace(reward={"custom_reward_function": {"reward_kwargs": kwargs}})
        one = manager(
            config=config,
            tokenizer=Tokenizer(),
            compute_score=None,
            reward_router_address=None,
            reward_model_tokenizer=None,
        )
        prompt = np.array([{"role": "user", "content": "2+2?"}], dtype=object)
        return await asyncio.gather(
            one.run_single(data(RIGHT, 3, raw_prompt=prompt, extra_info={"index": 1})),
            one.run_single(data(WRONG, 0)),
        )

    found = asyncio.run(run({"address": server.address}))
    assert [one["reward_score"] for one in found] == [1.0, 0.0]
    assert found[0]["reward_extra_info"] == {
        "score": 1.0,
        "acc": 1.0,
        "failed": 0.0,
        "status": "OK",
    }
    with pytest.raises(ValueError, match=r"reward_kwargs.address: host:port .* got on_failure"):
        asyncio.run(run({"on_failure": "zero"}))


# OpenRLHF


def test_openrlhf_file(server: EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    reward_func = openrlhf.for_service(server.address)
    prompt = "<|im_start|>user\nWhat is 2+2?<|im_end|>\n<|im_start|>assistant\n"

    def call(query: str, label: object) -> Any:
        # As openrlhf/utils/agent.py does, each in a thread; positional arguments.
        return reward_func([query], [prompt], [label])

    with ThreadPoolExecutor(4) as threads:
        calls = [
            threads.submit(call, prompt + RIGHT + "<|im_end|>", "4"),
            threads.submit(call, prompt + WRONG, "4"),
            threads.submit(call, prompt[9:] + RIGHT, "4"),  # the prompt was cut
            threads.submit(call, prompt + "B<|im_end|>\n", '{"choice": {"gold": "B"}}'),
        ]
        found = [one.result() for one in calls]
    assert [one["rewards"].tolist() for one in found] == [[1.0], [0.0], [1.0], [1.0]]
    for one in found:
        assert one["scores"].tolist() == one["rewards"].tolist()
        assert one["extra_logs"]["failed"].tolist() == [0.0]
        assert torch.tensor([one["rewards"]]).shape == (1,)  # as samples_generator.py makes of it
    with pytest.raises(NoReward, match="begins with neither the prompt nor the end of it"):
        call("something else " + RIGHT, "4")
    assert "no reward for 1 queries" in caplog.text
    lenient = openrlhf.for_service(server.address, on_failure="zero")
    found_none = lenient([prompt + RIGHT], [prompt], [None])
    assert (found_none["rewards"].item(), found_none["extra_logs"]["failed"].item()) == (0.0, 1.0)


# slime


class Status(enum.Enum):
    COMPLETED = "completed"
    TRUNCATED = "truncated"


@dataclasses.dataclass
class SlimeSample:
    """The fields of slime/utils/types.py that a reward is made from."""

    response: str
    label: str | None
    prompt: str | list[dict[str, str]] = "What is 2+2?"
    group_index: int | None = 3
    index: int | None = 7
    status: Status = Status.COMPLETED
    metadata: Any = dataclasses.field(default_factory=dict)


def test_slime_single_and_group(server: EmbeddedServer) -> None:
    custom_rm = slime.for_service(server.address)
    args = types.SimpleNamespace(reward_key=None, group_rm=False)
    samples = [
        SlimeSample(RIGHT, "4"),
        SlimeSample(WRONG, "4", status=Status.TRUNCATED),
        SlimeSample("B", None, metadata={"choice": "B", "rm_type": "x"}),
        SlimeSample(SUM, None, metadata={"code": CODE}),
    ]

    async def run() -> tuple[list[Any], Any]:
        single = await asyncio.gather(*(custom_rm(args, one) for one in samples))
        return single, await custom_rm(args, samples)

    single, group = asyncio.run(run())
    assert single == group == [1.0, 0.0, 1.0, 1.0]
    keyed = types.SimpleNamespace(reward_key="score")
    assert asyncio.run(custom_rm(keyed, samples[0])) == {
        "accuracy": 1.0,
        "status": "OK",
        "score": 1.0,
    }
    with pytest.raises(NoReward, match="'sample 7 of group 3' INVALID"):
        asyncio.run(custom_rm(args, SlimeSample(RIGHT, None)))


# AReaL


def test_areal_in_a_process_pool(server: EmbeddedServer) -> None:
    reward_fn = areal.RewardFn(server.address, columns={"math": "answer"})
    # As areal/workflow/rlvr.py calls AsyncRewardWrapper, which pickles it into a pool.
    with ProcessPoolExecutor(
        1, mp_context=__import__("multiprocessing").get_context("spawn")
    ) as pool:
        calls = [
            pool.submit(reward_fn, "2+2?", answer, [1], [2], answer="4", messages=[])
            for answer in (RIGHT + "<|im_end|>", WRONG)
        ]
        assert [call.result() for call in calls] == [1.0, 0.0]
        with pytest.raises(NoReward, match=r"'sample' INVALID: .* columns answer have no value"):
            pool.submit(reward_fn, "2+2?", RIGHT, [1], [2], answer=None).result()


def test_areal_gives_up_before_areal_does_and_by_another_error() -> None:
    with scripted() as service:
        reward_fn = areal.RewardFn(service.address, limit_s=2)
        with pytest.raises(NoReward, match="DEADLINE_EXCEEDED") as caught:
            reward_fn("?", "hang", [1], [2], math="4")
        assert not isinstance(caught.value, TimeoutError)
        assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args  # noqa: S301
    batching.close()
    with pytest.raises(ValueError, match=r"at most limit_s = 13 together, .* got 43.25"):
        areal.RewardFn("127.0.0.1:1", wait_seconds=33.5)


# SkyRL


def test_skyrl_env(server: EmbeddedServer, fakes: Any, adapter: Any) -> None:
    class BaseTextEnv:
        def __init__(self) -> None:
            self.turns, self.max_turns = 0, 1

    fakes("skyrl_gym.envs.base_text_env", BaseTextEnv=BaseTextEnv, BaseTextEnvStepOutput=dict)
    env = adapter("skyrl").TouchstoneEnv
    extras = {"reward_spec": {"method": "rule", "ground_truth": "4"}, "data_source": "gsm8k"}
    with ThreadPoolExecutor(4) as threads:  # as SkyRLGymGenerator runs them

        def episode(said: str) -> Any:
            one = env(env_config={}, extras=extras, address=server.address)
            prompt = [{"role": "user", "content": "2+2?"}]
            assert one.init(prompt) == (prompt, {})
            return one.step(said)

        right, wrong = threads.map(episode, [RIGHT + "<|im_end|>", WRONG])
    assert right == {"observations": [], "reward": 1.0, "done": True, "metadata": {"status": "OK"}}
    assert wrong["reward"] == 0.0
    with pytest.raises(ValueError, match="SkyRL takes one of raise, zero, got 'mask'"):
        env(env_config={}, extras=extras, address=server.address, on_failure="mask")


# NeMo-RL


class EnvironmentReturn(NamedTuple):
    """nemo_rl/environments/interfaces.py"""

    observations: list[dict[str, str]]
    metadata: list[Any]
    next_stop_strings: list[Any]
    rewards: Any
    terminateds: Any
    answers: list[str | None] | None = None


def test_nemo_rl_environment(server: EmbeddedServer, fakes: Any, adapter: Any) -> None:
    fakes(
        "nemo_rl.environments.interfaces",
        EnvironmentInterface=type("EnvironmentInterface", (), {}),
        EnvironmentReturn=EnvironmentReturn,
    )
    environment = adapter("nemo_rl").TouchstoneEnvironment({"address": server.address})
    log = [{"role": "user", "content": "2+2?", "token_ids": torch.tensor([1])}]
    metadata = [{"ground_truth": "4"}, {"ground_truth": "4"}, {"ground_truth": {"choice": "B"}}]
    found = environment.step([log + says(RIGHT), log + says(WRONG), log + says("B")], metadata)
    assert found.rewards.tolist() == [1.0, 0.0, 1.0]
    assert (found.rewards.dtype, found.terminateds.tolist()) == (torch.float32, [1.0] * 3)
    assert found.metadata == metadata
    assert len(found.observations) == len(found.next_stop_strings) == 3
    batch = {"rewards": torch.tensor([1.0, 0.0])}
    assert environment.global_post_process_and_metrics(batch) == (batch, {"reward": 0.5})
    with pytest.raises(NoReward, match="'sample 1' INVALID"):
        environment.step([log + says(RIGHT)] * 2, [{"ground_truth": "4"}, {"ground_truth": None}])


# NeMo-Gym


@pytest.fixture
def gym(fakes: Any, adapter: Any) -> Any:
    """nemo_gym/base_resources_server.py, what /verify needs of it."""
    pydantic = pytest.importorskip("pydantic")

    class BaseVerifyRequest(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        responses_create_params: dict[str, Any]
        response: dict[str, Any]

    class BaseVerifyResponse(BaseVerifyRequest):
        reward: float
        mask_sample: bool = False
        failure_kind: str | None = None
        failure_reason: str | None = None

    class BaseResourcesServerConfig(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        name: str = "touchstone"

    class SimpleResourcesServer(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        config: BaseResourcesServerConfig

    fakes(
        "nemo_gym.base_resources_server",
        BaseVerifyRequest=BaseVerifyRequest,
        BaseVerifyResponse=BaseVerifyResponse,
        BaseResourcesServerConfig=BaseResourcesServerConfig,
        SimpleResourcesServer=SimpleResourcesServer,
    )
    return adapter("nemo_gym")


def test_nemo_gym_verify(server: EmbeddedServer, gym: Any) -> None:
    config = gym.TouchstoneConfig(address=server.address, options={"on_failure": "mask"})
    resources = gym.TouchstoneResourcesServer(config=config)

    def body(said: str, **row: Any) -> Any:
        return gym.TouchstoneRequest.model_validate(
            {
                "responses_create_params": {"input": [{"role": "user", "content": "2+2?"}]},
                "response": {
                    "id": "resp_1",
                    "output": [
                        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                        {
                            "type": "message",
                            "role": "assistant",
                            "content": [{"type": "output_text", "text": said}],
                        },
                    ],
                },
                **row,
            }
        )

    right = asyncio.run(resources.verify(body(RIGHT, expected_answer="4")))
    assert (right.reward, right.mask_sample, right.verdict_status) == (1.0, False, "OK")
    assert right.parts == {"accuracy": 1.0}
    assert right.model_dump()["expected_answer"] == "4"
    failed = asyncio.run(resources.verify(body(SUM, code=BROKEN)))
    assert (failed.reward, failed.mask_sample, failed.verdict_status) == (0.0, True, "INVALID")
    assert "code.tests: 1 to" in failed.failure_reason
    recipe = gym.TouchstoneConfig(address=server.address, options={"recipe": "r1_zero"})
    formed = gym.TouchstoneResourcesServer(config=recipe)
    whole = asyncio.run(formed.verify(body("<answer>4</answer>", expected_answer="4")))
    assert whole.parts == {"accuracy": 1.0, "format": 1.0}  # with its reasoning put before it
    with pytest.raises(
        ValueError, match="this NeMo-Gym takes one of raise, zero, mask, got 'none'"
    ):
        gym.TouchstoneResourcesServer(
            config=gym.TouchstoneConfig(address="x:1", options={"on_failure": "none"})
        )


# verifiers


def test_verifiers_reward(server: EmbeddedServer) -> None:
    pydantic = pytest.importorskip("pydantic")
    told = {
        "idx": (int, 3),
        "prompt": (str, "2+2?"),
        "answer": (str | None, "4"),
        "id": (str | None, None),
    }
    task = pydantic.create_model("Data", **told)()
    object.__setattr__(task, "prompt_text", "2+2?")
    message = pydantic.create_model(
        "Message",
        role=(str, "assistant"),
        content=(str, WRONG),
        reasoning_content=(str | None, None),
    )
    trace = types.SimpleNamespace(
        assistant_messages=[message(), message(content=RIGHT)], is_truncated=False
    )
    touchstone = verifiers_reward.for_service(server.address)
    # As verifiers/v1/utils/decorators.py does in `invoke`: what the function names.
    given = {"task": task, "trace": trace, "runtime": None}
    wanted = {name: given[name] for name in inspect.signature(touchstone).parameters}
    assert asyncio.run(touchstone(**wanted)) == 1.0


# rLLM


def test_rllm(server: EmbeddedServer, fakes: Any) -> None:
    @dataclasses.dataclass
    class Signal:
        name: str
        value: float
        metadata: dict[str, Any] = dataclasses.field(default_factory=dict)

    @dataclasses.dataclass
    class EvalOutput:
        reward: float
        is_correct: bool
        signals: list[Signal] = dataclasses.field(default_factory=list)
        metadata: dict[str, Any] = dataclasses.field(default_factory=dict)

    @dataclasses.dataclass
    class RewardOutput:
        reward: float
        metadata: dict[str, Any]
        is_correct: bool | None = None

    fakes("rllm.eval.types", EvalOutput=EvalOutput, Signal=Signal)
    fakes("rllm.rewards.reward_types", RewardOutput=RewardOutput)
    space = types.SimpleNamespace
    evaluator = rllm.TouchstoneEvaluator(server.address)
    task = space(id="t1", instruction="2+2?", metadata={"ground_truth": "4"})
    last = space(output=None, steps=[space(output=WRONG), space(output=RIGHT)])
    episode = space(artifacts={}, trajectories=[last])
    found = evaluator.evaluate(task, episode)
    assert found == EvalOutput(1.0, True, [Signal("accuracy", 1.0)], {"status": "OK"})
    named = space(artifacts={"answer": WRONG}, trajectories=[last])
    assert evaluator.evaluate({"ground_truth": "4"}, named).is_correct is False
    with pytest.raises(NoReward, match=r"'task t1' INVALID: response: .* no completion came"):
        evaluator.evaluate(task, space(artifacts={}, trajectories=[]))
    assert evaluator({"ground_truth": "4"}, space(action=RIGHT)) == RewardOutput(
        1.0, {"status": "OK"}, True
    )


# torchtitan


def test_torchtitan(server: EmbeddedServer, fakes: Any, adapter: Any) -> None:
    class RewardFn:
        @dataclasses.dataclass(kw_only=True, slots=True)
        class Config:
            weight: float = 1.0

        def __init__(self, config: Any) -> None:
            self.weight = config.weight

    fakes("torchtitan.experiments.rl.rubrics", RewardFn=RewardFn)
    touchstone = adapter("torchtitan").Touchstone
    reward = touchstone(touchstone.Config(address=server.address, weight=0.5))
    assert reward.weight == 0.5

    @dataclasses.dataclass
    class Example:
        question: str
        answer: object

    def rollout(*said: str | None) -> Any:
        turns = [
            types.SimpleNamespace(
                prompt_messages=[{"role": "user", "content": "2+2?"}],
                completion_message=one and says(one)[0],
            )
            for one in said
        ]
        status = types.SimpleNamespace(is_truncated=lambda: False)
        return types.SimpleNamespace(rollout_id=2, group_id=5, turns=turns, status=status)

    async def run() -> list[float]:
        return await asyncio.gather(
            reward(rollout(WRONG, RIGHT), Example("2+2?", "4")),
            reward(rollout(WRONG), {"answer": "4"}),
            reward(rollout("B"), Example("?", {"choice": {"gold": "B"}})),
        )

    assert asyncio.run(run()) == [1.0, 0.0, 1.0]
    with pytest.raises(NoReward, match=r"'rollout 2 of group 5' INVALID: .*no completion came"):
        asyncio.run(reward(rollout(None), {"answer": "4"}))


# All


def test_no_number_is_made_of_none(server: EmbeddedServer) -> None:
    rows = [Sample({"math": "4"}, RIGHT, "a"), Sample({"math": None}, RIGHT, "b")]
    scored = Rewarder(server.address, on_failure="none").score(rows)
    assert (scored.values, scored.counts) == ([1.0, None], [True, False])
    with pytest.raises(NoReward, match="1 samples have no reward"):
        scored.numbers()
    masked = Rewarder(server.address, on_failure="mask").score(rows)
    assert (masked.numbers(), masked.counts) == ([1.0, 0.0], [True, False])


def test_a_server_of_one_s_own_gives_the_same(server: EmbeddedServer) -> None:
    """Rewards are the service's, to the last digit, however they are asked for."""
    rows = [Sample({"math": gold, "recipe": "r1_zero"}, RIGHT, f"{gold}") for gold in ("4", "5")]
    rewarder = Rewarder(server.address)
    together = rewarder.score(rows).values
    assert [rewarder.score([row]).values[0] for row in rows] == together
    assert asyncio.run(rewarder.ascore(rows)).values == together


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    batching.close()
