"""HumanEval-Mul: HumanEval in the eight languages that DeepSeek reports, 1,280 problems.

Problems, prompt and limits are DeepSeek-Coder's (Evaluation/HumanEval at 118e71a; the problems come
from MultiPL-E). A response's first fenced block with the function is joined to the problem's test;
unlike there, helper functions and imports that a response puts before the function are kept.
As there, a program passes when it ends well: one that ends early with status 0 passes too, but in
Python.

Java and C# leave assertions out unless told to check them, and the tests' library of tuples is not
part of Java: assertions become calls of a function that is added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evals import fences
from evals.benchmark import Benchmark, Question, Sample, r1, user
from evals.benchmarks.humaneval import completed
from evals.data import Data
from verifier.client import Item

PROMPT = (
    "Please help me to complete the function. Use the given packages only and DO NOT refer any new "
    "package. Please return all completed function in a codeblock. \n"
    "Here is the given code to do completion:\n```{language}\n{code}\n```"
)
GET = "the folder Evaluation/HumanEval/data of deepseek-ai/DeepSeek-Coder, gzipped, by language"
CPU_SECONDS = 10.0
"""Of compiled program and test; the official 3 s are by the clock and leave compilation out."""


@dataclass(frozen=True)
class Language:
    """What differs between languages."""

    name: str
    """As the verification service has it."""
    tags: str
    """Of fences, as alternatives of a regular expression."""
    closes: bool = False
    """The test begins with the brace that closes the function."""
    main: str = ""
    """Where an entry point of the response's own begins, which the test's replaces."""


LANGUAGES = {
    "python": Language("python", "python|py"),
    "java": Language("java", "java", True, "public static void main"),
    "cpp": Language("cpp", r"cpp|c\+\+", True, "int main("),
    "cs": Language("csharp", "csharp|cs|c#", True, "public static void Main"),
    "js": Language("javascript", "javascript|js"),
    "ts": Language("typescript", "typescript|ts"),
    "php": Language("php", "php"),
    "sh": Language("bash", "bash|sh|shell", True),
}

JAVA_ASSERT = """
class Checked {
    static void that(boolean holds) {
        if (!holds) throw new AssertionError();
    }
}
"""
CSHARP_ASSERT = """
static class Debug {
    public static void Assert(bool holds) {
        if (!holds) System.Environment.Exit(1);
    }
}
"""


def function_of(row: Mapping[str, Any]) -> str:
    """The name of the function to be written: the last one that the prompt begins."""
    signature = row["prompt"].rstrip().splitlines()[-1]
    found = re.findall(r"(\w+)\s*\(", signature)
    if not found:
        raise ValueError(f"{row['task_id']}: no function in {signature!r}")
    return str(found[0])


def program(row: Mapping[str, Any], code: str, language: Language) -> str:
    """Response and test as one program, not for Python. Pure."""
    test: str = row["test"]
    if language.closes:
        test = test.lstrip().removeprefix("}")
    if language.main and language.main in code:
        code = code[: code.index(language.main)]
        whole_class = False
    else:
        whole_class = "class Problem" in code
    match language.name:
        case "java" | "csharp":
            if whole_class:
                code = code.rpartition("}")[0]
            head: str = row["prompt"][: row["prompt"].index("class Problem")]
            if "class Problem" not in code:
                head += "class Problem {\n"
            if language.name == "java":
                head = head.replace("import org.javatuples.*;\n", "")
                code = code.replace("import org.javatuples.*;\n", "")
                return head + code + re.sub(r"\bassert\(", "Checked.that(", test) + JAVA_ASSERT
            return f"{head}{code}{test}{CSHARP_ASSERT}"
        case "cpp":
            lines = row["prompt"].splitlines()
            head = "\n".join(line for line in lines if line.startswith(("#include", "using ")))
            return f"{head}\n{code}\n{test}"
        case "php":
            code = code.strip().removeprefix("<?php").removesuffix("?>")
            return f"<?php\n{code}\n{test}"
        case _:
            return f"{code}\n{test}"


def items(question: Question, response: str) -> dict[str, Item]:
    """The program of a response with the problem's test; nothing without a program."""
    row, function = question.data["row"], question.data["function"]
    language = LANGUAGES[question.slices["language"]]
    if language.name == "python":
        return completed(row, function, response)
    code = fences.program(response, language.tags, function)
    if not code:
        return {}
    item = Item(response=response)
    item.code.language = language.name
    item.code.limits.cpu_seconds = CPU_SECONDS
    item.code.program = program(row, code, language)
    item.code.tests.add(stdin="", stdout="")
    return {"": item}


def load(data: Data) -> list[Question]:
    """All problems, language by language. Raises DataMissing."""
    return [
        Question(
            f"{name}/{row['task_id']}",
            user(PROMPT.format(language=name, code=row["prompt"])),
            slices={"language": name},
            cluster=_number(row["task_id"]),
            data={"row": row, "function": _function(row, name)},
        )
        for name in LANGUAGES
        for row in data.rows(f"humaneval_mul/{name}.jsonl.gz", get=GET)
    ]


def _function(row: Mapping[str, Any], language: str) -> str:
    if language == "python":
        return str(re.findall(r"^def (\w+)\(", row["prompt"], re.MULTILINE)[-1])
    return function_of(row)


def _number(task_id: str) -> str:
    """Problems of the same number are translations of each other."""
    return str(re.findall(r"\d+", task_id)[0])


def aggregate(samples: Sequence[Sample]) -> dict[str, float]:
    """The mean over languages of each one's share: the figure that DeepSeek reports."""
    by_language: dict[str, list[float]] = {}
    for sample in samples:
        if sample.graded.score is not None:
            held = by_language.setdefault(sample.question.slices["language"], [])
            held.append(sample.graded.score)
    return {"mean of languages": fmean(map(fmean, by_language.values()))} if by_language else {}


BENCHMARKS = (
    Benchmark(
        name="humaneval_mul",
        title="HumanEval-Mul",
        source="DeepSeek-Coder (code MIT), MultiPL-E (MIT); DeepSeek-Coder's prompt",
        load=load,
        protocols=(r1(8),),
        items=items,
        final_only=False,
        aggregate=aggregate,
        needs_sandbox=True,
        headline="mean of languages",
    ),
)
