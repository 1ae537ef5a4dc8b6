"""Checkers and interactors as programs, over a real server: our own, testlib's, and the judge
packages of problemtools with their submissions of known verdict."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

Reason = pb.Part.Reason
TESTLIB, KATTIS = pb.JudgeProgram.TESTLIB, pb.JudgeProgram.KATTIS


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[VerifierClient]:
    with VerifierClient(server.address) as one:
        yield one


def item(program: str, *tests: pb.CodeTest, **fields: object) -> pb.Item:
    task = pb.CodeTask(language="python", program=program, tests=tests, **fields)
    task.limits.cpu_seconds = 2
    return pb.Item(code=task)


def verdict(client: VerifierClient, one: pb.Item) -> pb.Verdict:
    return client.verify([one])[0]


SUM_TO_INPUT = pb.JudgeProgram(
    language="python",
    source="""
import sys
total = int(open(sys.argv[1]).read())
words = open(sys.argv[2]).read().split()
limit = int(open(sys.argv[3]).read())
if len(words) > limit: print("too many", file=sys.stderr); sys.exit(1)
if sum(map(int, words)) != total: print("wrong sum", file=sys.stderr); sys.exit(1)
sys.exit(int(sys.argv[4]) if len(sys.argv) > 4 else 0)
""",
)


@pytest.mark.parametrize(
    ("program", "reason", "said"),
    [
        ("print(input())", Reason.accepted, ""),
        ("n = int(input())\nprint(n - 1, 1)", Reason.accepted, ""),
        ("n = int(input())\nprint(n - 2, 1)", Reason.wrong_answer, "wrong sum"),
        ("n = int(input())\nprint(*[1] * n)", Reason.wrong_answer, "too many"),
        ("1 / 0", Reason.runtime_error, ""),
        ("print(input())\nraise SystemExit(3)", Reason.runtime_error, ""),
    ],
)
def test_a_checker_decides(
    client: VerifierClient, program: str, reason: Reason.ValueType, said: str
) -> None:
    test = pb.CodeTest(stdin="7", stdout="3")
    found = verdict(client, item(program, test, test, checker_program=SUM_TO_INPUT))
    assert found.parts[0].reason == reason, found
    assert said in found.evidence.code.tests[0].detail


@pytest.mark.parametrize("source", ["import sys; sys.exit(3)", "import os; os.abort()", "1 / 0",
                                    "while True: pass", "import sys; sys.exit(7)"])  # fmt: skip
def test_a_checker_that_fails_says_nothing_of_the_program(
    client: VerifierClient, source: str
) -> None:
    broken = pb.JudgeProgram(language="python", source=source)
    broken.protocol = TESTLIB if "1 / 0" not in source else KATTIS
    broken.limits.cpu_seconds = 0.5
    found = verdict(client, item("print(1)", pb.CodeTest(stdout="1"), checker_program=broken))
    assert found.status == pb.Verdict.SANDBOX_ERROR
    assert not found.HasField("reward")
    assert "checker_program" in found.evidence.message


def test_a_checker_that_does_not_compile_is_the_items_fault(client: VerifierClient) -> None:
    broken = pb.JudgeProgram(source="int main( {")
    found = verdict(client, item("print(1)", pb.CodeTest(stdout="1"), checker_program=broken))
    assert found.status == pb.Verdict.INVALID
    assert "code.checker_program.source: does not compile" in found.evidence.message


def test_the_program_sees_nothing_of_the_checkers_files(client: VerifierClient) -> None:
    look = "import os\nprint(sorted(os.listdir('/box')), sorted(os.listdir('/tmp')))"
    echo = pb.JudgeProgram(
        language="python",
        source="import sys\nprint(open(sys.argv[2]).read(), file=sys.stderr); sys.exit(1)",
    )
    test = pb.CodeTest(stdin="1", stdout="secret")
    for _ in range(3):
        found = verdict(client, item(look, test, test, checker_program=echo, run_all=True))
        assert {one.detail for one in found.evidence.code.tests} == {"[] []"} or all(
            "secret" not in one.got and "answer" not in one.got and "input" not in one.got
            for one in found.evidence.code.tests
        ), found


GUESS = pb.JudgeProgram(
    language="python",
    source="""
import sys
secret, most = map(int, open(sys.argv[1]).read().split())
try:
    for _ in range(most):
        guess = int(input())
        if guess == secret:
            print("=", flush=True)
            sys.exit(0)
        print("<" if secret < guess else ">", flush=True)
except (EOFError, ValueError):
    print("no guess", file=sys.stderr)
    sys.exit(1)
print("too many guesses", file=sys.stderr)
sys.exit(1)
""",
)
BISECT = """
low, high = 1, 1000
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    answer = input()
    if answer == "=":
        break
    if answer == "<":
        high = middle - 1
    else:
        low = middle + 1
"""
FORGED = "import sys\nprint('=')\nsys.stdout.flush()"


@pytest.mark.parametrize(
    ("program", "reasons"),
    [
        (BISECT, {Reason.accepted}),
        (BISECT + "1 / 0", {Reason.runtime_error}),
        (BISECT + "while True: pass", {Reason.cpu_limit}),
        (FORGED, {Reason.wrong_answer}),
        ("pass", {Reason.wrong_answer}),
        ("1 / 0", {Reason.runtime_error}),
        ("while True: print(1, flush=True)", {Reason.wrong_answer}),
        ("while True: pass", {Reason.cpu_limit}),
        ("import time; time.sleep(60)", {Reason.wall_limit}),
        ("print(1, flush=True); import os; os.kill(os.getpid(), 9)", {Reason.runtime_error}),
        ("print('x' * 100000, flush=True)", {Reason.wrong_answer}),
        ("import os; os.close(1); os.close(0); import time; time.sleep(1)", {Reason.wrong_answer}),
    ],
)
def test_an_interactor_decides(
    client: VerifierClient, program: str, reasons: set[Reason.ValueType]
) -> None:
    tests = (pb.CodeTest(stdin="500 10", stdout=""), pb.CodeTest(stdin="777 10", stdout=""))
    found = verdict(client, item(program, *tests, interactor=GUESS))
    assert found.status == pb.Verdict.OK, found
    assert found.parts[0].reason in reasons, found
    assert found.reward == (reasons == {Reason.accepted})


@pytest.mark.parametrize("source", ["1 / 0", "import sys; sys.exit(3)", "import os; os.abort()"])
def test_an_interactor_that_fails_says_nothing_of_the_program(
    client: VerifierClient, source: str
) -> None:
    broken = pb.JudgeProgram(language="python", source=source, protocol=KATTIS)
    if "exit" in source:
        broken.protocol = TESTLIB
    test = pb.CodeTest(stdin="1", stdout="")
    found = verdict(client, item(BISECT, test, interactor=broken))
    assert found.status == pb.Verdict.SANDBOX_ERROR, found
    assert "interactor" in found.evidence.message


CLOSES = """
import os, sys
print(open(sys.argv[1]).read(), flush=True)
os.close(1)
sys.exit(0 if sys.stdin.read().split() == ["5"] else 1)
"""


@pytest.mark.parametrize(
    "program",
    [
        "import sys\nprint(sys.stdin.read().strip())",
        "import sys\nfor line in sys.stdin: print(line.strip() or '')",
        "import os, sys\nline = input()\nprint(line, flush=True)\nos.close(1)\nsys.stdin.read()",
    ],
)
def test_a_side_sees_that_the_other_has_nothing_more_to_say(
    client: VerifierClient, program: str
) -> None:
    judge = pb.JudgeProgram(language="python", source=CLOSES)
    found = verdict(client, item(program, pb.CodeTest(stdin="5", stdout=""), interactor=judge))
    assert found.reward == 1.0, found


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "1 / 0"),
        ("python", "int('x')"),
        ("javascript", "throw new Error('x')"),
        (
            "java",
            "class Main { public static void main(String[] a) { throw new RuntimeException(); } }",
        ),
        ("cpp", '#include <stdexcept>\nint main() { throw std::runtime_error("x"); }'),
    ],
)
def test_an_exception_is_no_rejection(client: VerifierClient, language: str, source: str) -> None:
    if language not in {toolchain.language for toolchain in client.describe().toolchains}:
        pytest.skip(f"no toolchain for {language}")
    judge = pb.JudgeProgram(language=language, source=source)
    hidden = pb.CodeTest(stdout="secret", hidden=True)
    found = verdict(client, item("print(1)", hidden, checker_program=judge))
    assert found.status == pb.Verdict.SANDBOX_ERROR, found
    assert "Error" not in found.evidence.message.partition(")")[2]


def test_an_output_that_no_checker_can_take_is_wrong(client: VerifierClient) -> None:
    greedy = pb.JudgeProgram(
        language="python",
        source="import sys\nx = [[int(w)] * 20 for w in open(sys.argv[2]).read().split()]",
    )
    greedy.limits.memory_bytes = 64 << 20
    test = pb.CodeTest(stdout="1")
    found = verdict(client, item("print('1 ' * 2_000_000)", test, checker_program=greedy))
    assert (found.status, found.reward) == (pb.Verdict.OK, 0), found


# ---- testlib


def _testlib(data_dir: Path, name: str) -> pb.JudgeProgram:
    folder = data_dir / "testlib"
    return pb.JudgeProgram(
        source=(folder / name).read_text(),
        files={"testlib.h": (folder / "testlib.h").read_text()},
    )


@pytest.mark.parametrize(
    ("name", "output", "answer", "accepted"),
    [
        ("wcmp.cpp", "a  b\nc", "a b c", True),
        ("wcmp.cpp", "a b", "a b c", False),
        ("rcmp6.cpp", "1.0000001", "1", True),
        ("rcmp6.cpp", "1.001", "1", False),
        ("nyesno.cpp", "yes NO", "YES no", True),
        ("nyesno.cpp", "maybe", "YES", False),
    ],
)
def test_testlib_checkers(
    client: VerifierClient, data_dir: Path, name: str, output: str, answer: str, accepted: bool
) -> None:
    program = f"print({output!r})"
    test = pb.CodeTest(stdin="", stdout=answer)
    found = verdict(client, item(program, test, checker_program=_testlib(data_dir, name)))
    assert (found.status, found.reward) == (pb.Verdict.OK, accepted), found


# ---- judge packages


LANGUAGES = {
    ".c": "c", ".cc": "cpp", ".cpp": "cpp", ".java": "java", ".cs": "csharp", ".js": "javascript",
    ".php": "php", ".py": "python", ".go": "go", ".rs": "rust", ".rb": "ruby", ".hs": "haskell",
}  # fmt: skip
SECONDS = {"different": 1.0, "guess": 1.0, "hello": 4.0, "oddecho": 2.0}
"""CPU seconds; the packages leave it to the judge. Interpreted languages get five times as much."""
SLOW = {"python", "php", "javascript", "ruby", "java", "csharp"}
EXPECTED = {
    "accepted": {Reason.accepted},
    "slow_accepted": {Reason.accepted, Reason.cpu_limit, Reason.wall_limit},  # as the limit is
    "wrong_answer": {Reason.wrong_answer},
    "time_limit_exceeded": {Reason.cpu_limit, Reason.wall_limit},
    "run_time_error": {Reason.runtime_error, Reason.memory_limit},
    "partially_accepted": {Reason.wrong_answer},
}


@dataclass(frozen=True)
class Package:
    """A problem package, unpacked in memory: texts by path."""

    files: dict[str, str]

    def tests(self, problem: str) -> list[pb.CodeTest]:
        found = []
        for path, text in sorted(self.files.items()):
            if path.startswith(f"{problem}/data/") and path.endswith(".in"):
                answer = self.files[path.removesuffix(".in") + ".ans"]
                found.append(pb.CodeTest(id=path, stdin=text, stdout=answer))
        return found

    def validator(self, problem: str) -> pb.JudgeProgram | None:
        """The package's own output validator, if it has one."""
        parts = {
            PurePosixPath(path).name: text
            for path, text in self.files.items()
            if path.startswith((f"{problem}/output_validator/", f"{problem}/output_validators/"))
        }
        if not parts:
            return None
        source = parts.pop("validate.cc")
        return pb.JudgeProgram(protocol=KATTIS, source=source, files=parts)

    def submissions(self) -> list[tuple[str, str, str, str]]:
        """(problem, expected folder, file, text)."""
        found = []
        for path, text in sorted(self.files.items()):
            parts = PurePosixPath(path).parts
            if len(parts) == 4 and parts[1] == "submissions":
                found.append((parts[0], parts[2], parts[3], text))
        return found


def _package(data_dir: Path) -> Package:
    archive = (data_dir / "judge_kattis_mit" / "examples.tar.gz").read_bytes()
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened.getmembers():
            inner = opened.extractfile(member) if member.isfile() else None
            if inner is not None:
                path = member.name.removeprefix("./").removeprefix("examples/")
                files[path] = inner.read().decode("utf-8", "replace")
    return Package(files)


def test_judge_packages(client: VerifierClient, data_dir: Path) -> None:
    """Every submission whose language the server has gets the verdict of its folder."""
    package = _package(data_dir)
    known = {toolchain.language for toolchain in client.describe().toolchains}
    items, expected, left_out = [], {}, []
    for problem, folder, name, text in package.submissions():
        language = LANGUAGES.get(PurePosixPath(name).suffix, "")
        identity = f"{problem}/{folder}/{name}"
        if language not in known or name.endswith("_py2.py"):
            left_out.append(identity)
            continue
        task = pb.CodeTask(language=language, program=text, tests=package.tests(problem))
        task.limits.cpu_seconds = SECONDS[problem] * (5 if language in SLOW else 1)
        validator = package.validator(problem)
        if validator is not None:
            judge = task.interactor if problem == "guess" else task.checker_program
            judge.CopyFrom(validator)
        if folder == "partially_accepted":
            task.scoring = pb.CodeTask.FRACTION
        items.append(pb.Item(id=identity, code=task))
        expected[identity] = EXPECTED[folder]
    assert len(items) >= 30, left_out
    wrong = {}
    for found in client.verify(items):
        if found.status != pb.Verdict.OK or found.parts[0].reason not in expected[found.id]:
            said = found.parts[0].detail if found.parts else ""
            wrong[found.id] = f"{found.evidence.message} {said}"
        elif "partially" in found.id:
            assert 0 < found.reward < 1
    assert not wrong
    print(f"{len(items)} submissions as their folders say; no toolchain for {left_out}")
