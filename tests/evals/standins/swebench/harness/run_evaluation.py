"""Speaks the official harness's arguments and files (swebench 4.1), without repositories: what a
patch says is what becomes of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("dataset_name", "predictions_path", "run_id"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--instance_ids", nargs="+", required=True)
    parser.add_argument("--max_workers", type=int)
    parser.add_argument("--timeout", type=int)
    given = parser.parse_args()
    rows = {row["instance_id"]: row for row in lines(given.dataset_name)}
    kinds: dict[str, list[str]] = {
        name: [] for name in ("resolved", "unresolved", "error", "empty_patch")
    }
    for prediction in lines(given.predictions_path):
        id, model = prediction["instance_id"], prediction["model_name_or_path"]
        patch = prediction["model_patch"]
        assert set(given.instance_ids) == {id} == set(rows)
        logs = Path("logs/run_evaluation") / given.run_id / model / id
        logs.mkdir(parents=True)
        if "stall" in patch:
            Path(os.environ["STANDIN_PID"]).write_text(str(os.getpid()))
            time.sleep(600)
        if "no engine" in patch:
            sys.exit("docker.errors.DockerException: Error while fetching server API version")
        if "misplaced" in patch:
            kinds["error"].append(id)
            (logs / "run_instance.log").write_text(
                "INFO - >>>>> Patch Apply Failed:\nno such file\n"
            )
        elif "slow" in patch:
            kinds["error"].append(id)
            (logs / "run_instance.log").write_text("INFO - Test timed out after 1800 seconds.\n")
        else:
            right = patch == rows[id]["patch"]
            kinds["resolved" if right else "unresolved"].append(id)
            (logs / "report.json").write_text(json.dumps({id: {"resolved": right}}))
    report = {f"{name}_ids": ids for name, ids in kinds.items()} | {"schema_version": 2}
    Path(f"{model}.{given.run_id}.json").write_text(json.dumps(report, indent=4))


def lines(path: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


if __name__ == "__main__":
    main()
