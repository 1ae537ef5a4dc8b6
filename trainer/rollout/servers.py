"""The command that starts a rollout server as its client needs it.

Each flag is there for a reason, beside it; whatever else a machine wants (tensor parallelism,
memory, quantised caches) goes after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Device = Literal["cuda", "cpu"]


@dataclass(frozen=True)
class ServerCommand:
    """What to run, with these variables added to the environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]

    def __str__(self) -> str:
        variables = " ".join(f"{key}={value}" for key, value in self.environment.items())
        return f"{variables} {' '.join(self.arguments)}".strip()


def server_command(
    engine: Literal["sglang", "vllm"],
    model: Path,
    *,
    python: str = "python",
    port: int = 30000,
    host: str = "127.0.0.1",
    dtype: str = "bfloat16",
    context: int = 4096,
    device: Device = "cuda",
    more: tuple[str, ...] = (),
) -> ServerCommand:
    """`python` is the interpreter of the environment that the engine is installed in; `context`
    the longest prompt with its completion, tokens."""
    common = ("--host", host, "--port", str(port), "--dtype", dtype)
    # Nothing is fetched: a model is a directory here.
    environment = {"HF_HUB_OFFLINE": "1"}
    if device == "cpu":
        # More threads spin on each other's barriers as soon as a core has other work.
        environment["OMP_NUM_THREADS"] = "1"
    if engine == "sglang":
        arguments = [python, "-m", "sglang.launch_server", "--model-path", str(model), *common]
        arguments += ["--context-length", str(context), "--skip-server-warmup"]
        arguments += ["--sleep-on-idle"]  # else the scheduler takes a core while it waits
        if device == "cpu":
            environment["SGLANG_USE_CPU_ENGINE"] = "1"
            arguments += ["--device", "cpu", "--attention-backend", "torch_native"]
            arguments += ["--sampling-backend", "pytorch", "--grammar-backend", "none"]
            arguments += ["--disable-overlap-schedule", "--mem-fraction-static", "0.3"]
            arguments += ["--max-total-tokens", str(64 * context)]
        else:
            # A request's seed counts only so.
            arguments += ["--enable-deterministic-inference"]
    else:
        # The endpoints of pausing and of weights.
        environment["VLLM_SERVER_DEV_MODE"] = "1"
        # Where the workers find the extension.
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        arguments = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
        arguments += [*common, "--max-model-len", str(context)]
        arguments += ["--worker-extension-cls", "trainer.rollout.vllm_worker.WeightSync"]
        arguments += ["--enable-scale-out"]  # the endpoint that takes and gives token ids
        arguments += ["--logprobs-mode", "processed_logprobs"]  # of what is sampled from
        if device == "cpu":
            environment["VLLM_CPU_KVCACHE_SPACE"] = "1"
            environment["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
            arguments += ["--enforce-eager"]  # compiling takes longer than small models save
            # A prompt read in parts ends vLLM 0.32 on a CPU if its request has a seed ("CPU
            # Generator does not use offset").
            arguments += ["--no-enable-chunked-prefill"]
            arguments += ["--max-num-batched-tokens", str(max(context, 8192))]
    return ServerCommand((*arguments, *more), environment)
