"""Speaks the arguments and files of Aider's harness, without asking a model: the name of an
exercise is what becomes of it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

PRACTICE = "exercises/practice"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dirname", type=Path)
    for name in ("model", "edit-format", "exercises-dir", "read-model-settings"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("tries", "threads"):
        parser.add_argument(f"--{name}", type=int)
    given = parser.parse_args()
    assert "AIDER_DOCKER" in os.environ
    assert os.environ["OPENAI_API_BASE"].endswith("/v1")
    (settings,) = json.loads(Path(given.read_model_settings).read_text())
    assert settings["name"] == given.model
    original = Path(os.environ["AIDER_BENCHMARK_DIR"]) / given.exercises_dir
    if not given.dirname.exists():
        for language in original.iterdir():
            shutil.copytree(language / PRACTICE, given.dirname / language.name / PRACTICE)
    for exercise in sorted(given.dirname.glob(f"*/{PRACTICE}/*")):
        results = exercise / ".aider.results.json"
        if results.exists():
            continue
        with (given.dirname / "asked").open("a") as asked:
            asked.write(f"{exercise.name}\n")
        (exercise / ".aider.chat.history.md").write_text(f"#### do {exercise.name}\n")
        if exercise.name == "broken" and not (given.dirname / "seen").exists():
            (given.dirname / "seen").touch()
            results.write_text(json.dumps({"exception": "the endpoint is gone"}))
            continue
        outcomes = {"first": [True], "second": [False, True]}.get(exercise.name, [False, False])
        told = {
            "testcase": exercise.name,
            "model": given.model,
            "edit_format": given.edit_format,
            "tests_outcomes": outcomes[: given.tries],
            "cost": 0.25,
            "duration": 3.5,
            "num_malformed_responses": int(exercise.name == "never"),
        }
        results.write_text(json.dumps(told, indent=4))


if __name__ == "__main__":
    main()
