"""LiveCodeBench, code generation, release_v5: 880 problems from May 2023 to January 2025.

Prompts, the official protocol and the second grading are the authors' own: LiveCodeBench's
repository at 28fef95, lcb_runner/prompts/code_generation.py (SYSTEM_MESSAGE_GENERIC and
get_generic_question_template_answer, the form that DeepSeek's API is asked with) and
lcb_runner/runner/parser.py.

Each response is graded twice. `default`: the last fenced program, outputs compared by tokens and
values as JSON. `lcb`: the official extraction and the official comparison. Programs run in the
same way for both, in processes of their own.

Tests: of the hub's files, which may lie in a data folder's `livecodebench`, public and private
ones. The rebuilt file of a data folder has only the published samples that an accepted program
confirms and the private tests that official verdicts reveal; its problems are in the slice tests
"at hand", those without any in "none", and a program that passes may yet be wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import pickle
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from statistics import fmean
from typing import Any

from evals.benchmark import Benchmark, Message, Protocol, Question, Sample, r1
from evals.data import Data, DataMissing
from verifier.client import Item

FOLDER = "livecodebench"
REBUILT = f"{FOLDER}/problems_release_v5_880.jsonl.gz"
HUB = "livecodebench/code_generation_lite"
REVISION = "0fe84c3912ea0c4d4a78037083943e8f0c4dd505"
FILES = ("test.jsonl", "test2.jsonl", "test3.jsonl", "test4.jsonl", "test5.jsonl")
"""Of release_v5, as code_generation_lite.py of the same revision lists them."""

R1_WINDOW = ("2024-08-01", "2025-02-01")
WINDOWS = (("2023-09-01", "2025-02-01"), R1_WINDOW)
"""First and last day: the paper's, after DeepSeek's models were trained, and DeepSeek-R1's."""

CPU_SECONDS = 6.0
"""Of one test (lcb_runner/evaluation/testing_util.py), there by the clock."""
MEMORY_BYTES = 4 * 1024**3
"""As testing_util.py's reliability_guard has it."""
PRIVATE_BYTES = 1024**3
"""Of one problem's private tests, unpacked."""
KEPT = 8
"""Problems whose tests are kept ready: the samples of a problem are graded one after another."""

SYSTEM = (
    "You are an expert Python programmer. You will be given a question (problem specification) and "
    "will generate a correct Python program that matches the specification and passes all tests."
)
WITH_STARTER = (
    "### Format: You will use the following starter code to write the solution to the problem and "
    "enclose your code within delimiters.\n```python\n{starter}\n```\n\n"
)
WITHOUT_STARTER = (
    "### Format: Read the inputs from stdin solve the problem and write the answer to stdout (do "
    "not directly test on the sample inputs). Enclose your code within delimiters as follows. "
    "Ensure that when the python program runs, it reads the inputs, runs the algorithm and writes "
    "output to STDOUT.\n```python\n# YOUR CODE HERE\n```\n\n"
)
ANSWER = "### Answer: (use the provided format with backticks)\n\n"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Test:
    """Standard input and output, or a call: arguments as JSON, one a line, and the result."""

    given: str
    expected: str
    hidden: bool


@dataclass(frozen=True, eq=False)
class Problem:
    """What grading needs of a problem; its tests are read when they are needed."""

    entry_point: str
    tests: Callable[[], Sequence[Test]]


def messages(content: str, starter: str) -> tuple[Message, ...]:
    """The official prompt."""
    form = WITH_STARTER.format(starter=starter) if starter else WITHOUT_STARTER
    text = f"### Question:\n{content}\n\n{form}{ANSWER}"
    return Message("system", SYSTEM), Message("user", text)


class _NoClasses(pickle.Unpickler):
    """Reads plain values; a pickle that names anything to be imported is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"names {module}.{name}; only plain values are read")


def private_tests(packed: str) -> list[Test]:
    """The hub's private tests: JSON, or that pickled, deflated, in base64. Raises DataMissing."""
    try:
        return _tests(packed, hidden=True)
    except ValueError:
        pass
    try:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(base64.b64decode(packed, validate=True), PRIVATE_BYTES)
        if not inflate.eof:
            raise DataMissing(f"private_test_cases: above {PRIVATE_BYTES} bytes, or cut short")
        return _tests(_NoClasses(io.BytesIO(raw)).load(), hidden=True)
    except (binascii.Error, zlib.error, pickle.UnpicklingError, ValueError, EOFError) as error:
        raise DataMissing(f"private_test_cases: neither JSON nor packed JSON: {error}") from error


def _tests(text: str, *, hidden: bool) -> list[Test]:
    return [Test(row["input"], row["output"], hidden) for row in json.loads(text)]


def _hub_tests(rows: Sequence[Row], place: int) -> list[Test]:
    row = rows[place]
    public = _tests(row["public_test_cases"], hidden=False)
    return public + private_tests(row["private_test_cases"])


def _hub_rows(data: Data) -> Sequence[Row]:
    """The hub's rows, from its files in the data folder or from it, left on disk: their tests take
    gigabytes. Raises DataMissing."""
    name = f"{HUB}@{REVISION}"
    if _in_folder(data):
        assert data.folder is not None
        files = [str(data.folder / FOLDER / file) for file in FILES]
        for path in files:
            with open(path, "rb") as file:
                data.read[path] = hashlib.file_digest(file, "sha256").hexdigest()
    elif data.hub:
        files = [f"hf://datasets/{name}/{file}" for file in FILES]
        data.read[name] = REVISION
    else:
        raise DataMissing(
            f"{name}: {', '.join(FILES)} are not in the data folder's {FOLDER}, and the hub is not "
            "to be asked"
        )
    try:
        import datasets
        import httpx2  # by which the hub is reached, whose errors are its
    except ImportError:
        raise DataMissing(f'{name}: needs pip install ".[evals]" (from a checkout)') from None
    try:
        rows: Sequence[Row] = datasets.load_dataset("json", data_files=files, split="train")
    except (OSError, ValueError, httpx2.HTTPError, datasets.exceptions.DatasetsError) as error:
        raise DataMissing(f"{name}: not to be had: {error}") from error
    return rows


def _in_folder(data: Data) -> bool:
    return all(data.has(f"{FOLDER}/{file}") for file in FILES)


def from_hub(rows: Sequence[Row]) -> Iterator[Question]:
    """Questions of the hub's rows. Raises DataMissing naming the row."""
    for place, row in enumerate(rows):
        try:
            entry_point = json.loads(row["metadata"]).get("func_name") or ""
            problem = Problem(entry_point, partial(_hub_tests, rows, place))
            yield _question(row, problem, "all")
        except (KeyError, ValueError, TypeError) as error:
            raise DataMissing(f"{HUB}, row {place}: {error!r}") from error


def rebuilt(rows: Sequence[Row]) -> Iterator[Question]:
    """Questions of the rebuilt file's rows."""
    for row in rows:
        tests = [Test(given, wanted, False) for given, wanted in row["public_tests"]]
        tests += [Test(given, wanted, True) for given, wanted in row["revealed_tests"]]
        problem = Problem(row["func_name"] or "", tests.copy)
        yield _question(row, problem, "at hand" if tests else "none")


def _question(row: Row, problem: Problem, tests: str) -> Question:
    slices = {
        "difficulty": row["difficulty"],
        "platform": row["platform"],
        "date": str(row["contest_date"])[:10],
        "tests": tests,
    }
    asked = messages(row["question_content"], row["starter_code"])
    return Question(row["question_id"], asked, slices=slices, data={"problem": problem})


def load(data: Data, window: tuple[str, str] | None = None) -> list[Question]:
    """The questions, or those of contests from the first to the last day (ISO 8601)."""
    if data.has(REBUILT) and not _in_folder(data):
        questions = list(rebuilt(data.rows(REBUILT, get="")))
    else:
        questions = list(from_hub(_hub_rows(data)))
    return [question for question in questions if window is None or within(question, window)]


def within(question: Question, window: tuple[str, str]) -> bool:
    """Whether the contest was held from the window's first to its last day."""
    first, last = window
    return first <= question.slices["date"] <= last


@lru_cache(KEPT)
def _items(problem: Problem) -> dict[str, Item]:
    """Both gradings, without a response."""
    default, official = Item(), Item()
    task = default.code
    task.language = "python"
    task.entry_point = problem.entry_point
    task.limits.cpu_seconds = CPU_SECONDS
    task.limits.memory_bytes = MEMORY_BYTES
    for number, test in enumerate(problem.tests()):
        added = task.tests.add(id=str(number), hidden=test.hidden)
        if problem.entry_point:
            added.args_json.extend(test.given.split("\n"))
            added.expected_json = test.expected
        else:
            added.stdin, added.stdout = test.given, test.expected
    official.CopyFrom(default)
    official.code.checker = "lcb"
    official.code.extraction = official.code.LAST_FENCES
    return {"default": default, "lcb": official}


def items(question: Question, response: str) -> dict[str, Item]:
    """A response graded in both ways."""
    graded = {}
    for name, made in _items(question.data["problem"]).items():
        item = Item(response=response)
        item.MergeFrom(made)
        graded[name] = item
    return graded


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """Shares of accepted programs, means over questions: by the official grading (`lcb`), and by
    both in each window that some of the questions are in, by difficulty too. What a grading has no
    verdict for is left out of it; the summary's shares say how many."""
    figures: dict[str, float] = {}
    for grading, score in (("default", _default), ("lcb", _official)):
        by_question: dict[str, list[float]] = {}
        questions = {sample.question.id: sample.question for sample in samples}
        for sample in samples:
            if (value := score(sample)) is not None:
                by_question.setdefault(sample.question.id, []).append(value)
        means = [(questions[name], fmean(values)) for name, values in by_question.items()]
        if not means:
            continue
        figures[grading] = fmean(mean for _, mean in means)
        for window in WINDOWS:
            inside = [(question, mean) for question, mean in means if within(question, window)]
            name = f"{grading} {window[0]}..{window[1]}"
            for level in ("", "easy", "medium", "hard"):
                chosen = [m for q, m in inside if level in ("", q.slices["difficulty"])]
                if chosen:
                    figures[f"{name} {level}".rstrip()] = fmean(chosen)
    if "default" in figures and "lcb" in figures:
        figures["lcb - default"] = figures["lcb"] - figures["default"]
    return figures


def _default(sample: Sample) -> float | None:
    return sample.graded.score


def _official(sample: Sample) -> float | None:
    said: Mapping[str, Any] = sample.graded.evidence.get("others", {}).get("lcb", {})
    return said.get("score")


def _benchmark(window: tuple[str, str] | None) -> Benchmark:
    days = f"{window[0]}..{window[1]}" if window else ""
    return Benchmark(
        name=f"livecodebench:{days}" if days else "livecodebench",
        title=f"LiveCodeBench v5 {days}".rstrip(),
        source="Jain et al., arXiv 2403.07974, MIT; the authors' prompts (28fef95)",
        load=partial(load, window=window),
        protocols=(r1(16), Protocol("lcb", temperature=0.2, top_p=0.95, max_tokens=2000, k=10)),
        items=items,
        final_only=False,
        aggregate=aggregate,
        needs_sandbox=True,
    )


BENCHMARKS = (_benchmark(None), *map(_benchmark, WINDOWS))
