"""Real engines on this machine's CPU as the judge: a tiny model of random weights, whose output the
engine itself constrains. What it says means nothing; that it can be read does. And a reward model,
whose numbers are those of `transformers`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import Qwen2Config, Qwen2ForSequenceClassification

from tests.trainer.engines import served, tiny_model
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.judge import modes
from verifier.judge.classify import ClassifyEndpoint
from verifier.judge.reward_model import LocalModel, RewardModelFailed
from verifier.judge.settings import RewardModelSettings
from verifier.v1 import verifier_pb2 as pb

CONTEXT = "8192"
"""Tokens: with a tokenizer of bytes a prompt has some three thousand."""
TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant] "


MORE = {
    "vllm": ("--max-model-len", CONTEXT),
    "sglang": ("--context-length", CONTEXT, "--max-total-tokens", "65536", "--grammar-backend", "xgrammar"),
}  # fmt: skip
"""Options of each engine's server."""


@pytest.fixture(scope="module", params=["vllm", "sglang"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("judge")
    model = tiny_model(folder / "model")
    for name, changes in (
        ("config.json", {"max_position_embeddings": int(CONTEXT)}),
        ("tokenizer_config.json", {"chat_template": TEMPLATE}),
    ):
        path = model / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    options = ("--served-model-name", "tiny", *MORE[request.param])
    with served(request.param, model, folder, *options) as server:
        yield server.url


@pytest.fixture(params=[("json", "json_schema"), ("digit", "guided_choice")], ids=lambda p: p[0])
def client(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[VerifierClient]:
    verdict, structured = request.param
    settings = tmp_path / "judge.toml"
    settings.write_text(
        f"""
        verdict = "{verdict}"
        structured = "{structured}"
        temperature = 1.0
        timeout_seconds = 300
        [[endpoints]]
        url = "{engine}/v1"
        model = "tiny"
        """
    )
    options = ("--log-level", "warning", "--sandbox", "none", "--judge", str(settings))
    with EmbeddedServer(*options) as server, VerifierClient(server.address) as client:
        yield client


def test_every_mode_has_a_verdict_that_the_engine_made_readable(client: VerifierClient) -> None:
    tasks = [
        pb.JudgeTask(mode=pb.JudgeTask.REFERENCE, reference="By beating their wings."),
        pb.JudgeTask(mode=pb.JudgeTask.HARMLESS),
        pb.JudgeTask(mode=pb.JudgeTask.HELPFUL, samples=4),
        pb.JudgeTask(mode=pb.JudgeTask.RUBRIC, criteria=[pb.Criterion(text="says how")]),
    ]
    items = [pb.Item(prompt="How do bees fly?", response="With wings.", judge=t) for t in tasks]
    rival = pb.PreferenceTask(rival="By magic.", mode=pb.PreferenceTask.HELPFUL)
    items.append(pb.Item(prompt="How?", response="With wings.", preference=rival))
    verdicts = list(client.verify(items))
    known = {label for mode in (modes.REFERENCE, modes.HARMLESS, modes.HELPFUL, modes.RUBRIC,
             modes.COMPARE_HELPFUL) for label in mode.labels}  # fmt: skip
    read = 0
    for verdict in verdicts:
        # A text of random tokens may run to its limit before it ends: then no score, and it says so.
        if verdict.status == pb.Verdict.JUDGE_ERROR:
            assert "cut off" in verdict.evidence.message
            continue
        assert verdict.status == pb.Verdict.OK, verdict.evidence.message
        assert 0 <= verdict.reward <= 1
        for query in verdict.evidence.judge.queries:
            assert query.label in known
            read += 1
        assert verdict.evidence.judge.prompt_tokens > 1000
    assert read >= 3


async def test_a_reward_model_behind_sglang(tmp_path: Path) -> None:
    """Its head has a bias that the model has not, so that all scores are off by as much."""
    model = tiny_model(tmp_path / "model")
    path = model / "tokenizer_config.json"
    template = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": template}))
    config = Qwen2Config.from_pretrained(model, num_labels=1, pad_token_id=0)
    scalar = Qwen2ForSequenceClassification(config)
    torch.nn.init.normal_(scalar.score.weight)
    scalar.save_pretrained(model)
    pairs = [("How do bees fly?", f"With {count} wings.") for count in ("four", "two", "no")]
    local = LocalModel(str(model))
    wanted = [await local.score(*pair) for pair in pairs]
    with served("sglang", model, tmp_path, "--is-embedding") as server:
        settings = RewardModelSettings(
            "rm", server.url, "sglang", template="{prompt}\n{response}\n"
        )
        endpoint = ClassifyEndpoint(settings)
        found = [await endpoint.score(*pair) for pair in pairs]
        with pytest.raises(RewardModelFailed, match=r"status 400: .*longer than"):
            await endpoint.score("long", "x" * 3_000)
        await endpoint.close()
    off = found[0] - wanted[0]
    assert abs(off) < 1 / 8
    assert found == pytest.approx([each + off for each in wanted], abs=1e-3)
    assert len({round(each, 2) for each in found}) == 3
