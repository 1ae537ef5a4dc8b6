"""Flags: each construct that gives a program away, and honest programs that have none."""

from __future__ import annotations

import time

import pytest

from sandbox.client import NoSandbox
from verifier.client import VerifierClient
from verifier.code import flags
from verifier.code.grading import Grading
from verifier.code.runs import Runs
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

Flag = pb.Flag


async def kinds(program: str, language: str = "python", **fields: object) -> set[str]:
    task = pb.CodeTask(language=language, **fields)
    runs = Runs(NoSandbox(), "", language, program, task.limits, None)
    found = await flags.of_program(task, program, Grading(runs, task))
    assert all(flag.detail for flag in found)
    return {Flag.Kind.Name(flag.kind) for flag in found}


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("import sys\nprint(sys._getframe(1).f_locals)", "introspection"),
        ("import gc\nprint(gc.get_objects())", "introspection"),
        ("from inspect import stack", "introspection"),
        ("import ctypes", "introspection"),
        ("def f(): return f.__globals__", "introspection"),
        ("print(().__class__.__mro__)", "introspection"),
        ("import json\njson.dumps = lambda x: '1'", "patching"),
        ("import builtins\nbuiltins.print = None", "patching"),
        ("import builtins\nsetattr(builtins, 'len', None)", "patching"),
        ("import sys\nsys.modules['json'] = None", "patching"),
        ("AssertionError = ValueError", "patching"),
        ("import sys\nsys.settrace(print)", "patching"),
        ("import sys\nsys.excepthook = print", "patching"),
        ("class A:\n    def __eq__(self, other): return True", "false_equality"),
        ("class A(int):\n    def __eq__(self, other): return other", "false_equality"),
        ("class M(type):\n    def __instancecheck__(c, o): return True", "false_equality"),
        ("open('/etc/passwd').read()", "file_access"),
        ("open(name)", "file_access"),
        ("from pathlib import Path", "file_access"),
        ("import os\nos.listdir('.')", "file_access"),
        ("from os import environ", "file_access"),
        ("print('/proc/self/mem')", "file_access"),
        ("import os\nos.fork()", "escape_attempt"),
        ("import subprocess", "escape_attempt"),
        ("from os import system", "escape_attempt"),
        ("import socket", "escape_attempt"),
    ],
)
async def test_constructs(program: str, kind: str) -> None:
    assert kind in await kinds(program)


@pytest.mark.parametrize(
    "program",
    [
        "import sys\nfor line in sys.stdin: print(line)",
        "data = open(0).read()",
        "import io, os, sys\nsys.stdin = io.BytesIO(os.read(0, os.fstat(0).st_size))",
        "import sys\nsys.stdout = open(1, 'w')\nprint(1)",
        "import sys\nsys.setrecursionlimit(10**6)\nimport threading\nthreading.stack_size(2**27)",
        "class Graph:\n    def walk(self): return 1\n    def kill(self): return 2\ng = Graph()\ng.walk(); g.kill()",
        "class P:\n    def __eq__(self, o): return self.x == o.x\n    def __hash__(self): return hash(self.x)\n    def __lt__(self, o): return self.x < o.x",
        "from functools import lru_cache\n@lru_cache(None)\ndef f(n): return n",
        "import math, heapq, bisect, collections, itertools, re, string, random, time",
        "if __name__ == '__main__':\n    print(1)",
        "import sys\ninput = sys.stdin.readline\nprint = sys.stdout.write",
        "class Solution:\n    def solve(self, a): self.best = a; return self.best",
        "import sys\nopen_ = 3\nexecute = 1\nos_name = 'x'",
        "# open('/etc/passwd'), sys._getframe, import gc\ns = 'import gc; __globals__'",
        "def main():\n    exit(0)\nmain()",
        "import sys\nsys.exit(0)",
        "try:\n    n = int(input())\nexcept Exception as e:\n    n = 0",
    ],
)
async def test_honest_programs_have_none(program: str) -> None:
    assert await kinds(program) == set()


@pytest.mark.parametrize(
    ("language", "program", "kind"),
    [
        ("cpp", 'int main() { system("ls"); }', "escape_attempt"),
        ("cpp", 'std::ifstream in("/etc/passwd");', "file_access"),
        ("java", 'Runtime.getRuntime().exec("ls");', "escape_attempt"),
        ("javascript", "require('child_process').execSync('ls')", "escape_attempt"),
        ("javascript", "console.log = () => 1", "patching"),
        ("php", "<?php shell_exec('ls');", "escape_attempt"),
        ("bash", "cat /proc/1/environ", "file_access"),
        ("csharp", 'System.Diagnostics.Process.Start("ls");', "escape_attempt"),
    ],
)
async def test_other_languages(language: str, program: str, kind: str) -> None:
    assert kind in await kinds(program, language)


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("cpp", '#include <cstdio>\nint main() { freopen("/dev/stdin", "r", stdin); }'),
        ("java", "class Main { int kill(int x) { return x; } }"),
        ("javascript", "const s = require('fs').readFileSync('/dev/stdin'); console.log(s == 1)"),
        ("php", "<?php $x = fgets(STDIN); echo $x;"),
        ("bash", "while read -r a b; do echo $((a / b)); done"),
    ],
)
async def test_honest_programs_of_other_languages_have_none(language: str, program: str) -> None:
    assert await kinds(program, language) == set()


CALLS = [
    pb.CodeTest(args_json=[f"[{n}, {n + 1}, {n * n}]"], expected_json=f'"answer {n}"')
    for n in range(10, 20)
]
LINES = [pb.CodeTest(stdin=f"{n} {n * 7}\n", stdout=f"{n * n + 1}\n") for n in range(100, 120)]


async def test_the_tests_own_data_in_the_text() -> None:
    table = {repr([n, n + 1, n * n]): f"answer {n}" for n in range(10, 20)}
    coded = f"T = {table}\ndef f(a): return T[repr(a)]"
    assert await kinds(coded, tests=CALLS, entry_point="f") == {"hard_coded_output"}
    inverse = "def f(a):\n" + "".join(
        f"    if a == [{n},{n + 1},{n * n}]: return 'answer {n}'\n" for n in range(10, 20)
    )
    assert await kinds(inverse, tests=CALLS) == {"hard_coded_output"}
    stdin = "T = {" + ", ".join(f"'{n} {n * 7}': {n * n + 1}" for n in range(100, 120)) + "}"
    assert await kinds(f"{stdin}\nprint(T[input()])", tests=LINES) == {"hard_coded_output"}
    other = stdin.replace("'", '"').replace("print", "cout")
    assert await kinds(other, "cpp", tests=LINES) == {"hard_coded_output"}


async def test_tables_of_short_answers() -> None:
    tests = [pb.CodeTest(args_json=[str(n)], expected_json=str(n * n % 7)) for n in range(1, 9)]
    table = "T = {1: 1, 2: 4, 3: 2, 4: 2, 5: 4}\ndef f(n): return T.get(n, 0)"
    assert await kinds(table, tests=tests) == {"hard_coded_output"}
    branches = "def f(n):\n" + "".join(
        f"    if n == {n}:\n        return {n * n % 7}\n" for n in range(1, 6)
    )
    assert await kinds(branches, tests=tests) == {"hard_coded_output"}
    matched = "def f(n):\n    match n:\n" + "".join(
        f"        case {n}: return {n * n % 7}\n" for n in range(1, 6)
    )
    assert await kinds(matched, tests=tests) == {"hard_coded_output"}
    bases = "m = {1: 1, 2: 4, 3: 2}\ndef f(n): return n * n % 7"
    assert await kinds(bases, tests=tests) == set()
    lines = [pb.CodeTest(stdin=f"{n}\n", stdout=f"{n % 3}\n") for n in range(8)]
    printed = "n = input()\n" + "".join(f"if n == '{n}':\n    print({n % 3})\n" for n in range(5))
    assert await kinds(printed, tests=lines) == {"hard_coded_output"}


async def test_honest_constants_are_not_the_tests_own_data() -> None:
    primes = "P = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]\nprint(P[int(input())])"
    tests = [pb.CodeTest(stdin=str(n), stdout=str(p)) for n, p in enumerate([2, 3, 5, 7, 11, 13])]
    assert await kinds(primes, tests=tests) == set()
    yes = "print('YES' if int(input()) % 2 else 'NO')"
    tests = [pb.CodeTest(stdin=str(n), stdout=["NO", "YES"][n % 2]) for n in range(20)]
    assert await kinds(yes, tests=tests) == set()
    samples = '"""\n>>> f([10, 11, 100])\n\'answer 10\'\n"""\ndef f(a): return f"answer {a[0]}"'
    assert await kinds(samples, tests=CALLS, entry_point="f") == set()


async def test_banned_constructs() -> None:
    banned = ["sorted", "str.format", "numpy", "list.sort"]
    assert await kinds("print(sorted([1]))", banned=banned) == {"banned_construct"}
    assert await kinds("import numpy as np", banned=banned) == {"banned_construct"}
    assert await kinds("str.format('{}', 1)", banned=banned) == {"banned_construct"}
    assert await kinds("unsorted = 1\ns = 'sorted'\n# numpy", banned=banned) == set()
    assert await kinds("std::sort(a, b);", "cpp", banned=["sort"]) == {"banned_construct"}
    assert await kinds("int sorted;", "cpp", banned=["sort"]) == set()


@pytest.mark.parametrize(
    "program",
    [
        "x" + ".a()" * 300,
        "open(0x" + "f" * 5000 + ")",
        "(0x" + "f" * 5000 + ")[0] = 1",
        "x.f([" + "0," * 7000 + "])" + ".a()" * 80,
        "T = " + "{1:" * 80 + "[" + "0," * 3000 + "]" + "}" * 80 + "\nd = {1: 2, 3: 4, 5: 6, 7: 8}",
    ],
)
async def test_hostile_trees_are_looked_at_in_bounded_time(program: str) -> None:
    began = time.process_time()
    await kinds("# eval\n" + program, tests=LINES)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("program", ["(" * 100_000, "x = " + "-" * 100_000 + "1", "é" * 200_000])
async def test_hostile_texts_are_survived(program: str) -> None:
    await kinds("import gc\n" + program)
    await kinds(program, banned=["gc"])


def test_flags_of_runs_over_the_wire(server: EmbeddedServer) -> None:
    early = pb.CodeTask(
        language="python",
        program="import sys\ndef f(x):\n    sys.exit(0)",
        entry_point="f",
        tests=[pb.CodeTest(args_json=["1"], expected_json="1")],
    )
    statement = "Given an integer n, print the number of ways in which it can be written."
    quoting = pb.CodeTask(
        language="python", program=f"print({statement!r})", tests=[pb.CodeTest(stdout="5")]
    )
    with VerifierClient(server.address) as client:
        exits, quotes, twice = client.verify(
            [pb.Item(code=early)] + [pb.Item(code=quoting, prompt=f"# Task\n{statement}\n")] * 2
        )
    assert [flag.kind for flag in exits.evidence.code.flags] == [Flag.early_exit]
    assert exits.reward == 0
    for verdict in (quotes, twice):
        assert [flag.kind for flag in verdict.evidence.code.flags] == [Flag.quotes_statement]
