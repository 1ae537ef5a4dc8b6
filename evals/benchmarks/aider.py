"""Aider polyglot: 225 exercises in six languages, asked and graded by Aider's own harness.

A model has two tries at each exercise, the second after it has seen the failing tests. All of that
is `benchmark/benchmark.py` of a checkout of Aider-AI/aider that AIDER names, with its requirements
in the Python that AIDER_PYTHON names (default: ours). It runs what a model wrote, and refuses to
outside its Docker image, where it sets AIDER_DOCKER; so does this. The exercises are the folder
`polyglot-benchmark` (Aider-AI/polyglot-benchmark) of the data folder.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals import harnesses
from evals.benchmark import (
    Benchmark,
    BenchmarkError,
    Done,
    Endpoint,
    Graded,
    Protocol,
    Question,
    Sample,
    Tools,
    user,
)
from evals.data import Data, DataMissing

FOLDER = "polyglot-benchmark"
PRACTICE = "exercises/practice"
EDIT_FORMAT, TRIES = "diff", 2
"""As DeepSeek-R1's report and Aider's leaderboard have it."""
THREADS = 10
"""Exercises at once: the harness's advice."""
SECONDS = 24 * 3600.0
"""Of one sample of all exercises."""
MARK = "Results of the harness: "
RESULTS, HISTORY = ".aider.results.json", ".aider.chat.history.md"


def load(data: Data) -> list[Question]:
    """The exercises by language and name. Raises DataMissing."""
    get = f"the data folder's {FOLDER}: Aider-AI/polyglot-benchmark on GitHub"
    if data.folder is None or not (root := data.folder / FOLDER).is_dir():
        raise DataMissing(f"{FOLDER}: not there; {get}")
    questions = []
    for path in sorted(root.glob(f"*/{PRACTICE}/*/.docs/instructions.md")):
        exercise = path.parent.parent.relative_to(root)
        language = exercise.parts[0]
        text = data.text(f"{FOLDER}/{exercise}/.docs/instructions.md", get=get)
        slices = {"language": language}
        id = f"{language}/{exercise.name}"
        questions.append(Question(id, user(text), slices=slices, data={"root": root.resolve()}))
    return questions


async def harness(questions: Sequence[Question], endpoint: Endpoint) -> AsyncIterator[Done]:
    """Each sample is one run of the harness in a folder of its own, which goes on where it was.
    Raises BenchmarkError, HarnessFailed."""
    checkout = Path(os.environ.get("AIDER", ""))
    script = checkout / "benchmark" / "benchmark.py"
    if "AIDER" not in os.environ or not script.is_file():
        raise BenchmarkError(
            "aider_polyglot: asked and graded by Aider's own harness; AIDER must name a checkout "
            f"of Aider-AI/aider with benchmark/benchmark.py, got {os.environ.get('AIDER')!r}"
        )
    if "AIDER_DOCKER" not in os.environ:
        raise BenchmarkError(
            "aider_polyglot: the harness runs what a model wrote without isolation; run this in "
            "its Docker image (benchmark/docker.sh), which sets AIDER_DOCKER"
        )
    work = endpoint.folder.resolve()
    _choose(questions, work / "exercises")
    settings = work / "settings.yml"
    settings.write_text(json.dumps([_settings(endpoint)]))  # JSON is YAML
    for sample in range(endpoint.protocol.k):
        folder = work / f"sample-{sample}"
        _forget_failures(folder)
        command = [
            *(os.environ.get("AIDER_PYTHON", sys.executable), str(script.resolve()), str(folder)),
            *("--model", _name(endpoint), "--edit-format", EDIT_FORMAT),
            *("--tries", str(TRIES), "--threads", str(THREADS)),
            *("--exercises-dir", "exercises", "--read-model-settings", str(settings)),
        ]
        environment = {
            "AIDER_BENCHMARK_DIR": str(work),
            "OPENAI_API_BASE": endpoint.base_url,
            "OPENAI_API_KEY": endpoint.api_key or "none",
        }
        finished = await harnesses.run(command, checkout, environment, SECONDS)
        if finished.status != 0:
            raise harnesses.HarnessFailed(f"aider: status {finished.status}: {finished.told}")
        for question in questions:
            yield result(question.id, sample, folder)


def _name(endpoint: Endpoint) -> str:
    """As LiteLLM, which Aider asks through, names a model behind an OpenAI-compatible API."""
    return f"openai/{endpoint.model}"


def _settings(endpoint: Endpoint) -> dict[str, Any]:
    protocol = endpoint.protocol
    return {
        "name": _name(endpoint),
        "edit_format": EDIT_FORMAT,
        "use_temperature": protocol.temperature,
        "extra_params": {"max_tokens": protocol.max_tokens, "top_p": protocol.top_p},
    }


def _choose(questions: Sequence[Question], into: Path) -> None:
    """A folder of the exercises asked for: the harness does all that it finds."""
    for question in questions:
        language, name = question.id.split("/")
        link = into / language / PRACTICE / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(question.data["root"] / language / PRACTICE / name)


def _forget_failures(folder: Path) -> None:
    """The harness keeps what it finds; an error of its own is tried again."""
    for path in folder.glob(f"*/{PRACTICE}/*/{RESULTS}"):
        if "tests_outcomes" not in path.read_text(errors="replace"):
            path.unlink()


def result(id: str, sample: int, folder: Path) -> Done:
    """What the harness left of one exercise: the conversation, and its results as a last line."""
    language, name = id.split("/")
    exercise = folder / language / PRACTICE / name
    try:
        told: Mapping[str, Any] = json.loads((exercise / RESULTS).read_text())
    except (FileNotFoundError, ValueError) as error:
        return Done(id, sample, "", error=f"{RESULTS}: {error}")
    if "tests_outcomes" not in told:
        return Done(id, sample, "", error=str(told.get("exception") or f"{RESULTS}: {told}"))
    history = exercise / HISTORY
    said = history.read_text(errors="replace") if history.is_file() else ""
    seconds, cost = float(told.get("duration", 0.0)), float(told.get("cost", 0.0))
    return Done(id, sample, f"{said}\n{MARK}{json.dumps(told)}", seconds=seconds, cost=cost)


async def grade(question: Question, response: str, tools: Tools) -> Graded:
    """Whether the tests passed at the last try, by the results that end a response."""
    results = response.rpartition(MARK)[2]
    try:
        told = json.loads(results)
        outcomes = [bool(passed) for passed in told["tests_outcomes"]]
    except (KeyError, TypeError, ValueError) as error:
        message = f"the response does not end with {MARK}and the harness's results: {error!r}"
        return Graded("grader_error", None, "", {"message": message})
    score = float(bool(outcomes) and outcomes[-1])
    return Graded("ok", score, "", {"tests_outcomes": outcomes, "results": told})


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """As the harness's own report: passed at the first try, at the second, and the share of
    exercises whose edits were all well formed."""
    graded = [sample.graded for sample in samples if sample.graded.score is not None]
    if not graded:
        return {}
    passed = [graded_.evidence["tests_outcomes"] for graded_ in graded]
    malformed = [bool(one.evidence["results"].get("num_malformed_responses")) for one in graded]
    figures = {
        f"pass_rate_{tries}": sum(True in outcomes[:tries] for outcomes in passed) / len(graded)
        for tries in range(1, TRIES + 1)
    }
    return figures | {"well formed": 1 - sum(malformed) / len(graded)}


BENCHMARKS = (
    Benchmark(
        name="aider_polyglot",
        title="Aider polyglot",
        source="Aider-AI/polyglot-benchmark (Exercism, MIT); Aider's own harness (Apache-2.0)",
        load=load,
        protocols=(Protocol("r1", 0.6, 0.95, 32_768, 1),),
        harness=harness,
        grade=grade,
        final_only=False,
        aggregate=aggregate,
        headline=f"pass_rate_{TRIES}",
    ),
)
