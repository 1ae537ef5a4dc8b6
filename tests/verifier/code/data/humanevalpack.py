"""HumanEvalPack's rows as items: declaration, body and the data's own test program.

Python's tests run beside the solution (`source`). In the other languages solution and
test are one program that reads and prints nothing, and its exit status decides.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tests.verifier.code.data.reading import Row
from verifier.v1 import verifier_pb2 as pb

# The data's name of a language -> the server's.
LANGUAGES = {
    "python": "python",
    "cpp": "cpp",
    "java": "java",
    "js": "javascript",
    "go": "go",
    "rust": "rust",
}

CPU_SECONDS = 2
TEST = re.compile(r"#\[test\](?:\s|//.*\n)*(?:pub )?fn (\w+)")
SETUPS = Path(__file__).parent / "setups"

GO_PACKAGES = (
    "bytes", "crypto/md5", "fmt", "math", "math/rand", "os", "reflect", "regexp", "sort", "strconv",
    "strings", "testing", "time",
)  # fmt: skip


@cache
def setup(name: str) -> str:
    return (SETUPS / name).read_text()


def item(row: Row) -> pb.Item:
    head = row["declaration"]
    if row["language"] == "go":
        # The declaration lacks the functions that it builds on; the prompt has them.
        head = re.sub(r"import \([^)]*\)", "", row["prompt"])
    solution, test = head + row["response"], row["gold"]
    if row["language"] == "python":
        task = pb.CodeTask(program=solution, tests=[pb.CodeTest(source=test)])
    else:
        whole = {"go": go, "rust": rust, "js": javascript, "cpp": cpp}.get(row["language"], joined)
        task = pb.CodeTask(program=whole(solution, test), tests=[pb.CodeTest(stdin="", stdout="")])
    task.language = LANGUAGES[row["language"]]
    task.limits.cpu_seconds = CPU_SECONDS
    return pb.Item(id=row["id"], code=task)


def joined(solution: str, test: str) -> str:
    return f"{solution}\n{test}"


def javascript(solution: str, test: str) -> str:
    return setup("assert.js") + joined(solution, test)


def cpp(solution: str, test: str) -> str:
    return joined(solution.replace("#include<boost/any.hpp>\n", setup("any.hpp")), test)


def go(solution: str, test: str) -> str:
    """The imports that upstream's runner adds, an assertion package and a main function."""
    name = re.findall(r"func (Test\w+)", test)[0]
    body = f"{setup('assert.go')}\n{joined(solution, test)}\nfunc main() {{\n\t{name}(nil)\n}}\n"
    code = re.sub(r"//.*", "", body)
    used = [path for path in GO_PACKAGES if re.search(rf"\b{path.split('/')[-1]}\.[A-Z]", code)]
    imports = "\n".join(f'\t"{path}"' for path in used)
    return f"package main\n\nimport (\n{imports}\n)\n\n{body}"


def rust(solution: str, test: str) -> str:
    """The test function becomes an ordinary one that a main function calls."""
    solution = solution.replace("use md5;\n", "").replace("use regex::Regex;\n", "")
    test = test.replace("#[cfg(test)]", "")
    name = TEST.findall(test)[0]
    test = TEST.sub(r"pub fn \1", test)
    main = f"fn main() {{\n    tests::{name}();\n}}\n"
    return f"{setup('crates.rs')}{solution}\n{test}\n{main}"
