"""The trainer on a CUDA device: passes of a whole model and their MFU, what a long packed batch
needs, and whole GRPO steps beside TRL's GRPOTrainer.

    python -m tests.bench.accelerator [passes] [logits] [steps]

MFU is the share of the device's dense bfloat16 rate that the model's own products need: 2 floating-
point operations for each weight and row, twice as many again in the backward pass, causal attention
at half of its square (PaLM, arXiv 2204.02311, appendix B). The rate is that of a product of two
8,192 x 8,192 matrices in the same run, and the vendor's where it is known. Recomputed activations
count for nothing. TRL must be importable by this interpreter (`steps` alone needs it).
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from tests.bench.training import Bench, Compared, steps
from tests.bench.training_case import GIB
from trainer.batch import Policy, Sample, micro_batch
from trainer.config import Parallel
from trainer.logprobs import token_logprobs
from trainer.model import Decoder, ModelConfig
from trainer.optimize import OptimizerSettings, make_optimizer
from trainer.parallel import SINGLE

PARTS = ("passes", "logits", "steps")
DATASHEET = {"NVIDIA H100": 989e12, "NVIDIA H200": 989e12}
"""Dense bfloat16 operations a second, of the SXM parts."""
REPEATS = 5
SHAPES: dict[str, dict[str, int]] = {
    "0.5B": {"hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14,
             "num_key_value_heads": 2, "intermediate_size": 4864},
    "1.5B": {"hidden_size": 1536, "num_hidden_layers": 28, "num_attention_heads": 12,
             "num_key_value_heads": 2, "intermediate_size": 8960},
}  # fmt: skip
"""Qwen2.5's, random weights."""
VOCABULARY = 151_936
LAYOUTS = ((16, 1024), (4, 4096))
"""Samples and tokens of each, in one micro-batch."""
LONG_ROWS = 32_768
CASES = (
    Compared("0.5b", "0.5b", "bfloat16", steps=3, rounds=1, tokens=256, micro_batch=64),
    Compared("0.5b long", "0.5b", "bfloat16", long_tailed=True, steps=2, rounds=1, micro_batch=32),
)


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median by device events, after a run that does not count."""
    work()
    found = []
    for _ in range(repeats):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        work()
        ended.record()
        torch.cuda.synchronize()
        found.append(began.elapsed_time(ended) / 1000)
    return statistics.median(found)


def measured_rate() -> float:
    """bfloat16 operations a second in a large product."""
    a, b = torch.randn(2, 8192, 8192, device="cuda", dtype=torch.bfloat16)
    return 2 * 8192**3 / seconds(lambda: a @ b, 20)


def operations(config: ModelConfig, count: int, length: int) -> float:
    """Of a forward and a backward pass over so many samples."""
    heads = config.num_heads * config.head_dim
    matrices = (
        config.num_layers
        * config.hidden_size
        * (2 * heads + 2 * config.num_kv_heads * config.head_dim + 3 * config.intermediate_size)
    )
    rows = count * length
    products = 2 * rows * (matrices + config.vocab_size * config.hidden_size)
    attention = config.num_layers * count * 2 * length**2 * heads  # two products, half of each
    return 3.0 * (products + attention)


def config_of(shape: dict[str, int], length: int) -> ModelConfig:
    return ModelConfig.from_hf(
        shape
        | {
            "model_type": "qwen2",
            "architectures": ["Qwen2ForCausalLM"],
            "vocab_size": VOCABULARY,
            "max_position_embeddings": length,
            "rms_norm_eps": 1e-6,
            "rope_theta": 1e6,
            "tie_word_embeddings": True,
            "hidden_act": "silu",
            "initializer_range": 0.02,
            "eos_token_id": 0,
        }
    )


def ours(shape: dict[str, int], count: int, length: int, recompute: bool) -> dict[str, float]:
    config = config_of(shape, length)
    decoder = Decoder(
        config,
        device="cuda",
        dtype=torch.bfloat16,
        checkpoint_activations=recompute,
        seed=None,  # drawn below, where it is faster
    )
    for parameter in decoder.parameters():
        parameter.data.normal_(0, 0.02) if parameter.dim() > 1 else parameter.data.fill_(1)
    policy = Policy(decoder, 1.0)
    optimizer = make_optimizer(policy, decoder, OptimizerSettings(lr=1e-6), SINGLE, Parallel())
    draws = torch.Generator().manual_seed(0)

    def sample() -> Sample:
        ids = tuple(torch.randint(0, VOCABULARY, (length,), generator=draws).tolist())
        return Sample(ids[:1], ids[1:], (0.0,) * (length - 1), 1.0)

    micro = micro_batch([sample() for _ in range(count)], torch.device("cuda"))

    def passes() -> None:
        optimizer.backward(-policy(micro).logprobs.mean(), last=True)

    torch.cuda.reset_peak_memory_stats()
    took = seconds(passes)
    peak = torch.cuda.max_memory_allocated()
    stepping = seconds(optimizer.step, 3)
    return {"s": took, "gib": peak / GIB, "step_s": stepping}


def transformers(shape: dict[str, int], count: int, length: int) -> dict[str, float]:
    """The same by Hugging Face's model with SDPA and full logits, as TRL asks it."""
    from transformers import Qwen2Config, Qwen2ForCausalLM
    from trl.trainer.utils import selective_log_softmax

    config = Qwen2Config(
        **shape, vocab_size=VOCABULARY, max_position_embeddings=length, tie_word_embeddings=True
    )
    with torch.device("cuda"):
        model = Qwen2ForCausalLM(config).to(torch.bfloat16)
    ids = torch.randint(0, VOCABULARY, (count, length), device="cuda")

    def passes() -> None:
        logits = model(ids, use_cache=False).logits[:, :-1]
        (-selective_log_softmax(logits, ids[:, 1:]).mean()).backward()

    torch.cuda.reset_peak_memory_stats()
    took = seconds(passes)
    return {"s": took, "gib": torch.cuda.max_memory_allocated() / GIB}


def attempt(work: Callable[..., dict[str, float]], *told: Any) -> dict[str, float] | None:
    """None where it does not fit."""
    try:
        return work(*told)
    except torch.OutOfMemoryError:
        return None
    finally:
        gc.collect()
        torch.cuda.empty_cache()


def passes(console: Console, device: str, rate: float) -> dict[str, float]:
    vendor = next((found for name, found in DATASHEET.items() if device.startswith(name)), 0.0)
    table = Table(
        *("model", "samples", "", "ms", "tokens/s", "MFU of product", "MFU of datasheet", "GiB"),
        title=f"forward and backward, bfloat16, {device}; a product runs at {rate / 1e12:.0f} "
        "TFLOP/s",
        title_justify="left",
    )
    figures: dict[str, float] = {}
    for name, shape in SHAPES.items():
        for count, length in LAYOUTS:
            needed = operations(config_of(shape, length), count, length)
            found = {
                "ours": attempt(ours, shape, count, length, False),
                "ours, recomputing": attempt(ours, shape, count, length, True),
                "transformers": attempt(transformers, shape, count, length),
            }
            for side, one in found.items():
                row = [name, f"{count} x {length}", side]
                if one is None:
                    table.add_row(*row, "no room")
                    continue
                speed = needed / one["s"]
                label = f"{name}_{count}x{length}_{side.replace(', ', '_')}"
                figures |= {
                    f"{label}_tokens_per_s": count * length / one["s"],
                    f"{label}_mfu": speed / rate,
                    f"{label}_gib": one["gib"],
                }
                share = f"{speed / vendor:.1%}" if vendor else ""
                table.add_row(
                    *(*row, f"{one['s'] * 1000:.0f}", f"{count * length / one['s']:,.0f}"),
                    *(f"{speed / rate:.1%}", share, f"{one['gib']:.1f}"),
                )
            if found["ours"]:
                figures[f"{name}_update_ms"] = found["ours"]["step_s"] * 1000
    console.print(table)
    return figures


def logits(console: Console) -> dict[str, float]:
    """Log-probabilities of a long packed batch over a large vocabulary, and their gradients."""
    hidden = 896
    states, head = (
        torch.randn(rows, hidden, device="cuda", dtype=torch.bfloat16, requires_grad=True)
        for rows in (LONG_ROWS, VOCABULARY)
    )
    targets = torch.randint(0, VOCABULARY, (LONG_ROWS,), device="cuda")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()

    def work() -> None:
        token_logprobs(states, head, targets, vocab_size=VOCABULARY).logprobs.sum().backward()

    took = seconds(work)
    used = (torch.cuda.max_memory_allocated() - before) / GIB
    full = LONG_ROWS * VOCABULARY * 4 / GIB
    console.print(
        f"log-probabilities of {LONG_ROWS:,} rows over {VOCABULARY:,} tokens, forward and "
        f"backward: {took * 1000:.0f} ms, {used:.2f} GiB at most beside the inputs; one full "
        f"tensor of logits has {full:.1f} GiB in fp32"
    )
    return {"logits_gib": used, "logits_ms": took * 1000, "logits_full_gib": full}


def main(console: Console, chosen: Sequence[str] = PARTS) -> dict[str, float]:
    device = torch.cuda.get_device_name()
    figures: dict[str, float] = {}
    if "passes" in chosen:
        rate = measured_rate()
        figures |= {"product_tflops": rate / 1e12} | passes(console, device, rate)
    if "logits" in chosen:
        figures |= attempt(logits, console) or {}
    if "steps" in chosen:
        with tempfile.TemporaryDirectory() as folder:
            figures |= steps(Bench(Path(folder), Path(sys.executable)), CASES, console)
    return {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    if unknown := [name for name in sys.argv[1:] if name not in PARTS]:
        sys.exit(f"one of {', '.join(PARTS)}, got {', '.join(unknown)}")
    if not torch.cuda.is_available():
        sys.exit("needs a CUDA device")
    print(json.dumps(main(Console(width=140), sys.argv[1:] or PARTS)))
