"""Two and four ranks against one process: losses, gradients, weights in and out."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist

from tests.trainer.multiprocess import Ranks
from tests.trainer.test_model import MODELS
from trainer.attention import PackedAttention, packed_positions
from trainer.logprobs import token_logprobs
from trainer.model import Decoder, ModelConfig
from trainer.parallel import (
    SINGLE,
    Layout,
    enter_parallel,
    gather_full,
    gather_rows,
    leave_parallel,
    local_slice,
    make_layout,
    shard_of,
    sum_gradient,
)
from trainer.weights import full_weights, load_model, save_model

CPU = torch.device("cpu")
LENGTHS = [7, 1, 13, 4]  # 25 rows: an odd number
EVEN = {"vocab_size": 64}
ODD = {"vocab_size": 61}


@pytest.fixture(scope="module")
def two() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def four() -> Iterator[Ranks]:
    with Ranks(4) as ranks:
        yield ranks


def randomise(decoder: Decoder) -> Decoder:
    """Weights that make every part matter, the same whatever the layout."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in decoder.parameters():
            dim, size = shard_of(parameter)
            shape = list(parameter.shape)
            if dim is not None:
                shape[dim] = size
            drawn = torch.randn(shape, generator=generator) * 0.2
            parameter.copy_(
                local_slice(1 + drawn if len(shape) == 1 else drawn, dim, decoder.layout)
            )
    return decoder


def loss_of(decoder: Decoder, dtype=torch.float32):
    vocab = decoder.config.vocab_size
    ids = torch.arange(sum(LENGTHS)) * 11 % vocab
    hidden = decoder(ids, packed_positions(LENGTHS, CPU), PackedAttention(LENGTHS, CPU))
    stats = token_logprobs(
        hidden, decoder.head_weight, ids.roll(-1), vocab_size=vocab,
        temperature=0.8, layout=decoder.layout, chunk_tokens=10, entropy_grad=True,
    )  # fmt: skip
    return stats, (stats.logprobs + 0.1 * stats.entropy).mean()


def against_one_process(raw, options) -> list[str]:
    """On each rank: what differs from one process by more than 1e-5; nothing should."""
    config, layout = ModelConfig.from_hf(raw), make_layout(2)
    split = randomise(Decoder(config, layout, **options))
    alone = randomise(Decoder(config))
    seen = []
    for decoder in (split, alone):
        stats, loss = loss_of(decoder)
        loss.backward()
        values = {"loss": loss, "logprobs": stats.logprobs, "entropy": stats.entropy}
        for name, parameter in decoder.named_parameters():
            values[name] = gather_full(parameter.grad, *shard_of(parameter), decoder.layout)
        seen.append(values)
    mine, theirs = seen
    assert max(x.abs().max() for x in theirs.values()) > 0.01
    return [
        f"{name}: {(mine[name] - theirs[name]).abs().max():.2e}"
        for name in theirs
        if not torch.allclose(mine[name], theirs[name], atol=1e-5, rtol=0)
    ]


@pytest.mark.parametrize("sequence_parallel", [False, True])
@pytest.mark.parametrize("checkpoint_activations", [False, True])
@pytest.mark.parametrize("vocab", [EVEN, ODD])
def test_two_ranks_are_one_process(two, sequence_parallel, checkpoint_activations, vocab):
    raw = MODELS["qwen3 with biases"] | vocab
    options = {
        "sequence_parallel": sequence_parallel,
        "checkpoint_activations": checkpoint_activations,
    }
    assert two.run(against_one_process, raw, options) == [[], []]


@pytest.mark.parametrize("name", ["qwen2 tied", "llama with biases"])
@pytest.mark.parametrize("sequence_parallel", [False, True])
def test_two_ranks_are_one_process_for_other_models(two, name, sequence_parallel):
    options = {"sequence_parallel": sequence_parallel}
    assert two.run(against_one_process, MODELS[name], options) == [[], []]


def replicated_bits(sequence_parallel) -> list[str]:
    """Replicated parameters whose gradient differs between ranks, which would drift apart."""
    layout = make_layout(2)
    raw = MODELS["qwen3 with biases"]
    decoder = randomise(
        Decoder(ModelConfig.from_hf(raw), layout, sequence_parallel=sequence_parallel)
    )
    loss_of(decoder)[1].backward()
    different = []
    for name, parameter in decoder.named_parameters():
        if shard_of(parameter)[0] is None:
            both = gather_full(parameter.grad[None], 0, 2, layout)
            assert not hasattr(parameter, "model_parallel")
            if not torch.equal(both[0], both[1]):
                different.append(name)
        else:
            assert parameter.model_parallel
    return different


@pytest.mark.parametrize("sequence_parallel", [False, True])
def test_replicated_parameters_have_the_same_gradient_to_the_bit(two, sequence_parallel):
    assert two.run(replicated_bits, sequence_parallel) == [[], []]


def chosen_rows(sequence_parallel) -> bool:
    """Whether rows that are asked for are those of all rows, with the same gradients."""
    config = ModelConfig.from_hf(MODELS["qwen3"])
    decoder = randomise(Decoder(config, make_layout(2), sequence_parallel=sequence_parallel))
    rows, seen = torch.tensor([3, 24, 3, 8]), []
    call = (torch.arange(25), packed_positions(LENGTHS, CPU), PackedAttention(LENGTHS, CPU))
    for hidden in (decoder(*call)[rows], decoder(*call, rows)):
        decoder.zero_grad()
        hidden.square().sum().backward()
        seen.append([hidden, *(p.grad for n, p in decoder.named_parameters() if "head" not in n)])
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(*seen, strict=True))


@pytest.mark.parametrize("sequence_parallel", [False, True])
def test_rows_that_are_asked_for_are_those_of_all_rows(two, sequence_parallel):
    assert two.run(chosen_rows, sequence_parallel) == [True, True]


def hidden_sizes() -> list[int]:
    """Elements of the activations that layers hand on, with sequence parallelism and without."""
    layout, raw = make_layout(2), MODELS["qwen3"]
    sizes = []
    for flag in (False, True):
        decoder = Decoder(ModelConfig.from_hf(raw), layout, sequence_parallel=flag)
        decoder.model.layers[1].register_forward_hook(lambda m, i, out: sizes.append(out.numel()))
        loss_of(decoder)
    return sizes


def test_sequence_parallelism_splits_what_layers_hand_on(two):
    # 25 rows, padded to 26 so that both ranks have as many.
    assert two.run(hidden_sizes) == [[25 * 32, 13 * 32]] * 2


def collectives() -> None:
    layout = make_layout(2)
    rank = layout.tp_rank
    whole = torch.arange(12.0).view(6, 2)

    def check(function, x, out, grad, back, *flags):
        x = x.clone().requires_grad_()
        y = function(x, layout, *flags)
        torch.testing.assert_close(y.detach(), out)
        y.backward(grad)
        torch.testing.assert_close(x.grad, back)

    mine, half = whole * (1 + rank), slice(3 * rank, 3 * rank + 3)
    rows = mine[:3]
    gathered = torch.cat([whole[:3], 2 * whole[:3]])
    check(sum_gradient, mine, mine, mine, 3 * whole)
    check(enter_parallel, mine, mine, mine, 3 * whole, False)
    check(enter_parallel, rows, gathered, mine, 3 * whole[half], True)
    check(leave_parallel, mine, 3 * whole, mine, mine, False)
    check(leave_parallel, mine, 3 * whole[half], rows, gathered, True)
    check(gather_rows, rows, gathered, whole, whole[half])


def test_collectives_and_their_gradients(two):
    two.run(collectives)


def grid() -> tuple[tuple[int, ...], list[int], list[int]]:
    layout = make_layout(2)
    place = (layout.tp, layout.tp_rank, layout.dp, layout.dp_rank)
    assert (
        layout.get_model_parallel_world_size() == layout.get_tensor_model_parallel_world_size() == 2
    )
    assert layout.get_data_parallel_rank() == layout.dp_rank
    assert layout.get_model_parallel_group() is layout.tp_group
    groups = (layout.get_tensor_model_parallel_group(), layout.get_data_parallel_group())
    return place, *(dist.get_process_group_ranks(group) for group in groups)


def test_consecutive_ranks_form_a_tensor_parallel_group(four):
    assert four.run(grid) == [
        ((2, 0, 2, 0), [0, 1], [0, 2]),
        ((2, 1, 2, 0), [0, 1], [1, 3]),
        ((2, 0, 2, 1), [2, 3], [0, 2]),
        ((2, 1, 2, 1), [2, 3], [1, 3]),
    ]


def grids_of_one_kind() -> list[tuple[int, int, bool, bool]]:
    layouts = [make_layout(1), make_layout(4)]
    return [(x.tp, x.dp, x.tp_group is None, x.dp_group is None) for x in layouts]


def test_a_group_of_one_is_none(four):
    assert four.run(grids_of_one_kind) == [[(1, 4, True, False), (4, 1, False, True)]] * 4


def odd_tp() -> str:
    with pytest.raises(ValueError, match="tp") as caught:
        make_layout(3)
    return str(caught.value)


def test_tensor_parallelism_that_does_not_divide_the_processes_is_refused(two):
    message = "parallel.tp: must divide the 2 processes of this run, got 3"
    assert two.run(odd_tp) == [message] * 2


def written_by_two(path) -> list[bool]:
    layout, config = make_layout(2), ModelConfig.from_hf(MODELS["llama with biases"])
    split = randomise(Decoder(config, layout))
    save_model(split, path)
    alone, again = randomise(Decoder(config)), load_model(path, dtype=torch.float32)
    back = load_model(path, dtype=torch.float32, layout=layout)
    return [
        all(torch.equal(a, b) for a, b in zip(alone.parameters(), again.parameters(), strict=True)),
        all(torch.equal(a, b) for a, b in zip(split.parameters(), back.parameters(), strict=True)),
        all(
            torch.equal(w, p)
            for (_, w), p in zip(full_weights(split), alone.parameters(), strict=True)
        ),
    ]


def test_a_model_written_by_two_ranks_is_read_by_one_and_by_two(two, tmp_path):
    assert two.run(written_by_two, tmp_path / "model") == [[True] * 3] * 2


@pytest.mark.parametrize(
    ("shape", "dim"), [((8, 6), 0), ((8, 6), 1), ((5, 3), 0), ((5, 3), 1), ((7,), 0), ((7,), None)]
)
@pytest.mark.parametrize("tp", [1, 2, 3, 4])
def test_shards_are_of_one_size_and_make_up_the_whole(shape, dim, tp):
    full = torch.randn(shape)
    parts = [local_slice(full, dim, Layout(tp=tp, tp_rank=rank)) for rank in range(tp)]
    assert len({part.shape for part in parts}) == 1
    if dim is None or tp == 1:
        assert all(torch.equal(part, full) for part in parts)
    else:
        joined = torch.cat(parts, dim)
        assert torch.equal(joined.narrow(dim, 0, shape[dim]), full)
        assert not joined.narrow(dim, shape[dim], joined.shape[dim] - shape[dim]).any()


def test_one_process_needs_no_group():
    x = torch.randn(3, 2)
    assert gather_full(x, 0, 3, SINGLE) is x
    assert enter_parallel(x, SINGLE, True) is leave_parallel(x, SINGLE, True) is x
    assert copy.deepcopy(Decoder(ModelConfig.from_hf(MODELS["qwen2 tied"]))).layout is SINGLE


def late(rank_that_waits) -> None:
    if dist.get_rank() == rank_that_waits:
        time.sleep(60)


def test_the_helper_does_not_wait_for_ever():
    with Ranks(2) as ranks:
        ranks.run(late, 2)  # both have started
        with pytest.raises(TimeoutError, match="rank 1 did not end late"):
            ranks.run(late, 1, seconds=1.0)


def broken() -> None:
    assert dist.get_rank() == 0, "not this one"


def test_the_helper_tells_what_a_rank_raised():
    with Ranks(2) as ranks, pytest.raises(AssertionError, match=r"rank 1: (.|\n)*not this one"):
        ranks.run(broken)
