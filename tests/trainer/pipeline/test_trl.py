"""TRL's SFTTrainer, the real one, takes what the stages write."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

from tests.trainer.support import STOP, tiny_model
from tests.verifier.adapters.peers import python_of
from trainer.pipeline.rows import chat_row, write_chat

CASE = Path(__file__).with_name("trl_case.py")
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}"


@pytest.mark.parametrize("name", ["data.jsonl", "data.parquet"])
def test_trl_trains_on_the_rows(tmp_path: Path, name: str) -> None:
    python = python_of("trl")
    if not python.exists():
        pytest.skip("no build/peers/trl with TRL (python -m tests.verifier.adapters.peers trl)")
    model = tiny_model(tmp_path / "model")
    (model / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": STOP, "pad_token": STOP,
        "unk_token": " ", "chat_template": TEMPLATE,
    }))  # fmt: skip
    rows = [
        chat_row(
            f"{n} + 1?", f"<think>One more than {n}.</think>{n + 1}", f"{n}", "a", "sums", "en"
        )
        for n in range(6)
    ]
    write_chat(tmp_path, rows)
    done = subprocess.run(
        [str(python), str(CASE), str(model), str(tmp_path / name)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-5000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["texts"] == [
        f"user: {n} + 1?{STOP}assistant: <think>One more than {n}.</think>{n + 1}{STOP}"
        for n in range(6)
    ]
    assert all(math.isfinite(loss) and loss > 0 for loss in found["losses"])
