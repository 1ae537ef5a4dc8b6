"""A real vLLM on this machine's CPU as the judge: a tiny model of random weights, whose output the
engine itself constrains. What it says means nothing; that it can be read does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer.engines import served, tiny_model
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.judge import modes
from verifier.v1 import verifier_pb2 as pb

CONTEXT = "8192"
"""Tokens: with a tokenizer of bytes a prompt has some three thousand."""
TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant] "


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("judge")
    model = tiny_model(folder / "model")
    for name, changes in (
        ("config.json", {"max_position_embeddings": int(CONTEXT)}),
        ("tokenizer_config.json", {"chat_template": TEMPLATE}),
    ):
        path = model / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with served(
        "vllm", model, folder, "--max-model-len", CONTEXT, "--served-model-name", "tiny"
    ) as server:
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
