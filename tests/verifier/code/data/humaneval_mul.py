"""HumanEval in eight languages as items. Only the Python problems come with a solution;
for the others there are bodies of ours, humaneval_mul/<language>/<number>.<language>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.verifier.code.data.reading import Row
from verifier.v1 import verifier_pb2 as pb

HERE = Path(__file__).parent / "humaneval_mul"

# The data's name of a language -> the server's.
LANGUAGES = {
    "cpp": "cpp",
    "java": "java",
    "cs": "csharp",
    "js": "javascript",
    "ts": "typescript",
    "php": "php",
    "sh": "bash",
}

# Where the tests go on with the brace that ends the function; elsewhere the body has it.
BRACE_IN_TEST = {"cpp", "java", "cs", "sh"}

# A body that gives the same whatever it is given.
CONSTANT = {
    "cpp": "return {};",
    "java": "return %s;",
    "cs": "return default(%s);",
    "js": "return 0;",
    "ts": "return undefined as any;",
    "php": "return 0;",
    "sh": "echo nothing",
}

NUMBER = re.compile(r"HumanEval_(\d+)_")


def number(row: Row) -> int:
    return int(NUMBER.match(row["task_id"])[1])  # type: ignore[index]


def bodies(language: str) -> dict[int, str]:
    return {int(path.stem): path.read_text() for path in (HERE / language).iterdir()}


def items(row: Row, body: str) -> Iterator[pb.Item]:
    """The problem with the right body, and with one that gives a constant."""
    language = row["language"]
    for name, text in (("right", body), ("constant", constant(row))):
        task = pb.CodeTask(
            language=LANGUAGES[language],
            program=assembled(row, text),
            tests=[pb.CodeTest(stdin="", stdout="")],
            limits=pb.CodeLimits(cpu_seconds=4),
        )
        yield pb.Item(id=f"{language}-{number(row)}-{name}", code=task)


def constant(row: Row) -> str:
    language, text = row["language"], CONSTANT[row["language"]]
    signature = row["prompt"].rstrip().splitlines()[-1]
    if language == "java":
        kind = re.findall(r"public static (\S+) ", signature)[0]
        text %= {"boolean": "false", "long": "0", "float": "0"}.get(kind, "null")
    if language == "cs":
        text %= re.findall(r"public static (\S+) ", signature)[0]
    return f"{text}\n"


def assembled(row: Row, body: str) -> str:
    """Prompt, body and test as the data means them to be joined.

    Two of the languages leave assertions out unless told to check them, so there a
    function of ours stands in for the assertion.
    """
    language, prompt, test = row["language"], row["prompt"], row["test"]
    brace = "" if language in BRACE_IN_TEST else "}\n"
    if language == "java":
        prompt = prompt.replace("import org.javatuples.*;\n", "")
        test = re.sub(r"\bassert\(", "Checked.that(", test)
        test += (
            "class Checked {\n    static void that(boolean holds) {\n"
            "        if (!holds) throw new AssertionError();\n    }\n}\n"
        )
    if language == "cs":
        test += (
            "static class Debug {\n    public static void Assert(bool holds) {\n"
            "        if (!holds) System.Environment.Exit(1);\n    }\n}\n"
        )
    return f"{prompt}{body}{brace}{test}"


def python_item(row: Row) -> pb.Item:
    """HumanEval itself, by the data's own tests."""
    name = re.findall(r"^def (\w+)\(", row["prompt"], re.MULTILINE)[-1]
    task = pb.CodeTask(
        language="python",
        program=row["prompt"] + row["canonical_solution"],
        tests=[pb.CodeTest(source=f"{row['test']}\ncheck({name})\n")],
        limits=pb.CodeLimits(cpu_seconds=4),
    )
    return pb.Item(id=row["task_id"], code=task)
