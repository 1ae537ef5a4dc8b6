"""Stored outputs through lighteval's pipeline with our metric, and its own detail files.

python -m tests.evals.peer_lighteval ADDRESS ROWS FOLDER
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

from lighteval.logging.evaluation_tracker import EvaluationTracker
from lighteval.models.custom.custom_model import CustomModelConfig
from lighteval.pipeline import ParallelismManager, Pipeline, PipelineParameters
from lighteval.tasks.registry import Registry

TASKS = """\
from lighteval.tasks.lighteval_task import LightevalTaskConfig
from lighteval.tasks.requests import Doc

from evals.adapters.lighteval_metric import touchstone_metric


def prompt(row, task_name):
    return Doc(
        task_name=task_name,
        query=row["question"],
        choices=[row["gold"]],
        gold_index=0,
        specific={{"response": row["response"]}},
    )


TASKS_TABLE = [
    LightevalTaskConfig(
        name="touchstone_case",
        prompt_function=prompt,
        hf_repo={data!r},
        hf_subset="default",
        hf_avail_splits=["test"],
        evaluation_splits=["test"],
        generation_size=16,
        metrics=[touchstone_metric(kind="math", verifier={address!r})],
    )
]
"""
MODEL = """\
from lighteval.models.abstract_model import LightevalModel
from lighteval.models.model_output import ModelResponse
from lighteval.utils.cache_management import SampleCache


class Stored(LightevalModel):
    def __init__(self, config):
        self.config = config
        self._cache = SampleCache(config)

    def greedy_until(self, docs):
        return [ModelResponse(input=doc.query, text=[doc.specific["response"]]) for doc in docs]

    def loglikelihood(self, docs):
        raise NotImplementedError

    def loglikelihood_rolling(self, docs):
        raise NotImplementedError

    @property
    def tokenizer(self):
        return None

    @property
    def add_special_tokens(self):
        return False

    @property
    def max_length(self):
        return 100_000
"""


def main(address: str, path: str, folder: str) -> None:
    # Of its own tasks, all of which it imports at the start, some ask the web there and then.
    Registry._load_from_files = staticmethod(lambda files, prefix: {})
    Registry._load_from_subdirs = staticmethod(lambda folders: {})
    place = Path(folder)
    data = place / "data"
    data.mkdir(parents=True)
    (data / "test.jsonl").write_text(Path(path).read_text())
    (place / "tasks.py").write_text(TASKS.format(data=str(data), address=address))
    (place / "model.py").write_text(MODEL)
    tracker = EvaluationTracker(output_dir=str(place / "out"), save_details=True)
    pipeline = Pipeline(
        tasks="touchstone_case|0",
        pipeline_parameters=PipelineParameters(
            launcher_type=ParallelismManager.CUSTOM,
            custom_tasks_directory=str(place / "tasks.py"),
            bootstrap_iters=0,
        ),
        evaluation_tracker=tracker,
        model_config=CustomModelConfig(
            model_name="stored",
            model_definition_file_path=str(place / "model.py"),
            cache_dir=str(place / "cache"),
        ),
    )
    pipeline.evaluate()
    pipeline.save_and_push_results()
    (details,) = (place / "out").rglob("details_*.parquet")
    (logged,) = tracker.details_logger.details.values()
    results = pipeline.get_results()["results"]
    told = {
        "version": version("lighteval"),
        "results": results["all"],
        "values": [
            None
            if one.metric["touchstone"] != one.metric["touchstone"]
            else one.metric["touchstone"]
            for one in logged
        ],
        "queries": [one.doc.query for one in logged],
        "details": str(details),
    }
    print(json.dumps(told, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
