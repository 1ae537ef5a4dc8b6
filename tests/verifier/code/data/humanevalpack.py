"""HumanEvalPack's solutions and tests as items: a declaration, a body, the data's test program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.verifier.code.data.reading import Row
from verifier.v1 import verifier_pb2 as pb

# The data's name of a language -> the server's.
LANGUAGES = {"python": "python", "cpp": "cpp", "java": "java", "js": "javascript"}

# `console.assert` of node prints and goes on; a test program is to fail by its exit status.
# The one package that the data needs is a function that node has.
JS_SETUP = """\
console.assert = require("node:assert").ok;
require("node:module")._load = ((load) => (name, ...rest) =>
  name === "js-md5"
    ? (text) => load("node:crypto").createHash("md5").update(text).digest("hex")
    : load(name, ...rest))(require("node:module")._load);
"""


def item(row: Row) -> pb.Item:
    language = row["language"]
    solution, test = row["declaration"] + row["response"], row["gold"]
    if language == "python":
        task = pb.CodeTask(program=solution, tests=[pb.CodeTest(source=test)])
    else:
        setup = JS_SETUP if language == "js" else ""
        task = pb.CodeTask(program=f"{setup}{solution}\n{test}", tests=[pb.CodeTest(stdout="")])
    task.language = LANGUAGES[language]
    task.limits.cpu_seconds = 2
    return pb.Item(id=row["id"], code=task)
