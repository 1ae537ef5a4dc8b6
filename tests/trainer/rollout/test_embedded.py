"""The embedded engine: right log-probabilities, right distribution, the same bits every time."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import pytest
import torch

from tests.trainer.support import tiny_model
from trainer.attention import PackedAttention, packed_positions
from trainer.logprobs import token_logprobs
from trainer.model import Decoder
from trainer.rollout.embedded import EmbeddedEngine, sample, uniforms
from trainer.rollout.engine import Completion, Request, Sampling, Span
from trainer.weights import full_weights, load_model


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    return load_model(tiny_model(tmp_path_factory.mktemp("model")), dtype=torch.float32)


def engine(decoder: Decoder, rows: int = 64) -> EmbeddedEngine:
    return EmbeddedEngine(decoder, rows=rows, shared=True)


def prompts(count: int) -> list[Request]:
    """Prompts of different lengths, each three times."""
    return [
        Request(tuple((n // 3 * 7 + i) % 90 + 1 for i in range(2 + n // 3 % 5)), seed=n)
        for n in range(count)
    ]


def trained_logprobs(
    decoder: Decoder, request: Request, completion: Completion, t: float
) -> list[float]:
    """By one pass over the whole sequence, without a cache."""
    ids = torch.tensor(request.ids + completion.ids)
    lengths = [len(ids)]
    with torch.no_grad():
        hidden = decoder(
            ids, packed_positions(lengths, ids.device), PackedAttention(lengths, ids.device)
        )
        stats = token_logprobs(
            hidden[len(request.ids) - 1 : -1],
            decoder.head_weight,
            ids[len(request.ids) :],
            vocab_size=decoder.config.vocab_size,
            temperature=t,
        )
    return stats.logprobs.tolist()


@pytest.mark.parametrize("rows", [4, 64])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_every_request_gets_one_completion_with_the_models_logprobs(
    decoder: Decoder, rows: int, temperature: float
) -> None:
    requests = prompts(30)
    sampling = Sampling(24, temperature, stop_token_ids=(0, 5, 9))
    found = dict(engine(decoder, rows).generate(requests, sampling))
    assert found.keys() == set(range(30))
    finishes = set()
    for index, completion in found.items():
        assert 1 <= len(completion.ids) <= 24
        assert len(completion.ids) == len(completion.logprobs)
        stops = [n for n, token in enumerate(completion.ids) if token in (0, 5, 9)]
        assert stops == ([len(completion.ids) - 1] if completion.finish == "stop" else [])
        expected = trained_logprobs(decoder, requests[index], completion, temperature)
        assert completion.logprobs == pytest.approx(expected, abs=2e-5)
        finishes.add(completion.finish)
    assert finishes == {"stop", "length"}


def test_the_same_call_gives_the_same_bits_and_other_seeds_others(decoder: Decoder) -> None:
    requests, sampling = prompts(20), Sampling(16, stop_token_ids=(3,))
    first, second = (dict(engine(decoder, 8).generate(requests, sampling)) for _ in range(2))
    assert first == second
    others = [Request(r.ids, r.seed + 1000) for r in requests]
    assert dict(engine(decoder, 8).generate(others, sampling)) != first


def test_a_completions_tokens_do_not_depend_on_the_rows_beside_it(decoder: Decoder) -> None:
    requests, sampling = prompts(24), Sampling(16, stop_token_ids=(3,))
    together = dict(engine(decoder).generate(requests, sampling))
    alone = [next(engine(decoder).generate([r], sampling))[1] for r in requests]
    assert [together[n].ids for n in range(24)] == [one.ids for one in alone]


def test_room_of_single_requests(decoder: Decoder) -> None:
    rooms = [1, 5, 40, None]
    requests = [Request((4, 5), n, room) for n, room in enumerate(rooms)]
    found = dict(engine(decoder).generate(requests, Sampling(16)))
    assert [len(found[n].ids) for n in range(4)] == [1, 5, 16, 16]
    assert {c.finish for c in found.values()} == {"length"}


def test_temperature_zero_takes_the_likeliest(decoder: Decoder) -> None:
    requests = [Request((7, 8, 9), seed) for seed in range(3)]
    found = dict(engine(decoder).generate(requests, Sampling(8, 0.0)))
    assert len({found[n].ids for n in range(3)}) == 1


def test_draws_follow_the_distribution() -> None:
    probabilities = torch.tensor([0.5, 0.25, 0.125, 0.125])
    count = 40_000
    logits = probabilities.log().expand(count, 4)
    tokens, logprobs = sample(
        logits, Sampling(1), uniforms(torch.arange(count), torch.zeros(count, dtype=torch.int64))
    )
    shares = torch.bincount(tokens, minlength=4) / count
    assert torch.allclose(shares, probabilities, atol=4 * math.sqrt(0.25 / count))
    assert torch.allclose(logprobs, probabilities.log()[tokens])


def test_top_k_and_top_p_cut_and_renormalise() -> None:
    logits = torch.tensor([[0.5, 0.25, 0.15, 0.1]]).log().expand(1000, 4)
    uniform = torch.arange(1000, dtype=torch.float64) / 1000
    tokens, logprobs = sample(logits, Sampling(1, top_k=2), uniform)
    assert set(tokens.tolist()) == {0, 1}
    assert logprobs[0].item() == pytest.approx(math.log(2 / 3), abs=1e-6)
    tokens, logprobs = sample(logits, Sampling(1, top_p=0.8), uniform)
    assert set(tokens.tolist()) == {0, 1, 2}
    assert logprobs[0].item() == pytest.approx(math.log(0.5 / 0.9), abs=1e-6)
    tokens, _ = sample(logits, Sampling(1, top_p=0.01), uniform)
    assert set(tokens.tolist()) == {0}


def test_uniforms_look_uniform_over_seeds_and_over_counts() -> None:
    n = torch.arange(100_000)
    for values in (uniforms(n, torch.zeros_like(n)), uniforms(torch.zeros_like(n), n)):
        assert values.min() >= 0
        assert values.max() < 1
        histogram = torch.histc(values.float(), 20, 0, 1)
        assert ((histogram - 5000).square() / 5000).sum() < 60  # chi-square, 19 degrees of freedom
        pairs = torch.corrcoef(torch.stack([values[:-1], values[1:]]))[0, 1]
        assert abs(pairs) < 0.02


def test_sync_takes_over_all_weights_or_says_what_is_missing(
    decoder: Decoder, tmp_path: Path
) -> None:
    other = load_model(tiny_model(tmp_path, seed=1), dtype=torch.float32)
    copy = EmbeddedEngine(load_model(tmp_path, dtype=torch.float32), rows=4, shared=False)
    sequence = [(1, 2, 3, 4, 5)]
    assert copy.logprobs(sequence) == engine(other).logprobs(sequence)
    copy.sync(full_weights(decoder), 3)
    assert copy.version == 3
    assert copy.logprobs(sequence) == engine(decoder).logprobs(sequence)
    with pytest.raises(ValueError, match=r"left out .*norm\.weight"):
        copy.sync((pair for pair in full_weights(decoder) if pair[0] != "model.norm.weight"), 4)


def test_pause_stops_in_place_and_versions_tell_which_weights_made_which_tokens(
    decoder: Decoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = EmbeddedEngine(
        load_model(tiny_model(tmp_path), dtype=torch.float32), rows=4, shared=False
    )
    own.sync(full_weights(decoder), 1)
    # No token stops, so there is always a token to come.
    requests = [Request((1, 2, 3), 0)]
    found: list[Completion] = []
    worker = threading.Thread(
        target=lambda: found.extend(c for _, c in own.generate(requests, Sampling(400)))
    )
    step, begun = own._step, threading.Event()
    monkeypatch.setattr(own, "_step", lambda *given: (begun.set(), step(*given)))
    worker.start()
    assert begun.wait(60)
    own.pause()
    time.sleep(0.2)
    assert not found
    assert worker.is_alive()
    own.sync(full_weights(decoder), 2)
    own.resume()
    worker.join(120)
    assert len(found) == 1
    spans = found[0].spans
    assert [span.version for span in spans] == [1, 2]
    assert spans[0].start == 0
    assert spans[1] == Span(2, spans[0].end, 400)


def test_a_request_without_a_prompt_is_refused(decoder: Decoder) -> None:
    with pytest.raises(ValueError, match="needs a prompt"):
        list(engine(decoder).generate([Request((), 0)], Sampling(4)))
