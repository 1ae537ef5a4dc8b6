"""How tests are run: in groups, in an order that is learned, all of them, or up to a failure;
speed, probes, lint and the ladder over a real server."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from itertools import count

import pytest

from sandbox.v1 import sandbox_pb2 as sb
from verifier.client import VerifierClient
from verifier.code import probe, speed
from verifier.code.grading import groups
from verifier.code.verify import CodeVerifier, Submission
from verifier.embedded import EmbeddedServer
from verifier.v1 import verifier_pb2 as pb

pytestmark = pytest.mark.alone

Reason = pb.Part.Reason
NUMBERS = count()


@pytest.fixture(scope="module")
def client(server: EmbeddedServer) -> Iterator[VerifierClient]:
    with VerifierClient(server.address) as one:
        yield one


def stdio(program: str, size: int = 4, **fields: object) -> pb.Item:
    """Doubles a number; no two programs of this module are equal."""
    tests = [pb.CodeTest(stdin=str(n), stdout=str(2 * n)) for n in range(size)]
    program = f"{program}\n# {next(NUMBERS)}\n"
    return pb.Item(code=pb.CodeTask(language="python", program=program, tests=tests, **fields))


def reasons(verdict: pb.Verdict) -> list[str]:
    return [Reason.Name(test.reason) for test in verdict.evidence.code.tests]


def test_groups_grow_and_lose_nothing() -> None:
    places = list(range(100))
    sizes = [len(group) for group in groups(places, True)]
    assert sizes[:3] == [1, 4, 16]
    assert [place for group in groups(places, True) for place in group] == places
    assert list(groups(places, False)) == [places]
    assert list(groups([], True)) == []


def test_stops_at_the_first_failure_or_runs_all(client: VerifierClient) -> None:
    wrong = "n = int(input())\nprint(2 * n if n != 1 else 7)"
    stopped, everything, fraction = client.verify(
        [stdio(wrong), stdio(wrong, run_all=True), stdio(wrong, scoring=pb.CodeTask.FRACTION)]
    )
    assert reasons(stopped) == ["accepted", "wrong_answer", "not_run", "not_run"]
    assert reasons(everything) == ["accepted", "wrong_answer", "accepted", "accepted"]
    assert (stopped.reward, everything.reward, fraction.reward) == (0, 0, 0.75)


def test_evidence_shows_input_expected_and_got(client: VerifierClient) -> None:
    item = stdio("print(7)", size=1)
    item.code.tests.add(stdin="5", stdout="10", hidden=True)
    item.code.run_all = True
    shown, hidden = client.verify([item])[0].evidence.code.tests
    assert (shown.input, shown.expected, shown.got) == ("0", "0", "7\n")
    assert (hidden.input, hidden.expected, hidden.got) == ("", "", "")


class Failing:
    """A sandbox in which every program fails the inputs that hold `fatal`."""

    def __init__(self, fatal: bytes) -> None:
        self.fatal = fatal
        self.inputs: list[bytes] = []

    async def run(self, request: sb.RunRequest) -> sb.RunResult:
        self.inputs += request.inputs.stdin
        outcomes = [
            sb.Outcome(
                ending=sb.Outcome.EXITED, exit_code=0, stdout=b"no" if text == self.fatal else text
            )
            for text in request.inputs.stdin
        ]
        return sb.RunResult(status=sb.RunResult.OK, outcomes=outcomes)

    async def describe(self) -> sb.DescribeResponse:
        return sb.DescribeResponse()

    async def close(self) -> None:
        """Nothing to end."""


async def test_the_test_that_others_failed_comes_first() -> None:
    sandbox = Failing(b"7")
    verifier = CodeVerifier(sandbox)
    task = pb.CodeTask(
        language="python",
        tests=[pb.CodeTest(stdin=str(n), stdout=str(n)) for n in range(10)],
        order=pb.CodeTask.LIKELY_FAILURE_FIRST,
    )
    asked = []
    for number in range(3):
        task.program = f"# {number}"
        sandbox.inputs.clear()
        outcome = await verifier.verify(Submission(task, ""))
        assert outcome.score == 0
        asked.append(list(sandbox.inputs))
    assert b"7" in asked[0]
    assert asked[1] == asked[2] == [b"7"]
    task.order = pb.CodeTask.AS_GIVEN
    sandbox.inputs.clear()
    await verifier.verify(Submission(task, ""))
    assert sandbox.inputs[0] == b"0"


# ---- speed

SLOW = "n = int(input())\nfor _ in range(400_000): pass\nprint(2 * n)"
FAST = "n = int(input())\nfor _ in range(20_000): pass\nprint(2 * n)"
RECIPE = pb.Recipe(parts=[pb.RecipePart(name="accuracy"), pb.RecipePart(name="speed", weight=0.5)])


def test_the_faster_of_two_correct_programs_is_preferred(client: VerifierClient) -> None:
    slow, fast, wrong = (stdio(p, reference_program=SLOW) for p in (SLOW, FAST, "print(1)"))
    for item in (slow, fast, wrong):
        item.inline_recipe.CopyFrom(RECIPE)
    found_slow, found_fast, found_wrong = client.verify([slow, fast, wrong])
    for verdict in (found_slow, found_fast):
        assert (verdict.status, verdict.parts[0].score) == (pb.Verdict.OK, 1.0), verdict
        assert verdict.parts[1].reason == pb.Part.measured
    assert found_fast.parts[1].score > found_slow.parts[1].score
    assert 0.35 < found_slow.parts[1].score < 0.65
    assert found_fast.reward == 1 + 0.5 * found_fast.parts[1].score
    assert (found_wrong.reward, found_wrong.parts[1].reason) == (0, pb.Part.not_accepted)


def test_speed_of_functions(client: VerifierClient) -> None:
    task = pb.CodeTask(
        language="python",
        program="def f(n): return n * (n - 1) // 2",
        reference_program="def f(n): return sum(range(n))",
        entry_point="f",
        tests=[pb.CodeTest(args_json=["300000"], expected_json="44999850000")],
    )
    verdict = client.verify([pb.Item(code=task, inline_recipe=RECIPE)])[0]
    assert verdict.parts[1].score > 0.6, verdict


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("def (", "code.reference_program: does not compile"),
        ("print(0)", "code.reference_program: is not right on test 3"),
        ("1 / 0", "code.reference_program: is not right on test 3"),
    ],
)
def test_a_reference_that_fails_is_the_items_fault(
    client: VerifierClient, reference: str, message: str
) -> None:
    item = stdio("print(2 * int(input()))", reference_program=reference)
    item.inline_recipe.CopyFrom(RECIPE)
    verdict = client.verify([item])[0]
    assert verdict.status == pb.Verdict.INVALID
    assert not verdict.HasField("reward")
    assert message.split(" on test")[0] in verdict.evidence.message


@pytest.mark.parametrize(
    "program",
    [
        "import os\nif os.getpid() % 5 == 0: os._exit(0)\n" + SLOW,
        "import random\nif random.random() < 0.3: raise SystemExit(0)\n" + SLOW,
    ],
)
def test_a_round_that_does_nothing_earns_nothing(client: VerifierClient, program: str) -> None:
    items = [stdio(program, size=1, reference_program=SLOW) for _ in range(4)]
    for item in items:
        item.inline_recipe.CopyFrom(RECIPE)
    for verdict in client.verify(items):
        assert verdict.parts[1].score < 0.75, verdict


def test_work_that_nobody_waited_for_counts(client: VerifierClient) -> None:
    hidden = (
        "import os, signal, sys, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "r, w = os.pipe()\nif os.fork() == 0:\n    os.close(r)\n"
        "    n = int(input())\n    for _ in range(4_000_000): pass\n"
        "    print(2 * n, flush=True)\n    os._exit(0)\n"
        "os.close(w)\nos.read(r, 1)\ntime.sleep(0.02)\nos._exit(0)"
    )
    item = stdio(hidden, size=1, reference_program=SLOW)
    item.inline_recipe.CopyFrom(RECIPE)
    verdict = client.verify([item])[0]
    assert verdict.parts[0].score == 1.0, verdict
    assert verdict.parts[1].score < 0.4, verdict


def test_the_speed_part_needs_a_reference(client: VerifierClient) -> None:
    item = stdio("print(2 * int(input()))")
    item.inline_recipe.CopyFrom(RECIPE)
    verdict = client.verify([item])[0]
    assert verdict.status == pb.Verdict.INVALID
    assert "code.reference_program: required by the speed part" in verdict.evidence.message


def test_speed_scores() -> None:
    assert speed.score(1, 1) == 0.5
    assert speed.score(0, 0) == 0
    assert 0 < speed.score(1e6, 1) < speed.score(2, 1) < speed.score(1, 2) < 1


# ---- the ladder


@pytest.mark.parametrize(
    ("language", "response", "score"),
    [
        ("python", "I cannot.", 0.0),
        ("python", "```java\nclass A {}\n```", 0.1),
        ("python", "```python\nprint(\n```", 0.1),
        ("python", "```python\nprint(5)\n```", 0.2),
        ("python", "```python\nprint(4)\n```", 1.0),
        ("cpp", "```cpp\nint main( {\n```", 0.1),
        ("javascript", "```js\nconsole.log(\n```", 0.1),
        ("javascript", "```js\nconsole.log(5)\n```", 0.2),
        ("php", "```php\n<?php echo (;\n```", 0.1),
        ("bash", "```bash\nif then fi (\n```", 0.1),
    ],
)
def test_the_ladder(client: VerifierClient, language: str, response: str, score: float) -> None:
    known = {toolchain.language for toolchain in client.describe().toolchains}
    if language not in known:
        pytest.skip(f"no toolchain for {language}")
    task = pb.CodeTask(
        language=language, tests=[pb.CodeTest(stdout="4")], scoring=pb.CodeTask.LADDER
    )
    verdict = client.verify([pb.Item(response=response, code=task)])[0]
    assert verdict.reward == score, verdict
    signals = verdict.evidence.code.signals
    if response.startswith("```") and language not in ("java", "cpp") and "java\n" not in response:
        assert signals.parses is (score > 0.1)
    if language == "cpp":
        assert signals.HasField("compiles")
        assert not signals.compiles


# ---- probes

COUNTS = """
import os
def f(n, calls=[0]):
    calls[0] += 1
    return calls[0] - 1
"""


@pytest.fixture(scope="module")
def probing() -> Iterator[EmbeddedServer]:
    with EmbeddedServer("--probe", "1", "--metrics-port", "0", "--log-level", "info") as running:
        yield running


def test_a_probe_flags_what_depends_on_the_order(probing: EmbeddedServer) -> None:
    tests = [pb.CodeTest(args_json=[str(n)], expected_json=str(n)) for n in range(6)]
    task = pb.CodeTask(language="python", program=COUNTS, entry_point="f", tests=tests)
    honest = pb.CodeTask()
    honest.CopyFrom(task)
    honest.program = "def f(n): return n"
    with VerifierClient(probing.address) as client:
        counted, right = client.verify([pb.Item(code=task), pb.Item(code=honest)])
        again = client.verify([pb.Item(code=task)])[0]
    assert counted.reward == right.reward == 1.0
    assert counted.evidence.code.probed
    assert right.evidence.code.probed
    assert [flag.kind for flag in counted.evidence.code.flags] == [pb.Flag.unstable]
    assert not right.evidence.code.flags
    assert not again.provenance.cache_hit  # an unstable outcome is never kept


def test_the_share_that_is_probed_is_the_same_each_time() -> None:
    task = pb.CodeTask(tests=[pb.CodeTest()])
    programs = [f"print({n})" for n in range(1000)]
    chosen = [program for program in programs if probe.chosen(program, task, 0.1)]
    assert 50 < len(chosen) < 200
    assert chosen == [program for program in programs if probe.chosen(program, task, 0.1)]
    assert not any(probe.chosen(program, task, 0) for program in programs)
    assert all(probe.chosen(program, task, 1) for program in programs)


async def test_metrics_count_verdicts_and_flags() -> None:
    from verifier.server import Server, Settings

    async with Server(Settings(listen="127.0.0.1:0", slots=1, metrics_port=0)) as running:
        from verifier.client import AsyncVerifierClient

        item = stdio("import gc\nprint(2 * int(input()))")
        async with AsyncVerifierClient(running.address) as client:
            await client.verify([item])
        page = urllib.request.urlopen(f"http://{running.metrics_address}/metrics").read().decode()
    assert 'touchstone_code_flags_total{kind="introspection"} ' in page
    assert 'touchstone_verdicts_total{reason="accepted",status="OK",task="code"} ' in page


# ---- lint


def test_lint_reports_and_never_decides(client: VerifierClient) -> None:
    item = stdio("import os\nprint(2 * int(input()))", lint=True)
    plain = stdio("import os\nprint(2 * int(input()))")
    linted, bare = client.verify([item, plain])
    assert linted.reward == bare.reward == 1.0
    signals = linted.evidence.code.signals
    assert signals.lint_findings == 1
    assert signals.lint[0].startswith("F401:1: ")
    assert not bare.evidence.code.signals.HasField("lint_findings")


def test_lint_of_what_is_no_program(client: VerifierClient) -> None:
    verdict = client.verify([stdio("def (:", lint=True)])[0]
    assert verdict.reward == 0
    assert verdict.evidence.code.signals.lint_findings >= 1
    assert not verdict.evidence.code.signals.parses
