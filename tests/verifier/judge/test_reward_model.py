"""Scalar reward models: a real HTTP exchange, and a real model of a few thousand weights."""

from __future__ import annotations

import json
import math
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.judge import classify
from verifier.judge.classify import ClassifyEndpoint
from verifier.judge.reward_model import LocalModel, RewardModelFailed, squashed
from verifier.judge.settings import RewardModelSettings


class Server(ThreadingHTTPServer):
    """Answers every request with `status` and `body`, and keeps what it was sent."""

    status = 200
    body: object = None
    raw: bytes | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(sent)))
        raw = self.server.raw
        told = json.dumps(self.server.body).encode() if raw is None else raw
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def at(url: str, **fields: Any) -> ClassifyEndpoint:
    return ClassifyEndpoint(RewardModelSettings("rm", url, **fields))


async def test_vllm(server: Server) -> None:
    server.body = {
        "object": "list",
        "data": [{"index": 0, "label": None, "probs": [-3.5], "num_classes": 1}],
    }
    model = at(server.url)
    assert await model.score("a question", "a response") == -3.5
    await model.close()
    ((path, sent),) = server.asked
    assert (path, sent["model"], sent["use_activation"]) == ("/classify", "rm", False)
    assert [turn["content"] for turn in sent["messages"]] == ["a question", "a response"]
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant"]


async def test_sglang(server: Server) -> None:
    server.body = [{"embedding": [12.25], "meta_info": {"prompt_tokens": 5}}]
    model = at(server.url, style="sglang", template="<q>{prompt}<a>{response}<e>")
    assert await model.score("is {response} a place?", "no, {prompt}") == 12.25
    await model.close()
    ((path, sent),) = server.asked
    assert path == "/classify"
    assert sent["text"] == ["<q>is {response} a place?<a>no, {prompt}<e>"]


@pytest.mark.parametrize(
    "body",
    [
        None, 3.5, {}, [], "x", {"data": []}, {"data": {}}, {"data": [None]}, {"data": [{"probs": None}]},
        {"data": [{"probs": []}]}, {"data": [{"probs": [0.5, 0.5]}]}, {"data": [{"probs": ["1"]}]},
        {"data": [{"probs": [True]}]}, {"data": [{"probs": [math.nan]}]}, {"data": [{"probs": [math.inf]}]},
        {"data": [{"probs": [1.0]}, {"probs": [2.0]}]}, [{"embedding": [1.0, 2.0]}], [{"probs": [1.0]}],
        {"data": [{"embedding": [1.0]}]}, {"error": {"message": "no"}},
    ],
)  # fmt: skip
async def test_what_is_not_one_number_is_a_failure(server: Server, body: object) -> None:
    server.body = body
    model = at(server.url)
    with pytest.raises(RewardModelFailed, match="rm"):
        await model.score("q", "a")
    await model.close()


@pytest.mark.parametrize(
    ("status", "raw"), [(400, b'{"error": "too long"}'), (503, b"busy"), (200, b"no json")]
)
async def test_a_refusal_is_a_failure(server: Server, status: int, raw: bytes) -> None:
    server.status, server.raw = status, raw
    model = at(server.url)
    with pytest.raises(RewardModelFailed, match="reward model rm at http"):
        await model.score("q", "a")
    await model.close()


async def test_nobody_there_is_a_failure() -> None:
    model = at("http://127.0.0.1:9")
    with pytest.raises(RewardModelFailed, match=r"127\.0\.0\.1:9"):
        await model.score("q", "a")
    await model.close()


@given(st.floats(allow_nan=False))
def test_squashed_is_a_share_and_odd_about_its_middle(score: float) -> None:
    assert 0 <= squashed(score) <= 1
    assert squashed(score) + squashed(-score) == pytest.approx(1.0)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_squashed_keeps_the_order(one: float, other: float) -> None:
    assert (squashed(one) <= squashed(other)) == (one <= other) or squashed(one) == squashed(other)


def test_squashed_at_known_points() -> None:
    assert (squashed(0.0), squashed(math.log(3))) == (0.5, pytest.approx(0.75))


def tiny(folder: Path, labels: int) -> str:
    """A Qwen2 of one layer with random weights, and a tokenizer that knows bytes."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    torch = pytest.importorskip("torch")
    from tokenizers import decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate(["<pad>", "<end>", *alphabet])}
    inner = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<end>"
    )
    fast.chat_template = (
        "{% for m in messages %}{{ m['role'][0] + ':' + m['content'] + '\n' }}{% endfor %}"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64,
        num_labels=labels, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    transformers.Qwen2ForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


async def test_a_model_in_this_process(tmp_path: Path) -> None:
    model = LocalModel(tiny(tmp_path, 1))
    first = await model.score("2 + 2?", "4")
    assert math.isfinite(first)
    assert await model.score("2 + 2?", "4") == first
    assert await model.score("2 + 2?", "5") != first
    with pytest.raises(RewardModelFailed, match="at most 64 tokens, got"):
        await model.score("q", "a" * 100)
    await model.close()


def test_a_model_without_its_head_is_refused(tmp_path: Path) -> None:
    """`transformers` would draw the head at random, each time another one."""
    tiny(tmp_path, 1)
    torch = pytest.importorskip("safetensors.torch")
    weights = torch.load_file(tmp_path / "model.safetensors")
    del weights["score.weight"]
    torch.save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RewardModelFailed, match=r"got none for score\.weight \(1 in all\)"):
        LocalModel(str(tmp_path))


@pytest.mark.parametrize("name", ["skywork", "/nowhere/rm", "./rm", "~/rm", "a/b/c", "models/rm"])
def test_a_folder_that_is_not_there_is_said_at_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a look at huggingface.co, which takes a minute where there is no network."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RewardModelFailed, match=f"reward model {re.escape(name)}: no such folder"):
        LocalModel(name)
    with pytest.raises(ImportError):
        LocalModel("owner/rm")


def test_a_model_with_two_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RewardModelFailed, match="1 label is wanted, got 2"):
        LocalModel(tiny(tmp_path, 2))


def test_a_tokenizer_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    tiny(tmp_path, 1)
    for path in tmp_path.glob("chat_template*"):
        path.unlink()
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(RewardModelFailed, match=r"its tokenizer has no chat template$"):
        LocalModel(str(tmp_path))


async def test_another_models_tokenizer_gives_no_score(tmp_path: Path) -> None:
    tiny(tmp_path, 1)
    told = json.loads((tmp_path / "tokenizer.json").read_text())
    told["model"]["vocab"]["Z"] = 5000
    (tmp_path / "tokenizer.json").write_text(json.dumps(told))
    model = LocalModel(str(tmp_path))
    assert math.isfinite(await model.score("2 + 2?", "4"))
    with pytest.raises(
        RewardModelFailed, match="258 tokens are in its vocabulary, got number 5000"
    ):
        await model.score("2 + 2?", "Z")
    await model.close()
