"""HumanEval, HumanEval-Mul and MBPP: responses of every form that counts are accepted, others not.

The default run grades a part of the problems, TOUCHSTONE_WHOLE_DATA=1 all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals import fences
from evals.benchmark import Graded, Question, Sample
from evals.benchmarks import humaneval, humaneval_mul, mbpp
from evals.data import Data, DataMissing
from tests.evals.grading import grade, scores
from tests.verifier.code.data import humaneval_mul as own
from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer

WHOLE = os.environ.get("TOUCHSTONE_WHOLE_DATA", "") not in ("", "0")


@pytest.fixture(scope="module")
def data(data_dir: Path) -> Data:
    return Data(data_dir, hub=False)


def part(questions: Sequence[Question], every: int) -> Sequence[Question]:
    return questions if WHOLE else questions[::every]


# Finding the function


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ("```python\ndef f(): 1\n```", "def f(): 1\n"),
        ("```\ndef f(): 1\n```", "def f(): 1\n"),
        ("```Python\ndef f(): 1\n```", "def f(): 1\n"),
        ("1.\n   ```py\n   def f(): 1\n   ```\n", "   def f(): 1\n"),
        ("```python\ng()\n```\n```python\ndef f(): 1\n```\n```python\nf()\n```", "def f(): 1\n"),
        ("<think>```python\ndef f(): 0\n```</think>```python\ndef f(): 1\n```", "def f(): 1\n"),
        ("def f(): 1", "def f(): 1"),
        ("```bash\nf\n```", ""),
        ("```python\nff()\n```", ""),
        ("I cannot.", ""),
        ("", ""),
    ],
)
def test_where_the_function_is(response: str, found: str) -> None:
    assert fences.program(response, "python|py", "f") == found


# HumanEval


def test_humaneval_accepts_the_reference_alone(data: Data, server: EmbeddedServer) -> None:
    """Without the imports and helper functions that the prompt gives."""
    (benchmark,) = humaneval.BENCHMARKS
    questions = humaneval.load(data)
    assert len(questions) == 164
    assert (
        questions[0]
        .messages[0]
        .content.startswith(
            "Read the following function signature and docstring, and fully implement the function "
            "described. Your response should only contain the code for this function.\nfrom typing"
        )
    )
    helped = [q for q in questions if q.id in ("HumanEval/32", "HumanEval/38", "HumanEval/50")]
    chosen = [*part(questions, 6), *helped]
    asked = []
    for question in dict.fromkeys(q.id for q in chosen):
        row = next(q.data["row"] for q in questions if q.id == question)
        held = next(q for q in questions if q.id == question)
        given = row["prompt"]
        function = given[given.rindex(f"def {row['entry_point']}(") :] + row["canonical_solution"]
        signature = function.splitlines()[0]
        asked += [
            (held, f"Here it is:\n```python\n{function}```"),
            (held, f"```python\n{signature}\n    return None\n```"),
            (held, f"```python\n{signature}\n    raise SystemExit(0)\n```"),
            (held, "I do not know."),
        ]
    found = grade(server, benchmark, asked)
    expected = {(question.id, n % 4): float(n % 4 == 0) for n, (question, _) in enumerate(asked)}
    assert scores(found) == expected
    assert {s.graded.status for s in found if s.sample == 3} == {"no_answer"}


# HumanEval-Mul

CLASSES = {
    "java": "import java.util.*;\n\nclass Problem {{\n    static int helper() {{ return 1; }}\n{function}\n"
    "    public static void main(String[] args) {{ System.out.println(helper()); }}\n}}\n",
    "cs": "using System;\n\nclass Problem {{\n    static int Helper() {{ return 1; }}\n{function}\n"
    "    public static void Main(string[] args) {{ Console.WriteLine(Helper()); }}\n}}\n",
    "cpp": "#include <vector>\n#include <string>\nint helper() {{ return 1; }}\n"
    "{function}\nint main() {{ return helper(); }}\n",
    "sh": "#!/bin/bash\nhelper() {{ echo 1; }}\n{function}\n",
    "js": "const helper = () => 1;\n{function}\n",
    "ts": "const helper = (): number => 1;\n{function}\n",
    "php": "<?php\nfunction helper() {{ return 1; }}\n{function}\n?>",
}
"""A whole program around the function, as models like to write it."""

REFUSED = {
    "js/HumanEval_51_remove_vowels": "the data's test has a line break within a string",
    "php/HumanEval_23_strlen": "the data's function has the name of one of PHP's own",
}


@pytest.mark.parametrize("language", own.LANGUAGES)
def test_mul_accepts_functions_and_whole_programs(
    data: Data, server: EmbeddedServer, language: str
) -> None:
    needs(server, own.LANGUAGES[language])
    bodies = own.bodies(language)
    questions = [
        question
        for question in humaneval_mul.load(data)
        if question.slices["language"] == language and own.number(question.data["row"]) in bodies
    ]
    asked = []
    for question in part(questions, 8 if language in ("cpp", "java", "cs") else 4):
        row = question.data["row"]
        function = row["prompt"].rstrip().splitlines()[-1] + "\n"
        tag = humaneval_mul.LANGUAGES[language].tags.split("|")[0]
        for body in (bodies[own.number(row)], own.constant(row)):
            for frame in ("{function}", CLASSES[language]):
                whole = frame.format(function=f"{function}{body}\n}}")
                asked.append((question, f"Sure.\n```{tag}\n{whole}\n```\nThat is it."))
    found = grade(server, humaneval_mul.BENCHMARKS[0], asked)
    expected = {
        (question.id, n % 4): float(n % 4 < 2 and question.id not in REFUSED)
        for n, (question, _) in enumerate(asked)
    }
    wrong = [s for s in found if s.graded.score != expected[s.question.id, s.sample]]
    assert scores(found) == expected, json.dumps(wrong[0].graded.evidence)[:1500]


@pytest.mark.parametrize("language", humaneval_mul.LANGUAGES)
def test_mul_takes_responses_that_were_cut_off(data: Data, language: str) -> None:
    question = next(q for q in humaneval_mul.load(data) if q.slices["language"] == language)
    tag = humaneval_mul.LANGUAGES[language].tags.split("|")[0]
    code = CLASSES.get(language, "{function}").format(function=question.data["row"]["prompt"])
    whole = f"<think>So.</think>```{tag}\n{code}\n```\n"
    for end in range(len(whole)):
        text = whole[:end]
        for response in (text, f"{text}\n```"):
            humaneval_mul.items(question, response)


def test_mul_in_python(data: Data, server: EmbeddedServer) -> None:
    questions = [q for q in humaneval_mul.load(data) if q.slices["language"] == "python"]
    assert len(questions) == 164
    asked = []
    for question in part(questions, 12):
        row = question.data["row"]
        solved = row["prompt"] + row["canonical_solution"]
        asked += [(question, f"```python\n{solved}```"), (question, "```python\nx = 1\n```")]
    found = grade(server, humaneval_mul.BENCHMARKS[0], asked)
    assert [s.graded.score for s in found] == [1.0, 0.0] * (len(asked) // 2)


def test_mul_has_all_languages(data: Data) -> None:
    questions = humaneval_mul.load(data)
    assert len(questions) == len({question.id for question in questions}) == 1280
    assert {question.slices["language"] for question in questions} == set(humaneval_mul.LANGUAGES)
    first = next(question for question in questions if question.slices["language"] == "cpp")
    assert first.messages[0].content == (
        "Please help me to complete the function. Use the given packages only and DO NOT refer "
        "any new package. Please return all completed function in a codeblock. \n"
        f"Here is the given code to do completion:\n```cpp\n{first.data['row']['prompt']}\n```"
    )
    clusters = {question.cluster for question in questions}
    assert len(clusters) == 164


def test_mul_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"python\.jsonl\.gz.*deepseek-ai/DeepSeek-Coder"):
        humaneval_mul.load(Data(tmp_path, hub=False))


def test_mul_is_the_mean_of_languages() -> None:
    def sample(language: str, score: float | None) -> Sample:
        status = "ok" if score is not None else "grader_error"
        question = Question("x", (), slices={"language": language})
        return Sample(question, 0, "", Graded(status, score))  # type: ignore[arg-type]

    samples = [sample("cpp", 1.0), sample("cpp", 0.0), sample("js", 1.0), sample("js", None)]
    assert humaneval_mul.aggregate(samples) == {"mean of languages": 0.75}
    assert humaneval_mul.aggregate(samples[-1:]) == {}


# MBPP


def test_mbpp_prompt(data: Data) -> None:
    questions = mbpp.load(data)
    assert [questions[0].id, questions[-1].id, len(questions)] == ["11", "510", 500]
    text = questions[0].messages[0].content
    assert text.startswith(
        "Please refer the given examples and generate a python function for my problem.\n"
        "Examples are listed as follows:\n- Example 1:\n>>> Problem:\nWrite a function to find the "
    )
    assert re.findall(r"- Example (\d):", text) == ["1", "2", "3"]
    assert text.count("\n\n>>> Code:\n```python\n") == 3
    assert "\r" not in text
    assert re.search(
        r"```\n\nHere is my problem:\n>>> Problem:\nWrite a python function to remove first and "
        r"last occurrence.*\n>>> Test Cases:\nassert .*\nassert .*\nassert .*\n\Z",
        text,
    )


def test_mbpp_accepts_the_reference(data: Data, server: EmbeddedServer, data_dir: Path) -> None:
    lines = (data_dir / "mbpp/mbpp.jsonl").read_text().splitlines()
    code = {str(row["task_id"]): row["code"] for row in map(json.loads, lines)}
    asked = []
    for question in part(mbpp.load(data), 10):
        asked += [
            (question, f"```python\n{code[question.id]}\n```"),
            (question, "```python\n\n```"),
        ]
    found = grade(server, mbpp.BENCHMARKS[0], asked)
    wrong = {s.question.id for s in found if s.graded.score != 1.0 - s.sample}
    assert not wrong


def needs(server: EmbeddedServer, language: str) -> None:
    with VerifierClient(server.address) as client:
        known = {toolchain.language for toolchain in client.describe().toolchains}
    if language not in known:
        pytest.skip(f"the server has no {language}")
