"""Test generation against an endpoint that speaks the real protocol, and a real sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sandbox.v1 import sandbox_pb2 as sb
from verifier import jsonl
from verifier.cli import app
from verifier.client import VerifierClient
from verifier.code.generation import inputs, programs, prompts
from verifier.code.generation.problem import Problem, read_problems
from verifier.code.generation.select import Candidate, outvoted, select
from verifier.code.generation.store import NotOurs, Store
from verifier.embedded import EmbeddedServer
from verifier.judge import client
from verifier.v1 import verifier_pb2 as pb

# ---- an OpenAI-compatible endpoint


@dataclass(frozen=True)
class Asked:
    """One request: which prompt, which sampling seed, and how many turns the user had."""

    kind: str
    seed: int
    turn: int
    messages: list[dict[str, str]]
    authorization: str


@dataclass(frozen=True)
class Refused:
    status: int


@dataclass(frozen=True)
class CutOff:
    text: str


@dataclass(frozen=True)
class Raw:
    body: bytes
    content_type: str = "application/json"


Reply = str | Refused | CutOff | Raw
Script = Callable[[Asked], Reply]

KINDS = {"You write": "generator", "You check": "validator", "Test cases": "wrong"}


@dataclass
class Endpoint:
    script: Script
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def kinds(self) -> list[str]:
        return sorted(one.kind for one in self.asked)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint(lambda asked: Refused(500))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            first = body["messages"][0]["content"]
            asked = Asked(
                KINDS.get(first[:9], KINDS.get(first[:10], "other")),
                body.get("seed", -1),
                sum(message["role"] == "user" for message in body["messages"]),
                body["messages"],
                self.headers["Authorization"],
            )
            state.asked.append(asked)
            self._send(state.script(asked) if self.path == "/v1/chat/completions" else Refused(404))

        def _send(self, reply: Reply) -> None:
            status, content_type = 200, "application/json"
            if isinstance(reply, Refused):
                status, body = reply.status, b'{"error": {"message": "not now"}}'
            elif isinstance(reply, Raw):
                content_type, body = reply.content_type, reply.body
            else:
                text = reply if isinstance(reply, str) else reply.text
                choice = {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop" if isinstance(reply, str) else "length",
                }
                usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
                head = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
                body = json.dumps(head | {"choices": [choice], "usage": usage}).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


# ---- a problem, and what a good model says of it

STATEMENT = "Given n (1 to 1000) and n integers from -1000 to 1000, print the largest sum of a run."
KADANE = """
n, values = int(input()), list(map(int, input().split()))
best = now = values[0]
for value in values[1:]:
    now = max(now, 0) + value
    best = max(best, now)
print(best)
"""
PREFIXES = """
import sys
n, *values = map(int, sys.stdin.read().split())
best, least, total = None, 0, 0
for value in values:
    total += value
    best = total - least if best is None else max(best, total - least)
    least = min(least, total)
print(best)
"""
STARTS_AT_ZERO = KADANE.replace("best = now = values[0]", "best = now = 0")
FORGETS_ONE = KADANE.replace("print(best)", "print(best if n > 1 else 0)")
WHOLE = "input()\nprint(sum(map(int, input().split())))\n"
OFF_AT_FULL_LENGTH = KADANE.replace("print(best)", "print(best + (n % 7 == 3))")

GENERATOR = """
import json, random, sys
asked = json.loads(sys.stdin.readline())
random.seed(asked["seed"])
longest = {"small": 3, "edge": 12, "random": 40, "large": 1000}[asked["size"]]
made = []
for place in range(asked["count"]):
    n = random.randint(max(1, longest // 2), longest)
    low, high = [(-9, 9), (-1000, -1), (0, 0), (1, 5)][place % 4]
    if asked["size"] == "small" and place == 0:
        n = 1
    made.append(f"{n}\\n{' '.join(str(random.randint(low, high)) for _ in range(n))}\\n")
print(json.dumps(made))
"""
VALIDATOR = """
import sys
words = sys.stdin.read().split()
n, values = int(words[0]), [int(word) for word in words[1:]]
if not 1 <= n <= 1000:
    print("INVALID: n")
elif len(values) != n:
    print("INVALID: count")
elif any(abs(value) > 1000 for value in values):
    print("INVALID: range")
else:
    print("VALID")
"""


def fenced(program: str, tag: str = "python") -> str:
    return (
        f"Some thoughts first.\n\n```python\nprint('an aside')\n```\n\n```{tag}\n{program}\n```\n"
    )


def good(asked: Asked) -> Reply:
    return fenced({"generator": GENERATOR, "validator": VALIDATOR, "wrong": WHOLE}[asked.kind])


def problem(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": "run",
        "prompt": STATEMENT,
        "language": "python",
        "solutions": [KADANE, PREFIXES],
    }
    return given | changes


@dataclass(frozen=True)
class Run:
    exit_code: int
    items: list[pb.Item]
    figures: dict[str, Any]
    said: str


Generate = Callable[..., Run]


@pytest.fixture(scope="module")
def sandbox_service() -> Iterator[str]:
    """The address of a sandbox that all these tests share."""
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2].rstrip(",")
        process.terminate()


@pytest.fixture
def generate(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox_service: str
) -> Generate:
    """The command on some problems; `--output` stays the same for a test."""
    endpoint.script = good
    monkeypatch.setattr(inputs, "ROUNDS", 1)
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(
        *problems: dict[str, Any],
        options: Sequence[str] = (),
        url: str = "",
        sandbox: str = sandbox_service,
    ) -> Run:
        given, made = tmp_path / "problems.jsonl", tmp_path / "items.jsonl"
        given.write_text("".join(json.dumps(one) + "\n" for one in problems))
        common = ["--input", str(given), "--output", str(made), "--judge", url or endpoint.url]
        common += ["--model", "m", "--sandbox", sandbox]
        result = CliRunner().invoke(app, ["generate-tests", *common, *options])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        read = list(jsonl.read_items(made.open("rb"))) if made.exists() else []
        items = [one for one in read if isinstance(one, pb.Item)]
        assert len(items) == len(read)
        last = result.stdout.splitlines()[-1:] or ["{}"]
        return Run(result.exit_code, items, json.loads(last[0]), " ".join(result.stderr.split()))

    return run


def rewards(server: EmbeddedServer, item: pb.Item, responses: Sequence[str]) -> list[float]:
    """What the real verifier makes of programs on a generated item."""
    items = []
    for response in responses:
        answered = pb.Item()
        answered.CopyFrom(item)
        answered.response = f"<think>Well.</think>\n```{item.code.language}\n{response}```"
        items.append(answered)
    with VerifierClient(server.address) as client:
        verdicts = client.verify(items)
    assert all(verdict.status == pb.Verdict.OK for verdict in verdicts)
    return [verdict.reward for verdict in verdicts]


# ---- the whole way


def test_kept_tests_accept_what_is_right_and_reject_what_is_wrong(
    generate: Generate, endpoint: Endpoint, server: EmbeddedServer
) -> None:
    wrong = [STARTS_AT_ZERO, FORGETS_ONE, WHOLE, KADANE]
    run = generate(problem(wrong=wrong), options=["--tests", "8"], sandbox="embedded")
    assert run.exit_code == 0, run.said
    [item] = run.items
    assert len(item.code.tests) == 8
    assert item.response == ""
    assert item.prompt == STATEMENT
    assert rewards(server, item, [KADANE, PREFIXES, *wrong]) == [1, 1, 0, 0, 0, 1]
    # The one that is not wrong is named.
    assert json.loads(item.meta["uncaught_wrong"]) == [3]
    assert "3 of 4 wrong solutions caught; NOT CAUGHT: wrong[3]" in run.said
    assert endpoint.kinds() == ["generator"] * 3 + ["validator"]
    assert item.meta["prompt_version"] == prompts.VERSION
    assert item.meta["judge_model"] == "m"
    assert len(item.meta["generators"].split()) == 1  # all three were the same
    assert json.loads(item.meta["counts"])["inputs"] > 40
    assert (run.figures["written"], run.figures["tests"]) == (1, 8)
    assert run.figures["completion_tokens"] == 4 * 7


def test_calls(generate: Generate, endpoint: Endpoint, server: EmbeddedServer) -> None:
    right = "def top(values, k):\n    return sorted(values, reverse=True)[:k]\n"
    also = "class Solution:\n    def top(self, values, k):\n        return nlargest(k, values)\n"
    wrong = "def top(values, k):\n    return sorted(set(values), reverse=True)[:k]\n"
    generator = (
        "import json, random\nasked = json.loads(input())\nrandom.seed(asked['seed'])\n"
        "print(json.dumps([[[random.randint(0, 9) for _ in range(i + 1)], i]"
        " for i in range(asked['count'])]))\n"
    )
    validator = (
        "import json\nvalues, k = json.loads(input())\n"
        "print('VALID' if 0 <= k <= len(values) else 'INVALID: k')\n"
    )
    said = {"generator": fenced(generator), "validator": fenced(validator)}
    endpoint.script = lambda asked: said[asked.kind]
    given = problem(solutions=[right, also], wrong=[wrong], entry_point="top")
    run = generate(given, options=["--tests", "10"])
    assert run.exit_code == 0, run.said
    [item] = run.items
    assert item.code.entry_point == "top"
    assert all(len(test.args_json) == 2 and test.expected_json for test in item.code.tests)
    assert rewards(server, item, [right, also, wrong]) == [1, 1, 0]
    assert "`top`" in endpoint.asked[0].messages[0]["content"]


def test_a_subtly_wrong_reference_stands_alone(generate: Generate, server: EmbeddedServer) -> None:
    run = generate(problem(solutions=[KADANE, OFF_AT_FULL_LENGTH, PREFIXES]))
    [item] = run.items
    suspects = json.loads(item.meta["suspect_solutions"])
    assert list(suspects) == ["1"]
    assert json.loads(item.meta["counts"])["dropped"]["disagrees"] == suspects["1"] > 0
    assert "SUSPECT: solutions[1]" in run.said
    # What was disputed is no test.
    assert all(int(test.stdin.split()[0]) % 7 != 3 for test in item.code.tests)


def test_of_solutions_that_disagree_on_most_inputs_nothing_is_written(generate: Generate) -> None:
    often = KADANE.replace("print(best)", "print(best if n < 3 else 0)")
    run = generate(problem(solutions=[KADANE, often, PREFIXES]), problem(id="second"))
    assert run.exit_code == 1
    assert [item.id for item in run.items] == ["second"]
    assert "run: NOT WRITTEN: the solutions disagree on " in run.said
    assert "; solutions[1] stood alone on " in run.said
    assert run.figures["without_tests"] == 1
    assert run.figures["dropped"]["disagrees"] > 0


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import random\nprint(random.random())", "nondeterministic"),
        ("raise SystemExit(3)", "runtime_error"),
        ("pass", "empty"),
        ("while True: pass", "cpu_limit"),
        (f"import time\nwhile time.process_time() < 0.08: pass\n{KADANE}", "near_limit"),
    ],
    ids=["random", "crash", "silent", "endless", "slow"],
)
def test_inputs_that_a_solution_fails_on_are_dropped(
    generate: Generate, program: str, reason: str
) -> None:
    given = problem(solutions=[program, KADANE], limits={"cpu_seconds": 0.14})
    run = generate(given, options=["--generators", "1", "--tests", "5"])
    assert run.exit_code == 1
    assert not run.items
    assert run.figures["dropped"][reason] > 0


def test_a_solution_that_does_not_compile(generate: Generate) -> None:
    run = generate(problem(solutions=[KADANE, "print(("]))
    assert run.exit_code == 1
    assert "NOT WRITTEN: solutions[1] does not compile" in run.said


def test_one_solution_must_be_allowed(generate: Generate) -> None:
    run = generate(problem(solutions=[KADANE]))
    assert run.exit_code == 1
    assert "line 1: solutions: at least 2, got 1; one is enough with --allow-one" in run.said
    assert run.figures["bad_lines"] == 1
    run = generate(problem(solutions=[KADANE]), options=["--allow-one"])
    assert run.exit_code == 0, run.said
    assert run.items[0].meta["solutions"] == "1"


def test_the_model_writes_wrong_solutions(
    generate: Generate, endpoint: Endpoint, server: EmbeddedServer
) -> None:
    written = [FORGETS_ONE, KADANE, "print((", WHOLE]

    def script(asked: Asked) -> Reply:
        if asked.kind != "wrong":
            return good(asked)
        return fenced(written[asked.seed - 4]) if asked.seed < 8 else Refused(500)

    endpoint.script = script
    run = generate(problem(), options=["--wrong", "5", "--tests", "6"])
    assert run.exit_code == 1  # an endpoint that fails is no answer
    run = generate(problem(), options=["--wrong", "4", "--tests", "6"])
    assert run.exit_code == 0, run.said
    assert (run.figures["wrong"], run.figures["wrong_not_wrong"]) == (2, 2)
    assert "2 of the model's wrong solutions were not wrong" in run.said
    assert rewards(server, run.items[0], [KADANE, FORGETS_ONE, WHOLE]) == [1, 0, 0]


def test_other_languages(generate: Generate, endpoint: Endpoint, server: EmbeddedServer) -> None:
    echo = '#include <cstdio>\nint main(){long n,s=0,x;scanf("%ld",&n);\nwhile(n--){scanf("%ld",&x);s+=x;}\nprintf("%ld\\n",s);}\n'
    short = echo.replace("long n,s=0,x", "long n,x; signed char s=0").replace(
        '%ld\\n",s', '%d\\n",s'
    )
    run = generate(problem(language="cpp", solutions=[echo, echo + "\n"], wrong=[short]))
    if "cannot be run here" in run.said or "code.language: one of" in run.said:
        pytest.skip("no C++ compiler")
    assert run.exit_code == 0, run.said
    assert rewards(server, run.items[0], [echo, short]) == [1, 0]


def test_checkers(generate: Generate, server: EmbeddedServer) -> None:
    forwards = "n = int(input())\nfor value in input().split(): print(value)\n"
    backwards = forwards.replace("input().split()", "reversed(input().split())")
    solutions = {"solutions": [forwards, backwards]}
    options = ["--generators", "1", "--tests", "5"]
    assert generate(problem(**solutions), options=options).exit_code == 1
    run = generate(problem(**solutions), options=[*options, "--checker", "unordered_lines"])
    assert run.exit_code == 0, run.said
    assert run.items[0].code.checker == "unordered_lines"
    assert rewards(server, run.items[0], [forwards, backwards, "print(0)\n"]) == [1, 1, 0]
    checker = {
        "protocol": "KATTIS",
        "language": "python",
        "source": "import sys\nn = int(open(sys.argv[1]).readline())\n"
        "sys.exit(42 if int(sys.stdin.read()) <= n else 43)\n",
    }
    either = {"id": "any", "solutions": ["print(int(input()) - 1)", "print(int(input()))"]}
    options += ["--checker", "exact"]  # for problems that have none
    run = generate(problem(**either, checker_program=checker), options=options)
    assert run.exit_code == 0, run.said
    assert rewards(server, run.items[1], ["print(-1)\n", "print(10**6)\n"]) == [1, 0]


# ---- what models do


def test_a_broken_generator_is_repaired_once(generate: Generate, endpoint: Endpoint) -> None:
    broken = GENERATOR.replace("print(json.dumps(made))", "print(json.dumps(maid))")

    def script(asked: Asked) -> Reply:
        return fenced(broken) if asked.kind == "generator" and asked.turn == 1 else good(asked)

    endpoint.script = script
    run = generate(problem(), options=["--generators", "1"])
    assert run.exit_code == 0, run.said
    assert (run.figures["programs_repaired"], run.figures["generators_broken"]) == (1, 0)
    shown = endpoint.asked[1].messages
    assert [message["role"] for message in shown] == ["user", "assistant", "user"]
    assert "NameError: name 'maid' is not defined" in shown[2]["content"]


@pytest.mark.parametrize(
    "reply",
    [
        "I am afraid I cannot help with that.",
        CutOff(fenced(GENERATOR)),
        fenced("print('[1, 2'"),
        fenced("print([1, 2])"),
        fenced("print('{}')"),
        fenced("print([])"),
        fenced("print('[' * 100000)"),
        fenced("print(b'\\xff\\xfe')"),
        fenced("import json\nprint(json.dumps(['\\ud800']))"),
        fenced("while True: print('[' * 4096)"),
        fenced("import os\nwhile True: os.fork()"),
        fenced("import time\ntime.sleep(1000)"),
        fenced("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"),
        fenced("x = [0]\nwhile True: x = x + x"),
    ],
    ids=[
        "refusal", "cut off", "syntax", "no strings", "no list", "empty", "nested", "no text",
        "surrogate", "flood", "fork bomb", "sleep", "kill", "memory",
    ],
)  # fmt: skip
def test_a_useless_or_hostile_generator_does_not_matter(
    generate: Generate, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    limits = sb.Limits(cpu_seconds=0.5, wall_seconds=1, output_bytes=1 << 20)
    monkeypatch.setattr(programs, "HELPER_LIMITS", limits)

    def script(asked: Asked) -> Reply:
        return reply if asked.kind == "generator" and asked.seed == 1 else good(asked)

    endpoint.script = script
    run = generate(problem(), options=["--generators", "2", "--tests", "6"])
    assert run.exit_code == 0, run.said
    assert run.figures["generators_broken"] == 1
    assert len(run.items[0].code.tests) == 6
    repairs = sum(asked.turn == 2 for asked in endpoint.asked)
    assert repairs == (0 if isinstance(reply, CutOff) else 1)


def test_a_generator_sees_no_files_of_ours(
    generate: Generate, endpoint: Endpoint, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    spy = f"import json\nprint(json.dumps([open({str(secret)!r}).read()] * 9))"
    endpoint.script = lambda asked: fenced(spy) if asked.kind == "generator" else good(asked)
    run = generate(problem())
    assert run.exit_code == 1
    assert "NOT WRITTEN: no generator gave any input" in run.said
    told = [m["content"] for asked in endpoint.asked for m in asked.messages if asked.turn == 2]
    assert any("FileNotFoundError" in text or "PermissionError" in text for text in told)
    assert not any("the secret" in text for text in told)


def test_invalid_inputs_are_dropped(generate: Generate, endpoint: Endpoint) -> None:
    careless = GENERATOR.replace("made.append(f", "n += place % 2\n    made.append(f").replace(
        "for _ in range(n)", "for _ in range(n - place % 2)"
    )
    endpoint.script = lambda a: fenced(careless) if a.kind == "generator" else good(a)
    run = generate(problem())
    assert run.exit_code == 0, run.said
    assert run.figures["dropped"]["invalid"] > 0
    for test in run.items[0].code.tests:
        assert int(test.stdin.split()[0]) == len(test.stdin.split()) - 1


@pytest.mark.parametrize(
    "validator",
    ["print('INVALID: never good enough')", "raise ValueError", "print('fine')"],
    ids=["rejects all", "crashes", "babbles"],
)
def test_a_bad_validator_is_repaired(
    generate: Generate, endpoint: Endpoint, validator: str
) -> None:
    def script(asked: Asked) -> Reply:
        bad = asked.kind == "validator" and asked.turn == 1
        return fenced(validator) if bad else good(asked)

    endpoint.script = script
    run = generate(problem())
    assert run.exit_code == 0, run.said
    assert run.figures["programs_repaired"] == 1
    assert run.items[0].meta["validator"] != "none"


def test_without_a_validator_agreement_alone_decides_and_that_is_said(
    generate: Generate, endpoint: Endpoint
) -> None:
    endpoint.script = lambda a: "No." if a.kind == "validator" else good(a)
    run = generate(problem())
    assert run.exit_code == 0, run.said
    assert run.items[0].meta["validator"] == "none"
    assert "no validator" in run.said


def test_a_validator_that_rejects_everything_twice_is_believed(
    generate: Generate, endpoint: Endpoint
) -> None:
    endpoint.script = lambda a: fenced("print('INVALID: n')") if a.kind == "validator" else good(a)
    run = generate(problem())
    assert run.exit_code == 1
    assert "0 are valid (dropped:" in run.said
    assert not run.items


# ---- endpoints, files, going on


def test_a_busy_endpoint_is_asked_again(generate: Generate, endpoint: Endpoint) -> None:
    seen: set[tuple[str, int]] = set()

    def script(asked: Asked) -> Reply:
        first = (asked.kind, asked.seed) not in seen
        seen.add((asked.kind, asked.seed))
        return Refused(429) if first else good(asked)

    endpoint.script = script
    run = generate(problem())
    assert run.exit_code == 0, run.said
    assert len(endpoint.asked) == 2 * 4


def test_an_endpoint_that_fails_is_not_asked_for_ever(
    generate: Generate, endpoint: Endpoint
) -> None:
    endpoint.script = lambda asked: Refused(401)
    many = [problem(id=f"p{n}") for n in range(40)]
    run = generate(*many, options=["--at-once", "2", "--generators", "1"])
    assert run.exit_code == 1
    assert run.figures["failed"] + run.figures["not_tried"] == 40
    assert run.figures["not_tried"] > 30
    assert f"{endpoint.url}: refused, status 401, 1 attempt: " in run.said
    endpoint.script = good
    run = generate(*many[:2])
    assert run.exit_code == 0, run.said


def test_nobody_there(generate: Generate) -> None:
    run = generate(problem(), url="http://127.0.0.1:9/v1")
    assert run.exit_code == 1
    assert "http://127.0.0.1:9/v1: server, " in run.said
    assert "ConnectError: All connection attempts failed" in run.said
    assert run.figures["failed"] == 1


def test_what_is_there_is_not_done_again(
    generate: Generate, endpoint: Endpoint, tmp_path: Path
) -> None:
    made = tmp_path / "items.jsonl"
    generate(problem())
    first = made.read_bytes()
    calls = len(endpoint.asked)
    # A run that was killed in the middle of a line.
    made.write_bytes(first + b'{"id": "second", "prompt": "Given n (1 t')
    run = generate(problem(), problem(id="second"))
    assert run.exit_code == 0, run.said
    assert "removed a half-written last line" in run.said
    assert [item.id for item in run.items] == ["run", "second"]
    assert made.read_bytes().startswith(first)
    assert (run.figures["already_there"], run.figures["written"]) == (1, 1)
    assert len(endpoint.asked) == 2 * calls


def test_the_same_again_from_the_cache(
    generate: Generate, endpoint: Endpoint, tmp_path: Path
) -> None:
    made, cache = tmp_path / "items.jsonl", tmp_path / "answers.sqlite"
    options = ["--cache", str(cache), "--wrong", "1"]
    generate(problem(), options=options)
    first, calls = made.read_bytes(), len(endpoint.asked)
    made.unlink()
    run = generate(problem(), options=options)
    assert made.read_bytes() == first
    assert len(endpoint.asked) == calls
    assert (run.figures["model_calls"], run.figures["cached_calls"]) == (0, calls)
    notes = tmp_path / "notes.txt"
    notes.write_text("Some notes of mine, and no database." * 100)
    run = generate(problem(id="other"), options=["--cache", str(notes)])
    assert (run.exit_code, "notes.txt: file is not a database" in run.said) == (2, True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"wrongs": []}, "line 1: no such field: 'wrongs'"),
        ({"language": "cobol"}, "code.language: one of"),
        ({"checker": "vibes"}, "code.checker: one of"),
        ({"limits": {"cpu": 3}}, 'line 1: Failed to parse limits field: Message type "verifier'),
        ({"solutions": [KADANE, 3]}, "line 1: solutions: a list of programs is wanted"),
        ({"id": ""}, "line 1: id: a text that is not empty is required"),
        ({"prompt": "\ud800"}, "line 1: 'utf-8' codec can't encode"),
    ],
    ids=["field", "language", "checker", "limit", "solution", "id", "surrogate"],
)
def test_bad_problems_are_refused_before_any_work(
    generate: Generate, endpoint: Endpoint, changes: dict[str, Any], why: str
) -> None:
    run = generate(problem(**changes))
    assert run.exit_code == 1
    assert why in run.said
    assert not endpoint.asked


def test_bad_options(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    run = generate(problem(), options=["--api-key-env", "NO_SUCH_KEY"])
    assert (run.exit_code, "NO_SUCH_KEY is to hold the key" in run.said) == (2, True)
    run = generate(problem(), options=["--tests", "3"])
    assert (run.exit_code, "--tests: at least --min-tests, 5, got 3" in run.said) == (2, True)
    notes = tmp_path / "items.jsonl"
    notes.write_text("some notes of mine")
    run_app = CliRunner().invoke(
        app,
        [
            "generate-tests", "--input", str(tmp_path / "problems.jsonl"),
            "--output", str(notes), "--judge", endpoint.url, "--model", "m",
        ],
    )  # fmt: skip
    assert run_app.exit_code == 2
    assert notes.read_text() == "some notes of mine"
    notes.unlink()
    monkeypatch.setenv("SOME_KEY", "sesame")
    generate(problem(), options=["--api-key-env", "SOME_KEY", "--generators", "1"])
    assert {asked.authorization for asked in endpoint.asked} == {"Bearer sesame"}


# ---- the pieces


CANDIDATES = st.lists(
    st.builds(Candidate, st.integers(1, 5000), st.frozensets(st.integers(0, 6), max_size=4)),
    max_size=40,
)


@given(CANDIDATES, st.integers(0, 30), st.integers(0, 60_000))
def test_selection_keeps_within_its_bounds(
    candidates: list[Candidate], most: int, most_bytes: int
) -> None:
    kept = select(candidates, most, most_bytes)
    assert len(set(kept)) == len(kept) <= most
    assert sum(candidates[place].size for place in kept) <= most_bytes
    assert kept == select(candidates, most, most_bytes)


@given(CANDIDATES, st.integers(7, 30))
def test_selection_catches_every_wrong_solution_that_can_be_caught(
    candidates: list[Candidate], most: int
) -> None:
    kept = select(candidates, most, 10**9)  # seven wrong solutions: seven tests always suffice
    caught = frozenset[int]().union(*(candidates[place].fails for place in kept))
    assert caught == frozenset[int]().union(*(one.fails for one in candidates))
    assert len(kept) == min(most, len(candidates))


@given(st.lists(st.integers(1, 5000), max_size=40), st.integers(1, 13))
def test_selection_takes_every_size(sizes: list[int], most: int) -> None:
    kept = select([Candidate(size, frozenset()) for size in sizes], most, 10**9)
    all_buckets = {size.bit_length() for size in sizes}
    assert len({sizes[place].bit_length() for place in kept}) == min(most, len(all_buckets))


@given(CANDIDATES)
def test_selection_begins_with_the_cover(candidates: list[Candidate]) -> None:
    kept = select(candidates, 40, 10**9)
    caught: frozenset[int] = frozenset()
    goal = frozenset[int]().union(*(one.fails for one in candidates))
    for place in kept:
        if caught == goal:
            break
        gain = len(candidates[place].fails - caught)
        assert gain == max(len(one.fails - caught) for one in candidates) > 0
        caught |= candidates[place].fails


@pytest.mark.parametrize(
    ("agrees", "alone"),
    [
        ([], None),
        ([True], None),
        ([False], None),
        ([True, True], None),
        ([True, False], 2),
        ([False, True], 1),
        ([False, False], 0),
        ([False, False, True], None),
    ],
)
def test_outvoted(agrees: list[bool], alone: int | None) -> None:
    assert outvoted(agrees) == alone


@given(st.lists(st.lists(st.text(max_size=5), max_size=5), max_size=5))
def test_gathering_takes_each_input_once(runs: list[list[str]]) -> None:
    kept, dropped = inputs.gather(runs)
    assert {text.rstrip() for text in kept} == {text.rstrip() for run in runs for text in run}
    assert len(kept) + dropped["duplicate"] == sum(map(len, runs))


def test_gathering_is_bounded_and_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_TOTAL_BYTES", 40)
    monkeypatch.setattr(inputs, "MAX_INPUT_BYTES", 20)
    long, late = [f"{n:010}" for n in range(9)], ["late"]
    kept, dropped = inputs.gather([long, late, ["x" * 21]])
    assert kept == [long[0], "late", long[1], long[2]]
    assert dropped == {"too_large": 1, "over_budget": 6}


def test_parsing_takes_so_many_inputs_and_no_more() -> None:
    printed = json.dumps([str(n) for n in range(1000)]).encode()
    assert len(inputs.parse(printed, calls=False)) == inputs.MAX_INPUTS_PER_RUN
    assert inputs.parse(b'[[1, "a", null]]', calls=True) == ['[1, "a", null]']
    with pytest.raises(ValueError, match="element 1 of its list cannot be used"):
        inputs.parse(b"[[1], [NaN]]", calls=True)


def test_hints_differ_and_ask_for_enough() -> None:
    asked = [
        json.loads(hint)
        for place in range(3)
        for hint in inputs.hints(seed=3, place=place, generators=3, tests=20)
    ]
    assert [one["seed"] for one in asked] == list(range(3, 27))
    assert {one["size"] for one in asked} == set(inputs.SIZES)
    assert sum(one["count"] for one in asked) >= 100


@given(st.lists(st.integers(0, 40_000_000), max_size=60))
def test_chunks_are_all_of_it_in_order_and_bounded(sizes: list[int]) -> None:
    parts = [sizes[part] for part in programs.chunks(sizes)]
    assert [size for part in parts for size in part] == sizes
    for part in parts:
        assert 1 <= len(part) <= programs.CHUNK_RUNS
        assert len(part) == 1 or sum(part) <= programs.CHUNK_BYTES


def test_statements_are_not_templates() -> None:
    line = json.dumps(problem(prompt="Print {{solution}} and {0} and {{nothing}}.")).encode()
    [read] = read_problems([line], 2)
    assert isinstance(read, Problem)
    for about in (prompts.generator, prompts.validator, prompts.wrong):
        [message] = about(read)
        assert "Print {{solution}} and {0} and {{nothing}}." in message.content
        assert KADANE.strip() in message.content


def test_ids_are_unique() -> None:
    line = json.dumps(problem()).encode()
    one, other = read_problems([line, b"", line], 2)
    assert isinstance(one, Problem)
    assert not isinstance(other, Problem)
    assert other.message == "line 3: id: another problem is called 'run' too"


@pytest.mark.parametrize("cut", [1, 4, 20, -1])
def test_a_store_survives_being_cut_anywhere(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "items"
    with Store(path) as store:
        store.write(pb.Item(id="a", prompt="x"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole.replace(b'"a"', b'"b"')[:cut])
    with Store(path) as store:
        complete = cut == -1  # only the line's end is missing
        assert store.ids == ({"a", "b"} if complete else {"a"})
        assert store.repaired is not complete
        store.write(pb.Item(id="c"))
    with Store(path) as store:
        assert store.ids == ({"a", "b", "c"} if complete else {"a", "c"})


@pytest.mark.parametrize(
    "content", [b"notes", b'{"id": "a"}\n# notes\n', b'{"name": 3}\n', b"\xff"]
)
def test_a_store_leaves_what_is_not_its_own(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "items"
    path.write_bytes(content)
    with pytest.raises(NotOurs), Store(path):
        pass
    assert path.read_bytes() == content
