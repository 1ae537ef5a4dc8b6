"""Hugging Face directories: the same bits in and out, read by `transformers`, cut for each rank."""

from __future__ import annotations

import json
import math
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.trainer.test_model import MODELS, our_logits, peer, their_logits, tokens
from trainer import weights
from trainer.model import Decoder, ModelConfig
from trainer.parallel import Layout, local_slice, shard_of
from trainer.weights import full_weights, load_model, read_config, save_model

KINDS = ["qwen2 tied", "qwen2 untied", "qwen3 with biases", "llama with biases", "llama, llama3"]


@pytest.fixture
def saved(tmp_path):
    """A function: saves `transformers`' model of this name and returns it and its directory."""

    def save(name="qwen3 with biases", dtype=torch.float32, **options):
        model, path = peer(MODELS[name]).to(dtype), tmp_path / "theirs"
        model.save_pretrained(path, **options)
        return model, path

    return save


def config_of(path):
    return json.loads((path / "config.json").read_text())


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_round_trip_is_exact_and_transformers_reads_it(name, dtype, saved, tmp_path):
    model, theirs = saved(name, dtype)
    decoder = load_model(theirs, dtype=dtype)
    save_model(decoder, tmp_path / "ours")
    assert config_of(tmp_path / "ours") == config_of(theirs)
    assert read_config(tmp_path / "ours") == decoder.config
    before, after = (load_file(p / "model.safetensors") for p in (theirs, tmp_path / "ours"))
    assert before.keys() == after.keys()
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours").eval()
    assert again.dtype == dtype
    for key, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
    ids = tokens(MODELS[name])
    with torch.no_grad():
        want = their_logits(again.float(), ids)
        got = our_logits(load_model(tmp_path / "ours", dtype=torch.float32), ids)
    torch.testing.assert_close(got, want, atol=1e-5, rtol=0)


def test_several_files_and_an_index(saved, tmp_path, monkeypatch):
    model, theirs = saved(max_shard_size="20KB")
    assert len(list(theirs.glob("*.safetensors"))) > 3
    decoder = load_model(theirs, dtype=torch.float32)
    monkeypatch.setattr(weights, "SHARD_BYTES", 20_000)
    save_model(decoder, tmp_path / "ours")
    index = json.loads((tmp_path / "ours" / "model.safetensors.index.json").read_text())
    files = sorted(p.name for p in (tmp_path / "ours").glob("*.safetensors"))
    assert files == sorted(set(index["weight_map"].values()))
    assert files[0] == f"model-00001-of-{len(files):05}.safetensors"
    total = sum(p.numel() for p in model.parameters()) * 4
    assert index["metadata"]["total_size"] == total
    assert math.ceil(total / 20_000) <= len(files) < 2 * total / 20_000
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    for key, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_another_type_is_written_and_told(saved, tmp_path):
    model, theirs = saved("qwen2 tied")
    save_model(load_model(theirs, dtype=torch.float32), tmp_path / "half", dtype=torch.bfloat16)
    assert config_of(tmp_path / "half") == config_of(theirs) | {"dtype": "bfloat16"}
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "half")
    for key, value in model.state_dict().items():
        assert torch.equal(value.bfloat16(), again.state_dict()[key]), key


@pytest.mark.parametrize("name", ["qwen2 tied", "llama with biases"])
@pytest.mark.parametrize("tp", [2, 4])
def test_each_rank_reads_its_own_slices(name, tp, saved, monkeypatch):
    """61 rows of vocabulary divide by neither 2 nor 4: the last rank's are padded with zeros."""
    raw = MODELS[name] | {"num_key_value_heads": 4}
    monkeypatch.setitem(MODELS, name, raw)
    model, path = saved(name)
    for rank in range(tp):
        layout = Layout(tp=tp, tp_rank=rank)
        decoder = load_model(path, dtype=torch.float32, layout=layout)
        for key, part in decoder.named_parameters():
            whole = model.state_dict()[key]
            assert torch.equal(part, local_slice(whole, shard_of(part)[0], layout)), key
    assert len(decoder.head_weight) == -(-61 // tp)
    assert not decoder.head_weight[61 - (tp - 1) * len(decoder.head_weight) :].any()


def test_the_tokenizer_comes_along_and_what_was_there_stays(saved, tmp_path):
    _, theirs = saved()
    for name in ("tokenizer.json", "generation_config.json", "chat_template.jinja", "README.md"):
        (theirs / name).write_text(name)
    decoder = load_model(theirs, dtype=torch.float32)
    ours = tmp_path / "ours"
    ours.mkdir()
    for name in ("notes.txt", "model-00007-of-00009.safetensors", "model.safetensors.index.json"):
        (ours / name).write_text("stale")
    save_model(decoder, ours, tokenizer_from=theirs)
    kept = {"notes.txt", "tokenizer.json", "generation_config.json", "chat_template.jinja"}
    assert {p.name for p in ours.iterdir()} == kept | {"config.json", "model.safetensors"}
    assert (ours / "tokenizer.json").read_text() == "tokenizer.json"
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_a_failure_leaves_the_old_model(saved, tmp_path, monkeypatch):
    _, theirs = saved()
    decoder = load_model(theirs, dtype=torch.float32)
    ours = tmp_path / "ours"
    save_model(decoder, ours)
    before = {p.name: p.read_bytes() for p in ours.iterdir()}
    with torch.no_grad():
        decoder.head_weight.add_(1)

    def full(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(weights, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        save_model(decoder, ours)
    assert {p.name: p.read_bytes() for p in ours.iterdir()} == before


def test_full_weights_are_named_as_in_the_file_and_in_a_stable_order(saved):
    _, path = saved("qwen2 tied")
    decoder = load_model(path, dtype=torch.float32)
    names = [name for name, _ in full_weights(decoder)]
    assert sorted(names) == sorted(load_file(path / "model.safetensors"))
    assert "lm_head.weight" not in names
    assert names == [name for name, _ in full_weights(Decoder(decoder.config))]


def test_tensors_said_twice_are_let_be(saved):
    """A tied head that is in the file all the same; RoPE's frequencies, as old files have them."""
    _, path = saved("qwen2 tied")
    file = path / "model.safetensors"
    tensors = load_file(file)
    tensors["lm_head.weight"] = torch.zeros(61, 32)
    tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(4)
    save_file(tensors, file)
    decoder = load_model(path, dtype=torch.float32)
    assert torch.equal(decoder.head_weight, tensors["model.embed_tokens.weight"])


def test_tensors_that_do_not_fit_are_told(saved):
    _, path = saved()
    file = path / "model.safetensors"
    whole = load_file(file)
    name = "model.layers.1.mlp.up_proj.weight"
    for tensors, message in (
        ({k: v for k, v in whole.items() if k != name}, f"tensors are missing: {name}"),
        (whole | {"extra": torch.zeros(1)}, "tensors have no place in the decoder: extra"),
        (
            whole | {name: torch.zeros(48, 31)},
            rf"{name}: config.json says shape \[48, 32\], the file \[48, 31\]",
        ),
    ):
        save_file(tensors, file)
        with pytest.raises(ValueError, match=message):
            load_model(path, dtype=torch.float32)


def test_directories_without_a_model_are_told(saved, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        read_config(tmp_path)
    _, path = saved()
    shutil.move(path / "model.safetensors", path / "pytorch_model.bin")
    with pytest.raises(
        FileNotFoundError, match=r"neither model\.safetensors nor model\.safetensors\.index\.json"
    ):
        load_model(path, dtype=torch.float32)


def test_weights_drawn_anew_are_saved_too(tmp_path):
    decoder = Decoder(ModelConfig.from_hf(MODELS["llama tied"]), seed=5)
    save_model(decoder, tmp_path / "new")
    again = load_model(tmp_path / "new", dtype=torch.float32)
    for a, b in zip(decoder.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
