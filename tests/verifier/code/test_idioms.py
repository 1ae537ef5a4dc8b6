"""Correct programs in many habits of reading and writing: none of them may be rejected.

The first line of each program in idioms/ names its problem. All of them go through a real server
with every test of that problem; once more with one expected output changed, and are rejected.
"""

from __future__ import annotations

import importlib.util
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from verifier.client import VerifierClient
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

HERE = Path(__file__).parent / "idioms"
# At least so many programs in each language.
LANGUAGES = {
    "python": 30,
    "cpp": 30,
    "cpp17": 5,
    "c": 30,
    "java": 30,
    "javascript": 30,
    "typescript": 30,
    "csharp": 30,
    "php": 30,
    "bash": 30,
}
PROBLEM = re.compile(r"\ufeff?(?:#|//|/\*|<\?php //|<\?php #) problem: (\w+)")

# Correct programs that are rejected, as "language/name.ext", and why.
REJECTED = {
    "csharp/35_async_main.cs": "mcs 6.8 knows no asynchronous Main",
    "csharp/36_local_function.cs": "mcs 6.8 knows no local functions",
    "csharp/37_type_switch.cs": "mcs 6.8 knows no type patterns in a switch",
}

MODULUS = 1_000_000_007
HUGE_LINES = 1_300_000
HUGE_AT_ONCE = 4

Test = tuple[str, str]


@dataclass(frozen=True)
class Problem:
    """Pairs of standard input and expected standard output."""

    tests: tuple[Test, ...]
    checker: str = "tokens"


def _sum() -> Iterator[Test]:
    """n, then n integers on one line: their sum."""
    yield "1\n-5", "-5\n"
    yield "0\n\n", "0\n"
    yield "4\n1000000000 2000000000 3000000000 -1\n\n\n", "5999999999\n"
    many = [(7919 * i) % 1_000_003 for i in range(5_000)]
    yield f"{len(many)}\n{' '.join(map(str, many))}\n", f"{sum(many)}\n"


def _messy() -> Iterator[Test]:
    """Integers with any white space between them: their sum."""
    yield "", "0"
    yield "  7\n\n\n   8 \n", "15\n"
    yield "\t1\t-2\n3", "2\n"
    yield "\n\r\n 5 6\r\n\r\n\n", "11\n"


def _echo() -> Iterator[Test]:
    """Every line again."""
    yield "", ""
    yield "no newline\nat the end", "no newline\nat the end\n"
    yield "  spaces   in front\n\n\nand gaps\n\n\n", "  spaces   in front\n\n\nand gaps\n"
    yield "windows\r\nlines\r\n", "windows\nlines\n"
    yield "käse 日本語 🎉\n", "käse 日本語 🎉\n"


def _copy() -> Iterator[Test]:
    """The input, byte for byte."""
    for text in (
        "",
        "windows\r\n  lines \r\n\r\n",
        "no newline",
        "a\tbé日🎉\n" * 20_000,
    ):
        yield text, text


def _pairs() -> Iterator[Test]:
    """t, then t lines with two integers: the larger one of each line."""
    yield "1\n7 7", "7\n"
    yield "3\n-100000 100000\n0 -1\n-2 -3\n\n\n", "100000\n0\n-2\n"
    many = [(i * 31 % 997 - 500, i * 17 % 991 - 500) for i in range(300)]
    lines = "".join(f"{a} {b}\n" for a, b in many)
    yield f"{len(many)}\n{lines}", "".join(f"{max(pair)}\n" for pair in many)


def _words() -> Iterator[Test]:
    """Words of lower-case letters: each with its count, in alphabetical order."""
    texts = ("b a b\n", "one\n\ntwo two\n  three", "", "z\n" * 300 + "y x " * 200 + "\n\n")
    for text in texts:
        counts = sorted(Counter(text.split()).items())
        yield text, "".join(f"{word} {count}\n" for word, count in counts)


def _deep() -> Iterator[Test]:
    """The sum of 1 to n, by recursion n deep."""
    for text in ("1\n", "100000"):
        yield text, f"{int(text) * (int(text) + 1) // 2}\n"


def _deeper() -> Iterator[Test]:
    """The same for larger n."""
    for text in ("10\n", "1000000\n"):
        yield text, f"{int(text) * (int(text) + 1) // 2}\n"


def _huge() -> Iterator[Test]:
    """n, then n lines with an integer each: twice each, on a line of its own."""
    yield "3\n1\n-2\n0\n", "2\n-4\n0\n"
    values = random.Random(1).choices(range(1_000_000, 10_000_000), k=HUGE_LINES)
    lines = "\n".join(map(str, values))
    yield f"{HUGE_LINES}\n{lines}\n", "\n".join([str(2 * value) for value in values])


def _first() -> Iterator[Test]:
    """The square of the integer on the first line, whatever follows."""
    yield "5\nmore\n", "25\n"
    yield "12", "144\n"
    yield "-7\n" + "not to be read\n" * 150_000, "49\n"


def _big() -> Iterator[Test]:
    """The product of two integers of up to 18 digits, each on a line of its own."""
    for a, b in (
        (-(10**17) - 3, 987654321987654321),
        (0, 10**17),
        (10**18 - 1, 10**18 - 1),
    ):
        yield f"{a}\n{b}\n", f"{a * b}\n"


def _mean() -> Iterator[Test]:
    """n, then n integers on one line: their mean with three decimals."""
    yield "4\n1 2 3 4\n", "2.500\n"
    yield "8\n1 0 0 0 0 0 0 0\n", "0.125\n"
    yield "2\n-100000 -200001", "-150000.500\n"


def _sorted() -> Iterator[Test]:
    """n, then n integers on one line: the same in ascending order, on one line."""
    yield "5\n3 1 2 10 -1\n", "-1 1 2 3 10\n"
    yield "1\n42", "42\n"
    many = [(7919 * i) % 10_007 - 5000 for i in range(300)]
    yield f"{len(many)}\n{' '.join(map(str, many))}\n", f"{' '.join(map(str, sorted(many)))}\n"


def _fib() -> Iterator[Test]:
    """The n-th Fibonacci number modulo 10^9 + 7."""
    for n in (0, 1, 1000):
        low, high = 0, 1
        for _ in range(n):
            low, high = high, (low + high) % MODULUS
        yield f"{n}\n", f"{low}\n"


def _hello() -> Iterator[Test]:
    """A greeting, whatever the input."""
    yield "", "Hello, world!\n"
    yield "nobody reads this\n", "Hello, world!\n"


MAKERS = {
    maker.__name__[1:]: maker
    for maker in (
        _sum, _messy, _echo, _copy, _pairs, _words, _deep, _deeper, _huge, _first, _big, _mean,
        _sorted, _fib, _hello,
    )
}  # fmt: skip


@cache
def problem(name: str) -> Problem:
    return Problem(tuple(MAKERS[name]()), "exact" if name == "copy" else "tokens")


def programs() -> list[Path]:
    return sorted(path for path in HERE.glob("*/*") if path.is_file())


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def problem_of(text: str) -> str:
    """The problem that a program's first line names."""
    found = PROBLEM.match(text)
    assert found is not None, f"no problem in {text[:80]!r}"
    return found.group(1)


def item(path: Path, *, wrong: bool = False) -> pb.Item:
    """The program with all tests of its problem, or with a single one whose output is not right."""
    text = path.read_bytes().decode()
    asked = problem(problem_of(text))
    tests = [pb.CodeTest(stdin=given, stdout=expected) for given, expected in asked.tests]
    if wrong:
        test = min((test for test in tests if test.stdout), key=pb.CodeTest.ByteSize)
        test.stdout = test.stdout.rstrip() + "0\n"
        tests = [test]
    return pb.Item(
        id=name_of(path),
        code=pb.CodeTask(
            language=path.parent.name, program=text, tests=tests, checker=asked.checker
        ),
    )


def told(verdict: pb.Verdict) -> str:
    """What a person needs to know of a verdict."""
    shown = pb.Verdict()
    shown.CopyFrom(verdict)
    shown.ClearField("extracted")
    for result in shown.evidence.code.tests:
        for field in ("got", "input", "expected"):
            if field in result.DESCRIPTOR.fields_by_name:
                setattr(result, field, getattr(result, field)[:200])
    return f"{shown.id}: {shown}"


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[VerifierClient]:
    with VerifierClient(server.address) as client:
        yield client


@pytest.fixture(scope="module")
def languages(client: VerifierClient) -> frozenset[str]:
    """Those whose toolchain is here."""
    return frozenset(toolchain.language for toolchain in client.describe().toolchains)


def runs_here(path: Path, languages: frozenset[str]) -> bool:
    if path.parent.name not in languages:
        return False
    return b"numpy" not in path.read_bytes() or importlib.util.find_spec("numpy") is not None


class Verdicts:
    """Those of all programs of a language, by name, got when the first of them is asked for."""

    def __init__(self, client: VerifierClient, languages: frozenset[str]) -> None:
        self._client = client
        self._languages = languages
        self._right: dict[str, dict[str, pb.Verdict]] = {}

    def of(self, language: str) -> dict[str, pb.Verdict]:
        """Every program with all tests of its problem; huge ones go by few at a time."""
        if language not in self._right:
            here = self._here(language)
            huge = [path for path in here if problem_of(path.read_bytes().decode()) == "huge"]
            small = [path for path in here if path not in huge]
            groups = [
                small,
                *(huge[i : i + HUGE_AT_ONCE] for i in range(0, len(huge), HUGE_AT_ONCE)),
            ]
            found = [v for group in groups for v in self._client.verify(list(map(item, group)))]
            self._right[language] = {verdict.id: verdict for verdict in found}
        return self._right[language]

    def with_wrong_tests(self, language: str) -> list[pb.Verdict]:
        """Every program with one test whose expected output is not what it should give."""
        return self._client.verify([item(path, wrong=True) for path in self._here(language)])

    def _here(self, language: str) -> list[Path]:
        found = [path for path in programs() if path.parent.name == language]
        return [path for path in found if runs_here(path, self._languages)]


@pytest.fixture(scope="module")
def verdicts(client: VerifierClient, languages: frozenset[str]) -> Verdicts:
    return Verdicts(client, languages)


def _each() -> list[object]:
    return [
        pytest.param(
            path,
            id=name_of(path),
            marks=[pytest.mark.xfail(strict=True, reason=REJECTED[name_of(path)])]
            if name_of(path) in REJECTED
            else [],
        )
        for path in programs()
    ]


@pytest.mark.parametrize("path", _each())
def test_a_correct_program_is_accepted(
    path: Path, languages: frozenset[str], verdicts: Verdicts
) -> None:
    if not runs_here(path, languages):
        pytest.skip(f"{name_of(path)} cannot be run here")
    verdict = verdicts.of(path.parent.name)[name_of(path)]
    assert verdict.status == pb.Verdict.OK, told(verdict)
    assert verdict.reward == 1.0, told(verdict)


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_expected_output_is_noticed(
    language: str, languages: frozenset[str], verdicts: Verdicts
) -> None:
    if language not in languages:
        pytest.skip(f"{language} cannot be run here")
    found = [v for v in verdicts.with_wrong_tests(language) if v.id not in REJECTED]
    assert found
    for verdict in found:
        assert (verdict.status, verdict.reward) == (pb.Verdict.OK, 0.0), told(verdict)
        assert verdict.parts[0].reason == pb.Part.wrong_answer, told(verdict)


@pytest.mark.parametrize(("language", "count"), LANGUAGES.items())
def test_there_are_enough_programs(language: str, count: int) -> None:
    found = [path for path in programs() if path.parent.name == language]
    assert len(found) >= count
    texts = {path.read_bytes() for path in found}
    assert len(texts) == len(found)


def test_every_program_belongs_to_a_language_and_a_problem() -> None:
    for path in programs():
        assert path.parent.name in LANGUAGES
        assert problem_of(path.read_bytes().decode()) in MAKERS
